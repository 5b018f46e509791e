#include "query/roll_up_segment.h"

#include "open/text.h"
#include "query/opened.h"

namespace boatswain::query {
namespace {

// A frame that is damaged may hold everything: it gets no filter.
Result<rollup::GramFrame> grams_of(Opened& opened, std::size_t index, open::FrameOpener& opener,
                                   std::uint64_t& text_bytes) {
    rollup::GramFrame frame{.compressed_bytes = opened.reader.footer().frames[index].compressed_bytes};
    auto text = opened.reader.frame_text(index, opener);
    if (!text && !is_of_one_object(text.error())) return std::unexpected(std::move(text).error().within(opened.name));
    if (text) {
        text_bytes += text->size();
        auto walked = open::for_each_entry(*text, [&](const open::TextEntry& entry) {
            if (entry.kind == open::TextEntry::Kind::line) frame.slots.add(entry.line.bytes);
            return true;
        });
        frame.is_known = walked.has_value();
    } else {
        frame.is_known = false;
    }
    return frame;
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
    auto bytes = prepared.summary->footer_json.size() + (grams ? frames * sizeof(rollup::GramFrame) : 0);
    TRY(prepared.held, limits.budget.hold(bytes, "the frames of a segment"));
    if (!grams) return prepared;
    open::FrameOpener opener;
    prepared.frames.reserve(frames);
    for (std::size_t i = 0; i < frames; ++i) {
        TRY(prepared.frames.emplace_back(), grams_of(segment, i, opener, prepared.text_bytes));
    }
    return prepared;
}

}  // namespace boatswain::query
