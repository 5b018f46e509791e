#include "query/merge.h"

#include <algorithm>
#include <compare>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "open/text.h"
#include "query/feed.h"

namespace boatswain::query {

namespace {

// Where the merge stands: the smallest goes next.
struct Turn {
    Timestamp time{};
    std::size_t source = 0;  // index into Merge::sources_
    auto operator<=>(const Turn&) const = default;
};

// A frame that was not reached yet.
struct WaitingFrame {
    std::shared_ptr<Opened> segment;  // also owned by the segment's other waiting frames
    std::size_t index = 0;            // in its footer

    const open::FooterFrame& described() const { return segment->reader.footer().frames[index]; }
    const std::string& epoch() const { return segment->info.key.epoch; }
    auto place() const { return std::pair{segment->info.key.sequence, index}; }
};

// One source of one host: the frame that is being read, and those behind it.
struct SourceLines {
    std::deque<WaitingFrame> waiting;
    std::map<std::string, Timestamp> epochs;  // when the first known segment of each was sealed
    std::shared_ptr<Opened> segment;          // of the frame being read
    std::size_t frame = 0;
    std::string text;
    std::optional<open::EntryWalk> walk;       // over text
    const open::TextEntry* pending = nullptr;  // read, and not handed out yet
    std::optional<Timestamp> turn;             // the time of its Turn in the queue

    bool reading() const { return segment != nullptr; }
    void finish_frame() {
        segment.reset();
        walk.reset();
        std::string{}.swap(text);
    }
};

std::string frame_name(const Opened& segment, std::size_t index) {
    return segment.name + ": frame " + std::to_string(index);
}

class Merge {
  public:
    Merge(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
          Observer& observer, const std::function<bool(const Entry&)>& each)
        : feed_(store, identities, selection, observer), selection_(selection), each_(each) {}

    Result<Tally> run();

  private:
    Result<void> load_hour();
    void add(const std::shared_ptr<Opened>& segment);
    void queue(std::size_t source, Timestamp time);
    void queue_next_frame(std::size_t source);
    Result<bool> fetch_frame(SourceLines& source);
    const open::TextEntry* next_match(SourceLines& source);
    std::optional<Timestamp> read_until(SourceLines& source, const Turn& limit, std::size_t index);
    Timestamp horizon() const;

