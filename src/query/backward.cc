#include "query/backward.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "query/rolled_up.h"

#include "query/kept_entry.h"

namespace boatswain::query {

namespace {

class LastOfPiece {
  public:
    LastOfPiece(Budget& budget, std::uint64_t most) : keeper_(budget, "the last lines"), most_(most) {}

    Result<void> keep(const Entry& entry) {
        if (kept_.size() == most_) kept_.pop_front();
        TRY(auto one, keeper_.keep(entry));
        kept_.push_back(std::move(one));
        return {};
    }
    // False: `each` has enough.
    bool hand_out(std::uint64_t& left, const std::function<bool(const Entry&)>& each) {
        for (auto at = kept_.rbegin(); at != kept_.rend(); ++at) {
            --left;
            if (!each(at->entry()) || left == 0) return false;
        }
        return true;
    }

  private:
    EntryKeeper keeper_;
    std::uint64_t most_;
    std::deque<KeptEntry> kept_;
};

// Where one piece of time ends and the next begins, latest first; `range` itself is not among them.
std::vector<Timestamp> cuts_of(const std::vector<Timestamp>& hours, const TimeRange& range) {
    std::vector<Timestamp> cuts;
    for (auto hour : hours)
        for (auto cut : {hour, hour + std::chrono::hours{1} + segment::segment_span_max})
            if (cut > range.since && cut < range.until) cuts.push_back(cut);
    std::ranges::sort(cuts, std::greater{});
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    return cuts;
}

void add(Tally& total, const Tally& piece) {
    total.hours_listed += piece.hours_listed;
    total.segments_listed += piece.segments_listed;
    total.segments_opened += piece.segments_opened;
    total.rolled_up += piece.rolled_up;
    total.for_others = std::max(total.for_others, piece.for_others);
    total.foreign = std::max(total.foreign, piece.foreign);
    total.damaged += piece.damaged;
    total.copies = std::max(total.copies, piece.copies);
    total.conflicts = std::max(total.conflicts, piece.conflicts);
}

}  // namespace

Result<Tally> read_lines_backward(store::Store& store, std::span<const open::Identity> identities,
                                  const Selection& selection, const Limits& limits, Observer& observer,
                                  std::uint64_t most, const std::function<bool(const Entry&)>& accepts,
                                  const std::function<bool(const Entry&)>& each) {
    TRY(auto hours, hours_with_segments(store, selection, limits.budget));
    Tally total{.hours_total = hours.size()};
    if (hours.empty() || most == 0) return total;
    auto cuts = cuts_of(hours, selection.range);
    cuts.push_back(selection.range.since);
    auto left = most;
    auto until = selection.range.until;
    RolledUp rolled_up{store, identities, limits, selection.filter,
                       [&observer](const Error& error) { observer.rollup_refused(error); }};
    auto shared = limits;
    shared.rolled_up = &rolled_up;
    for (auto since : cuts) {
        auto piece = selection;
        piece.range = {since, std::exchange(until, since)};
        LastOfPiece last{limits.budget, left};
        std::optional<Error> over;
        auto read = read_lines(store, identities, piece, shared, observer, [&](const Entry& entry) {
            // A gap that reaches over the cut belongs to the piece in which it begins.
            bool began_before = !entry.is_line() && entry.time() < since && since != selection.range.since;
            if (began_before || !accepts(entry)) return true;
            auto kept = last.keep(entry);
            if (!kept) over = std::move(kept).error();
            return !over;
        });
        if (!read) return read;
        if (over) return std::unexpected(std::move(*over));
        add(total, *read);
        auto before = left;
        bool more = last.hand_out(left, each);
        total.entries += before - left;
        if (!more) break;
    }
    return total;
}

}  // namespace boatswain::query
