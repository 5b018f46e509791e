#include "query/rolled_up.h"

#include <algorithm>

namespace boatswain::query {

Result<std::string> ReadAhead::read(std::uint64_t first, std::uint64_t length) {
    auto holds = [&](const Piece& piece) {
        return first >= piece.first && first + length <= piece.first + piece.bytes.size();
    };
    auto found = std::ranges::find_if(kept_, holds);
    if (found == kept_.end()) {
        if (first > object_bytes_ || length > object_bytes_ - first)
            return fail(Remedy::quarantine, "the object ends before byte " + std::to_string(first + length));
        auto wanted = std::min(std::max(length, piece_), object_bytes_ - first);
        TRY(auto bytes, read_exactly(store_, name_, first, wanted));
        if (kept_.size() == pieces) kept_.erase(kept_.begin());
        kept_.push_back({first, std::move(bytes)});
    } else {
        std::rotate(found, found + 1, kept_.end());
    }
    return kept_.back().bytes.substr(first - kept_.back().first, length);
}

Result<rollup::Rollup> open_rollup(store::Store& store, std::span<const open::Identity> identities,
                                   const TenantId& tenant, const RollupInfo& listed, std::uint64_t piece) {
    auto reads = std::make_shared<ReadAhead>(store, rollup::rollup_key(tenant, listed.day), listed.size, piece);
    return rollup::Rollup::open(
        listed.size, [reads](std::uint64_t first, std::uint64_t length) { return reads->read(first, length); },
        identities, tenant, listed.day);
}

struct RolledUp::Day {
    Timestamp day{};
    Share held;
    std::optional<rollup::Rollup> rollup;  // none: refused, or no room for it: that is for what must be held
};

struct RolledUp::Hour {
    struct Segment {
        std::uint64_t size = 0;
        std::string header_mac;
        open::Footer footer;
        std::vector<bool> ruled_out;  // frames, by filters
    };
    std::map<std::string, Segment, std::less<>> segments;                           // by key
    std::vector<std::map<std::string, Segment, std::less<>>::iterator> in_order{};  // as their frames are numbered
};

RolledUp::RolledUp(store::Store& store, std::span<const open::Identity> identities, const Limits& limits,
                   FilterPtr filter, std::function<void(const Error&)> refused)
    : store_(store),
      identities_(identities),
      limits_(limits),
      filter_(std::move(filter)),
      refused_(std::move(refused)) {}
RolledUp::~RolledUp() = default;

void RolledUp::refuse(const TenantId& tenant, Timestamp day, const Error& error) {
    // Sealed for others, or more than there is room for: nothing is wrong with it.
    if (!open::is_for_others(error) && !is_over_budget(error))
        refused_(Error{error}.within(rollup::rollup_key(tenant, day)));
}

RolledUp::Day* RolledUp::day_of(const TenantId& tenant, Timestamp day) {
    auto& kept = open_[tenant];
    if (kept && kept->day == day) return kept.get();
    kept.reset();  // before another one takes its room
    auto known = known_.find({tenant, day});
    if (known == known_.end()) return nullptr;
    auto opened = std::make_unique<Day>();
    opened->day = day;
    auto piece = std::min(known->second, store_.read_ahead_bytes());
    opened->held = limits_.budget.try_tail(ReadAhead::pieces * piece);
    if (opened->held.bytes() > 0) {
        auto read = open_rollup(store_, identities_, tenant, {.day = day, .size = known->second}, piece);
        if (read)
            opened->rollup.emplace(std::move(*read));
        else
            refuse(tenant, day, read.error());
    }
    kept = std::move(opened);
    return kept.get();
}

Result<RolledUp::Hour> RolledUp::read_hour(Day& day, const rollup::IndexHour& described) {
    TRY(auto text_held, limits_.budget.hold(2 * described.footers_text_bytes, "footers of a roll-up"));
    TRY(auto summaries, day.rollup->summaries(described));
    Hour hour;
    std::size_t frames = 0;
    for (auto& summary : summaries) {
        if (summary.footer_json.size() > limits_.bounds.footer_json_bytes_max) {
            // Its frames are not counted, so those behind it have no filter that can be found.
            return fail(Remedy::quarantine, "roll-up: a footer larger than is believed");
        }
        TRY(auto footer, open::parse_footer(summary.footer_json));
        frames += footer.frames.size();
        auto [at, is_new] = hour.segments.try_emplace(std::move(summary.key));
        if (!is_new) return fail(Remedy::quarantine, "roll-up: a segment twice in one hour");
        at->second = {.size = summary.size,
                      .header_mac = std::move(summary.header_mac),
                      .footer = std::move(footer),
                      .ruled_out = {}};
        hour.in_order.push_back(at);
    }
    if (filter_ && filter_->wants_grams() && described.grams) CHECK(look_up(day, described, hour, frames));
    return hour;
}

// Asks the filter of every frame what it cannot hold.
Result<void> RolledUp::look_up(Day& day, const rollup::IndexHour& described, Hour& hour, std::size_t frames) {
    auto held = limits_.budget.try_tail(std::min(rollup::Rollup::filters_memory_max, 4 * described.grams->bytes));
    if (held.bytes() == 0) return {};  // every frame is read then
    TRY(auto filters, day.rollup->filters(described, frames));
    std::size_t number = 0;
    for (auto place : hour.in_order) {
        auto& [name, segment] = *place;
        auto key = segment::parse_object_key(name);
        segment.ruled_out.resize(segment.footer.frames.size());
        for (std::size_t i = 0; i < segment.ruled_out.size(); ++i, ++number) {
            const auto& frame = segment.footer.frames[i];
            if (!key) continue;
            FrameSummary summary{{*key, segment.footer.sources[frame.source]}, frame, filters.frame(number)};
            segment.ruled_out[i] = filter_->match(summary) == Match::none;
        }
    }
    return filters.finish();
}

std::vector<std::optional<Opened>> RolledUp::find(std::span<const SegmentInfo> infos) {
    std::vector<std::optional<Opened>> found(infos.size());
    if (infos.empty() || infos.front().key.spanning || identities_.empty()) return found;
    const auto& tenant = infos.front().key.tenant;
    auto day = std::chrono::floor<std::chrono::days>(infos.front().key.hour);
    auto* kept = day_of(tenant, day);
    if (kept == nullptr || !kept->rollup) return found;
    auto described = kept->rollup->index().find(infos.front().key.hour);
    if (described == kept->rollup->index().end()) return found;
    auto hour = read_hour(*kept, described->second);
    if (!hour) {
        refuse(tenant, day, hour.error());
        kept->rollup.reset();
        return found;
    }
    for (std::size_t i = 0; i < infos.size(); ++i) {
        auto segment = hour->segments.find(infos[i].key.str());
        if (segment == hour->segments.end() || segment->second.size != infos[i].size) continue;
        auto opened = open_rolled_up(store_, infos[i], std::move(segment->second.footer),
                                     std::move(segment->second.header_mac), identities_, limits_);
        if (!opened) continue;  // opening it says what is wrong, or that there is no room
        opened->ruled_out = std::move(segment->second.ruled_out);
        found[i] = std::move(*opened);
    }
    return found;
}

}  // namespace boatswain::query