    Feed feed_;
    const Selection& selection_;
    const std::function<bool(const Entry&)>& each_;
    std::map<std::tuple<TenantId, std::string, std::string>, std::size_t> indices_;  // tenant, host, source id
    std::deque<SourceLines> sources_;
    std::set<Turn> turns_;  // one of each source that has more to give
    bool wanted_ = true;    // until each_ says no
};

// Entries before this can be handed out: no segment that is not opened yet holds an earlier one.
Timestamp Merge::horizon() const { return feed_.next_hour().value_or(Timestamp::max()); }

Result<void> Merge::load_hour() {
    TRY(auto segments, feed_.open_next_hour());
    for (const auto& segment : segments) add(segment);
    return {};
}

void Merge::add(const std::shared_ptr<Opened>& segment) {
    const auto& key = segment->info.key;
    const auto& footer = segment->reader.footer();
    for (std::size_t i = 0; i < footer.frames.size(); ++i) {
        const auto& frame = footer.frames[i];
        const auto& source = footer.sources[frame.source];
        if (!selection_.holds(source) || !selection_.holds(frame.counts)) continue;
        auto [place, is_new] = indices_.try_emplace({key.tenant, key.host, source.id}, sources_.size());
        if (is_new) sources_.emplace_back();
        auto& lines = sources_[place->second];
        auto [epoch, is_new_epoch] = lines.epochs.try_emplace(key.epoch, footer.sealed_at);
        epoch->second = std::min(epoch->second, footer.sealed_at);

        auto before = [&](const WaitingFrame& one, const WaitingFrame& other) {
            return std::tuple{lines.epochs[one.epoch()], one.epoch(), one.place()} <
                   std::tuple{lines.epochs[other.epoch()], other.epoch(), other.place()};
        };
        WaitingFrame added{.segment = segment, .index = i};
        auto at = lines.waiting.insert(std::ranges::upper_bound(lines.waiting, added, before), added);
        // What is first in line now may be earlier than what was.
        if (at == lines.waiting.begin() && !lines.reading()) queue_next_frame(place->second);
    }
}

void Merge::queue(std::size_t source, Timestamp time) {
    auto& turn = sources_[source].turn;
    if (turn) turns_.erase({*turn, source});
    turn = time;
    turns_.insert({time, source});
}

void Merge::queue_next_frame(std::size_t source) {
    auto& lines = sources_[source];
    // A frame's first time is its earliest, so its entries never come before this turn.
    if (!lines.waiting.empty()) queue(source, lines.waiting.front().described().counts.first_time);
}

// False: the next frame was damaged, and is left out.
Result<bool> Merge::fetch_frame(SourceLines& source) {
    auto next = std::move(source.waiting.front());
    source.waiting.pop_front();
    auto text = next.segment->reader.frame_text(next.index);
    if (!text) {
        auto error = std::move(text).error().within(next.segment->name);
        if (!is_of_one_object(error)) return std::unexpected(std::move(error));
        feed_.tell_damage(error);
        return false;
    }
    source.segment = std::move(next.segment);
    source.frame = next.index;
    source.text = std::move(*text);
    source.walk.emplace(source.text);
    return true;
}

// The next entry of the frame that the selection holds; nullptr at its end, or where damage ends it.
const open::TextEntry* Merge::next_match(SourceLines& source) {
    using enum open::TextEntry::Kind;
    while (true) {
        auto next = source.walk->next();
        if (!next) {
            feed_.tell_damage(std::move(next).error().within(frame_name(*source.segment, source.frame)));
            return nullptr;
        }
        const auto* entry = *next;
        if (entry == nullptr || (entry->kind == line && selection_.holds(entry->line)) ||
            (entry->kind == gap && selection_.holds(entry->gap)))
            return entry;
    }
}

// Hands out entries of the frame while they come before `limit`. The time of the entry that does not, or nothing at the
// end of the frame.
std::optional<Timestamp> Merge::read_until(SourceLines& source, const Turn& limit, std::size_t index) {
    const auto& footer = source.segment->reader.footer();
    const auto& who = footer.sources[footer.frames[source.frame].source];
    while (wanted_) {
        const auto* entry = source.pending != nullptr ? std::exchange(source.pending, nullptr) : next_match(source);
        if (entry == nullptr) return std::nullopt;
        auto time = entry->kind == open::TextEntry::Kind::gap ? entry->gap.from : entry->line.time;
        if (Turn{time, index} >= limit) {
            source.pending = entry;
            return time;
        }
        ++feed_.tally().entries;
        wanted_ = each_(Entry{.segment = source.segment->info.key, .source = who, .text = *entry});
    }
    return std::nullopt;
}

Result<Tally> Merge::run() {
    CHECK(feed_.start());
    while (wanted_) {
        if (turns_.empty() || turns_.begin()->time >= horizon()) {
            if (!feed_.next_hour() && turns_.empty()) break;
            if (feed_.next_hour()) {
                CHECK(load_hour());
                continue;
            }
        }
        auto turn = *turns_.begin();
        turns_.erase(turns_.begin());
        auto& source = sources_[turn.source];
        source.turn.reset();
        if (!source.reading()) {
            TRY(bool sound, fetch_frame(source));
            if (!sound) {
                queue_next_frame(turn.source);
                continue;
            }
        }
        Turn limit{horizon(), 0};
        if (!turns_.empty()) limit = std::min(limit, *turns_.begin());
        if (auto later = read_until(source, limit, turn.source)) {
            queue(turn.source, *later);
        } else {
            source.finish_frame();
            queue_next_frame(turn.source);
        }
    }
    return feed_.tally();
}

}  // namespace

Result<Tally> read_lines(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                         Observer& observer, const std::function<bool(const Entry&)>& each) {
    return Merge{store, identities, selection, observer, each}.run();
}

Result<Tally> read_footers(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                           Observer& observer,
                           const std::function<bool(const SegmentInfo&, const open::Footer&)>& each) {
    Feed feed{store, identities, selection, observer};
    CHECK(feed.start());
    while (feed.next_hour()) {
        TRY(auto segments, feed.open_next_hour());
        for (const auto& segment : segments) {
            ++feed.tally().entries;
            if (!each(segment->info, segment->reader.footer())) return feed.tally();
        }
    }
    return feed.tally();
}

Result<std::vector<Timestamp>> hours_with_segments(store::Store& store, const Selection& selection) {
    struct Nobody final : Observer {
        void damaged(const Error&) override {}
    } nobody;
    Feed feed{store, {}, selection, nobody};
    CHECK(feed.start());
    return feed.hours();
}

}  // namespace boatswain::query
