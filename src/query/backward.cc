#include "query/backward.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "query/kept_entry.h"
#include "query/known_footers.h"
#include "query/rolled_up.h"

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

// A damaged object is met in each piece that it reaches into, and told once.
class ToldOnce final : public Observer {
  public:
    explicit ToldOnce(Observer& to) : to_(to) {}
    void damaged(const Error& error) override {
        if (told_.size() == told_max || !told_.insert(error.what).second) return;
        to_.damaged(error);
    }
    void progress(const Tally& tally) override { to_.progress(tally); }
    void rollup_refused(const Error& error) override { to_.rollup_refused(error); }
    void met(const Source& source) override { to_.met(source); }

  private:
    static constexpr std::size_t told_max = 100'000;
    Observer& to_;
    std::set<std::string> told_;
};

// A question whose lines are not among the last of two pieces looks for something rare: then whole pieces are read.
constexpr std::size_t pieces_divided_max = 2;
constexpr std::uint64_t wanted_divided_max = 100'000;
constexpr std::uint64_t own_known_bytes = 16U << 20;

struct FrameTimes {
    Timestamp first{}, last{};
    std::uint64_t lines = 0;
};

// The piece, cut so that the latest part holds about twice the lines that are wanted, the one before eight times as
// many, and the first all the rest; latest first. Only the latest is read where enough of its lines are accepted.
std::vector<Timestamp> cuts_within(std::vector<FrameTimes> frames, const TimeRange& piece, std::uint64_t wanted) {
    constexpr std::uint64_t lines_min = 64, further = 8, parts_max = 3;
    std::vector<Timestamp> cuts;
    std::ranges::sort(frames, std::greater{}, &FrameTimes::last);
    auto goal = std::max(lines_min, wanted > UINT64_MAX / 2 ? wanted : 2 * wanted);
    std::uint64_t lines = 0;
    for (const auto& frame : frames) {
        lines += frame.lines;
        if (lines < goal) continue;
        auto before = cuts.empty() ? piece.until : cuts.back();
        if (frame.first > piece.since && frame.first < before) {
            cuts.push_back(frame.first);
            if (cuts.size() == parts_max - 1) break;
        }
        goal = lines > UINT64_MAX / further ? UINT64_MAX : lines * further;
    }
    cuts.push_back(piece.since);
    return cuts;
}

// Damages are told by who reads lines.
class Unheard final : public Observer {
    void damaged(const Error&) override {}
};

// Where the parts of a piece begin, latest first. `looks` counts down where there was something to look at.
Result<std::vector<Timestamp>> parts_of(store::Store& store, std::span<const open::Identity> identities,
                                        const Selection& piece, const Limits& limits, std::uint64_t wanted,
                                        std::uint64_t whole_piece_bytes, std::size_t& looks) {
    std::vector<FrameTimes> frames;
    std::vector<Share> held;
    std::uint64_t text_bytes = 0;
    Unheard unheard;
    Result<void> kept;
    auto read = read_footers(
        store, identities, piece, limits, unheard, [&](const SegmentInfo& info, const open::Footer& footer) {
            auto share = limits.budget.hold(footer.frames.size() * sizeof(FrameTimes), "frames");
            if (!share) {
                kept = std::unexpected(std::move(share).error());
                return false;
            }
            held.push_back(std::move(*share));
            for (const auto& frame : footer.frames) {
                Origin origin{info.key, footer.sources[frame.source]};
                if (!piece.wants(FrameSummary{origin, frame})) continue;
                text_bytes += frame.text_bytes;
                frames.push_back({frame.counts.first_time, frame.counts.last_time, frame.counts.lines});
            }
            return true;
        });
    if (!read) return std::unexpected(std::move(read).error());
    CHECK(kept);
    if (!frames.empty()) --looks;
    if (text_bytes <= whole_piece_bytes) return std::vector{piece.range.since};
    return cuts_within(std::move(frames), piece.range, wanted);
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

Result<Timestamp> begin_of_last(store::Store& store, std::span<const open::Identity> identities,
                                const Selection& selection, const Limits& limits, std::uint64_t wanted) {
    if (wanted >= wanted_divided_max) return selection.range.since;
    std::size_t looks = 1;
    TRY(auto parts, parts_of(store, identities, selection, limits, wanted, whole_piece_bytes_max, looks));
    return parts.front();
}

Result<Tally> read_lines_backward(store::Store& store, std::span<const open::Identity> identities,
                                  const Selection& selection, const Limits& limits, Observer& observer,
                                  std::uint64_t most, const std::function<bool(const Entry&)>& accepts,
                                  const std::function<bool(const Entry&)>& each, std::uint64_t whole_piece_bytes) {
    TRY(auto hours, hours_with_segments(store, selection, limits.budget));
    Tally total{.hours_total = hours.size()};
    if (hours.empty() || most == 0) return total;
    auto cuts = cuts_of(hours, selection.range);
    cuts.push_back(selection.range.since);
    auto left = most;
    auto until = selection.range.until;
    RolledUp rolled_up{store, identities, limits, selection.filter,
                       [&observer](const Error& error) { observer.rollup_refused(error); }};
    // Segments are opened once for each part of a piece: their footers are kept meanwhile.
    KnownFooters own_known{own_known_bytes};
    auto shared = limits;
    shared.rolled_up = &rolled_up;
    if (shared.known == nullptr) shared.known = &own_known;
    ToldOnce told{observer};
    std::size_t looks = pieces_divided_max;
    for (auto since : cuts) {
        auto piece = selection;
        piece.range = {since, std::exchange(until, since)};
        std::vector<Timestamp> parts{since};
        if (looks > 0 && left < wanted_divided_max) {
            TRY(parts, parts_of(store, identities, piece, shared, left, whole_piece_bytes, looks));
        }
        for (auto begin : parts) {
            auto part = piece;
            part.range.since = begin;
            piece.range.until = begin;
            LastOfPiece last{limits.budget, left};
            std::optional<Error> over;
            auto read = read_lines(store, identities, part, shared, told, [&](const Entry& entry) {
                // A gap that reaches over the cut belongs to the piece in which it begins.
                bool began_before = !entry.is_line() && entry.time() < begin && begin != selection.range.since;
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
            if (!more) return total;
        }
    }
    return total;
}

}  // namespace boatswain::query
