#include "query/rolled_up.h"

#include <algorithm>

namespace boatswain::query {

namespace {

constexpr std::uint64_t grams_noted_bytes_of_a_frame = 16;

}  // namespace

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
        std::size_t first_frame = 0;
    };
    std::map<std::string, Segment, std::less<>> segments;  // by key
    std::shared_ptr<const rollup::GramIndex> grams;
};

RolledUp::RolledUp(store::Store& store, std::span<const open::Identity> identities, const Limits& limits,
                   bool wants_grams, std::function<void(const Error&)> refused)
    : store_(store),
      identities_(identities),
      limits_(limits),
      wants_grams_(wants_grams),
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
    auto piece = std::min(known->second, ReadAhead::piece_bytes);
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
        auto here = frames;
        frames += footer.frames.size();
        hour.segments[std::move(summary.key)] = {.size = summary.size,
                                                 .header_mac = std::move(summary.header_mac),
                                                 .footer = std::move(footer),
                                                 .first_frame = here};
    }
    if (!wants_grams_ || !described.grams) return hour;
    struct HeldGrams {
        rollup::GramIndex grams;
        Share held;
    };
    auto held = limits_.budget.try_tail(described.grams->bytes + frames * grams_noted_bytes_of_a_frame);
    if (held.bytes() == 0) return hour;  // every frame is read then
    TRY(auto grams, day.rollup->grams(described, frames));
    auto kept = std::make_shared<HeldGrams>(HeldGrams{std::move(grams), std::move(held)});
    hour.grams = {kept, &kept->grams};
    return hour;
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
        opened->grams = hour->grams;
        opened->first_gram_frame = segment->second.first_frame;
        found[i] = std::move(*opened);
    }
    return found;
}

}  // namespace boatswain::query
