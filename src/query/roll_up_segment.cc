#include "query/roll_up_segment.h"

#include "open/text.h"
#include "query/opened.h"

namespace boatswain::query {
namespace {

// Of one frame: a filter is at most 8 KiB, and a few kilobytes as a rule.
constexpr std::uint64_t filter_memory = 8U << 10;

// A frame that is damaged may hold everything, and one with a gap is shown to every question: they get no filter.
Result<rollup::GramFilter> filter_of(Opened& opened, std::size_t index, open::FrameOpener& opener,
                                     rollup::GramSet& slots, std::uint64_t& text_bytes) {
    const auto& described = opened.reader.footer().frames[index];
    auto text = opened.reader.frame_text(index, opener);
    if (!text && !is_of_one_object(text.error())) return std::unexpected(std::move(text).error().within(opened.name));
    if (!text) return rollup::GramFilter{};
    text_bytes += text->size();
    slots.clear();
    auto walked = open::for_each_entry(*text, [&](const open::TextEntry& entry) {
        if (entry.kind == open::TextEntry::Kind::line) slots.add(entry.line.bytes);
        return true;
    });
    if (!walked || described.counts.gaps > 0) return rollup::GramFilter{};
    return rollup::filter_of(slots, described.compressed_bytes);
}

}  // namespace

Result<PreparedSegment> prepare_segment(store::Store& store, const SegmentInfo& info,
                                        std::span<const open::Identity> identities, const Limits& limits, bool grams) {
    PreparedSegment prepared;
    auto opened = open_segment(store, info, identities, limits);
    if (opened && !*opened) return prepared;
    if (!opened) {
        if (!is_of_one_object(opened.error())) return std::unexpected(std::move(opened).error());
        prepared.damage = std::move(opened).error();
        return prepared;
    }
    auto& segment = **opened;
    auto json = segment.reader.footer_json();
    if (!json) {
        if (!is_of_one_object(json.error())) return std::unexpected(std::move(json).error().within(segment.name));
        prepared.damage = std::move(json).error().within(segment.name);
        return prepared;
    }
    prepared.summary = {.key = segment.name,
                        .size = info.size,
                        .header_mac = segment.reader.header_mac(),
                        .footer_json = std::move(*json)};
    auto frames = segment.reader.footer().frames.size();
    auto bytes = prepared.summary->footer_json.size() + (grams ? frames * filter_memory : 0);
    TRY(prepared.held, limits.budget.hold(bytes, "the frames of a segment"));
    if (!grams) return prepared;
    open::FrameOpener opener;
    rollup::GramSet slots;
    prepared.filters.reserve(frames);
    for (std::size_t i = 0; i < frames; ++i) {
        TRY(prepared.filters.emplace_back(), filter_of(segment, i, opener, slots, prepared.text_bytes));
    }
    return prepared;
}

}  // namespace boatswain::query
