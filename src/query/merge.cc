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
#include "query/frames_ahead.h"
#include "query/segment_cursor.h"

namespace boatswain::query {

namespace {

struct SourceLines;

// Where the merge stands: the smallest goes next.
struct Turn {
    Timestamp time{};
    std::uint64_t number = 0;  // of the source
    SourceLines* source = nullptr;
    auto operator<=>(const Turn& other) const {
        return std::pair{time, number} <=> std::pair{other.time, other.number};
    }
};

// A frame that was not reached yet.
struct WaitingFrame {
    std::shared_ptr<Opened> segment;  // also owned by the segment's other waiting frames
    std::size_t index = 0;            // in its footer

    const open::FooterFrame& described() const { return segment->reader.footer().frames[index]; }
    const std::string& epoch() const { return segment->info.key.epoch; }
    // Of two objects of one number, the frames of one come before those of the other.
    auto place() const {
        return std::tuple{segment->info.key.sequence, std::cref(segment->info.key.hash).get(), index};
    }
};

using SourceName = std::tuple<TenantId, std::string, std::string>;  // tenant, host, source id

// One source of one host: the frame that is being read, and those behind it. Known while there are such.
struct SourceLines {
    std::uint64_t number = 0;  // in the order in which sources were met
    const SourceName* name = nullptr;
    Share held;
    std::deque<WaitingFrame> waiting;
    std::map<std::string, Timestamp> epochs;  // when the first known segment of each was sealed
    std::shared_ptr<Opened> segment;          // of the frame being read
    std::size_t frame = 0;
    std::string text;                          // the part of the frame that is held: whole lines
    std::size_t text_first = 0;                // where it starts in what was read of the frame
    std::size_t text_bytes = 0;                // of what was read
    bool is_wanted = false;                    // all of it is
    std::optional<open::EntryWalk> walk;       // over text
    const open::TextEntry* pending = nullptr;  // read, and not handed out yet
    std::uint64_t next_ordinal = 0;            // of the line behind what was read
    std::optional<Timestamp> turn;             // the time of its Turn in the queue

    bool reading() const { return segment != nullptr; }
    const open::FooterFrame& described() const { return segment->reader.footer().frames[frame]; }
    const Source& printer() const { return segment->reader.footer().sources[described().source]; }
    static bool is_line(const open::TextEntry& text_entry) { return text_entry.kind == open::TextEntry::Kind::line; }
    // Of what was read last.
    Entry entry(const open::TextEntry& text_entry) const {
        return {.segment = segment->info.key,
                .source = printer(),
                .text = text_entry,
                .ordinal = next_ordinal - (is_line(text_entry) ? 1 : 0)};
    }
    bool holds_the_rest() const { return text_first + text.size() == text_bytes; }
};

std::string frame_name(const Opened& segment, std::size_t index) {
    return segment.name + ": frame " + std::to_string(index);
}

// Where a part of `text` ends that starts at `first` and has at most `bytes`: behind its last whole line; npos when not
// even one line is that short.
std::size_t end_of_part(std::string_view text, std::size_t first, std::uint64_t bytes) {
    if (text.size() - first <= bytes) return text.size();
    if (bytes == 0) return std::string_view::npos;
    auto last = text.rfind('\n', first + bytes - 1);
    return last == std::string_view::npos || last < first ? std::string_view::npos : last + 1;
}

class Merge {
  public:
    Merge(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
          const Limits& limits, Observer& observer, const std::function<bool(const Entry&)>& each)
        : feed_(store, identities, selection, limits, observer),
          selection_(selection),
          budget_(limits.budget),
          each_(each),
          ahead_(selection, limits.budget, feed_.crew()) {}

    Result<Tally> run();

  private:
    Result<void> load_hour();
    Result<void> add(const std::shared_ptr<Opened>& segment);
    Result<SourceLines*> find_or_make(SourceName name);
    void queue(SourceLines& source, Timestamp time);
    void queue_next_frame(SourceLines& source);
    Result<bool> fetch_frame(SourceLines& source);
    void finish_frame(SourceLines& source);
    std::uint64_t fair_part() const;
    Result<void> hold_text(SourceLines& source, std::string whole, std::size_t first);
    void set_text(SourceLines& source, std::string text);
    void cut_text(SourceLines& source, std::uint64_t bytes_max);
    Result<void> make_room(const SourceLines& current);
    Result<void> read_on(SourceLines& source);
    const open::TextEntry* next_match(SourceLines& source);
    std::optional<Timestamp> read_until(SourceLines& source, const Turn& limit);
    Timestamp horizon() const;

    SegmentCursor feed_;
    const Selection& selection_;
    Budget& budget_;
    const std::function<bool(const Entry&)>& each_;
    std::map<SourceName, std::unique_ptr<SourceLines>> sources_;
    std::uint64_t sources_met_ = 0;
    std::set<Turn> run_queue_;  // one of each source that has more to give
    bool wanted_ = true;        // until each_ says no

    open::FrameOpener opener_;
    std::uint64_t frames_read_ = 0;  // being read now
    std::uint64_t text_held_ = 0;    // of them, in bytes
    std::uint64_t text_read_ = 0, text_read_again_ = 0;
    std::optional<Error> failed_;  // the store, or the budget, while a frame was read on
    FramesAhead ahead_;            // last: it ends first
};

// Entries before this can be handed out: no segment that is not opened yet holds an earlier one.
Timestamp Merge::horizon() const { return feed_.next_hour().value_or(Timestamp::max()); }

Result<void> Merge::load_hour() {
    TRY(auto segments, feed_.open_next_hour());
    for (const auto& segment : segments) CHECK(add(segment));
    return {};
}

Result<SourceLines*> Merge::find_or_make(SourceName name) {
    constexpr std::uint64_t map_node_bytes = 64;
    if (auto known = sources_.find(name); known != sources_.end()) return known->second.get();
    const auto& [tenant, host, id] = name;
    auto bytes = sizeof(SourceLines) + sizeof(SourceName) + sizeof(Turn) + 2 * map_node_bytes + tenant.str().size() +
                 host.size() + id.size();
    TRY(auto held, budget_.hold(bytes, "the sources of an hour"));
    auto made = sources_.emplace(std::move(name), std::make_unique<SourceLines>()).first;
    auto& source = *made->second;
    source.number = sources_met_++;
    source.name = &made->first;
    source.held = std::move(held);
    return &source;
}

Result<void> Merge::add(const std::shared_ptr<Opened>& segment) {
    const auto& key = segment->info.key;
    const auto& footer = segment->reader.footer();
    std::vector<std::size_t> planned;
    for (std::size_t i = 0; i < footer.frames.size(); ++i) {
        const auto& frame = footer.frames[i];
        const auto& source = footer.sources[frame.source];
        Origin origin{key, source};
        if (segment->is_ruled_out(i) || !selection_.wants(origin) || !selection_.wants(segment->summary(i))) continue;
        planned.push_back(i);
        TRY(auto* lines, find_or_make({key.tenant, key.host, source.id}));
        auto [epoch, is_new_epoch] = lines->epochs.try_emplace(key.epoch, footer.sealed_at);
        epoch->second = std::min(epoch->second, footer.sealed_at);

        auto before = [&](const WaitingFrame& one, const WaitingFrame& other) {
            return std::tuple{lines->epochs[one.epoch()], one.epoch(), one.place()} <
                   std::tuple{lines->epochs[other.epoch()], other.epoch(), other.place()};
        };
        WaitingFrame added{.segment = segment, .index = i};
        auto at = lines->waiting.insert(std::ranges::upper_bound(lines->waiting, added, before), added);
        // What is first in line now may be earlier than what was.
        if (at == lines->waiting.begin() && !lines->reading()) queue_next_frame(*lines);
    }
    ahead_.plan(segment, planned);
    return {};
}

void Merge::queue(SourceLines& source, Timestamp time) {
    if (source.turn) run_queue_.erase({*source.turn, source.number});
    source.turn = time;
    run_queue_.insert({time, source.number, &source});
}

// A source with no frame left is forgotten.
void Merge::queue_next_frame(SourceLines& source) {
    // A frame's first time is its earliest, so its entries never come before this turn.
    if (!source.waiting.empty())
        queue(source, source.waiting.front().described().counts.first_time);
    else
        sources_.erase(sources_.find(*source.name));
}

// False: the next frame was damaged, and is left out; or nothing in it is wanted.
Result<bool> Merge::fetch_frame(SourceLines& source) {
    auto next = std::move(source.waiting.front());
    source.waiting.pop_front();
    source.segment = std::move(next.segment);
    source.frame = next.index;
    ++frames_read_;
    auto read = ahead_.take(source.segment, source.frame);
    if (!read) {
        finish_frame(source);
        if (!is_of_one_object(read.error())) return std::unexpected(std::move(read).error());
        feed_.tell_damage(read.error());
        return false;
    }
    text_read_ += source.described().text_bytes;
    if (read->text.empty()) {
        finish_frame(source);
        return false;
    }
    source.is_wanted = read->is_wanted;
    source.text_bytes = read->text.size();
    source.walk.emplace(std::string_view{});
    source.next_ordinal = source.described().first_ordinal;
    CHECK(hold_text(source, std::move(read->text), 0));
    return true;
}

void Merge::finish_frame(SourceLines& source) {
    set_text(source, {});
    source.walk.reset();
    source.pending = nullptr;
    source.segment.reset();
    --frames_read_;
    budget_.set_text(text_held_);
}

void Merge::set_text(SourceLines& source, std::string text) {
    text_held_ -= source.text.capacity();
    source.text.swap(text);  // moving a short text would keep the room of the long one
    text_held_ += source.text.capacity();
}

// What each frame gets when all do not fit: half of the room, so that making room is not needed again at once.
std::uint64_t Merge::fair_part() const {
    return budget_.merged_bytes_max() / 2 / std::max<std::uint64_t>(frames_read_, 1);
}

// Holds of `whole`, what was read of a frame, what starts at `first`: all of it, or as many lines as there is room
// for, one at least.
Result<void> Merge::hold_text(SourceLines& source, std::string whole, std::size_t first) {
    auto rest = whole.size() - first;
    bool fits = text_held_ - source.text.capacity() + rest <= budget_.merged_bytes_max();
    auto end = fits ? whole.size() : end_of_part(whole, first, fair_part());
    if (end == std::string::npos) end = whole.find('\n', first) + 1;  // the text ends with one: read_frame()
    set_text(source, first == 0 && end == whole.size() ? std::move(whole) : whole.substr(first, end - first));
    source.text_first = first;
    source.walk->go_on(source.text);
    if (text_held_ > budget_.merged_bytes_max()) CHECK(make_room(source));
    budget_.set_text(text_held_);
    return {};
}

// Gives up what lies behind the next `bytes_max` of what was not handed out.
void Merge::cut_text(SourceLines& source, std::uint64_t bytes_max) {
    if (source.pending != nullptr) {
        source.walk->unread();
        if (source.is_line(*source.pending)) --source.next_ordinal;
        source.pending = nullptr;
    }
    auto first = source.text.size() - source.walk->left();
    auto end = end_of_part(source.text, first, bytes_max);
    auto part = end == std::string::npos ? std::string{} : source.text.substr(first, end - first);
    part.shrink_to_fit();
    source.text_first += first;
    set_text(source, std::move(part));
    source.walk->go_on(source.text);
}

Result<void> Merge::make_room(const SourceLines& current) {
    auto part = fair_part();
    if (part < text_part_bytes_min)
        return std::unexpected(
            over_budget(budget_, "the texts of " + std::to_string(frames_read_) + " sources that overlap in time"));
    for (auto& [name, source] : sources_)
        if (source->reading() && source.get() != &current && source->text.capacity() > part) cut_text(*source, part);
    if (text_held_ <= budget_.merged_bytes_max()) return {};
    return std::unexpected(over_budget(budget_, "the lines of one frame"));
}

// The next part of a frame whose held part is used up.
Result<void> Merge::read_on(SourceLines& source) {
    text_read_again_ += source.described().text_bytes;
    if (text_read_again_ > reread_bytes_free + reread_max * text_read_)
        return std::unexpected(over_budget(
            budget_, "the texts of " + std::to_string(frames_read_) + " sources that overlap in time, read in parts,"));
    TRY(auto read, read_frame(selection_, *source.segment, source.frame, opener_));
    return hold_text(source, std::move(read.text), source.text_first + source.text.size());
}

// The next entry of the frame that the selection holds; nullptr at its end, or where damage ends it, or when failed_.
const open::TextEntry* Merge::next_match(SourceLines& source) {
    using enum open::TextEntry::Kind;
    while (true) {
        auto next = source.walk->next();
        if (!next) {
            feed_.tell_damage(std::move(next).error().within(frame_name(*source.segment, source.frame)));
            return nullptr;
        }
        const auto* entry = *next;
        if (entry == nullptr && !source.holds_the_rest()) {
            auto more = read_on(source);
            if (more) continue;
            if (is_of_one_object(more.error()))
                feed_.tell_damage(more.error());
            else
                failed_ = std::move(more).error();
            return nullptr;
        }
        if (entry == nullptr) return nullptr;
        if (entry->kind == line) ++source.next_ordinal;
        bool is_shown = entry->kind == line || entry->kind == gap || (entry->kind == end && selection_.numbered);
        if (is_shown && (source.is_wanted || selection_.wants(source.entry(*entry)))) return entry;
    }
}

// Hands out entries of the frame while they come before `limit`. The time of the entry that does not, or nothing at the
// end of the frame.
std::optional<Timestamp> Merge::read_until(SourceLines& source, const Turn& limit) {
    while (wanted_) {
        const auto* entry = source.pending != nullptr ? std::exchange(source.pending, nullptr) : next_match(source);
        if (entry == nullptr) return std::nullopt;
        auto handed = source.entry(*entry);
        auto time = handed.time();
        if (Turn{time, source.number} >= limit) {
            source.pending = entry;
            return time;
        }
        ++feed_.tally().entries;
        wanted_ = each_(handed);
    }
    return std::nullopt;
}

Result<Tally> Merge::run() {
    CHECK(feed_.start());
    while (wanted_) {
        if (run_queue_.empty() || run_queue_.begin()->time >= horizon()) {
            if (!feed_.next_hour() && run_queue_.empty()) break;
            if (feed_.next_hour()) {
                CHECK(load_hour());
                continue;
            }
        }
        auto turn = *run_queue_.begin();
        run_queue_.erase(run_queue_.begin());
        auto& source = *turn.source;
        source.turn.reset();
        if (!source.reading()) {
            TRY(bool sound, fetch_frame(source));
            if (!sound) {
                queue_next_frame(source);
                continue;
            }
        }
        Turn limit{horizon(), 0};
        if (!run_queue_.empty()) limit = std::min(limit, *run_queue_.begin());
        auto later = read_until(source, limit);
        if (failed_) return std::unexpected(std::move(*failed_));
        if (later) {
            queue(source, *later);
        } else {
            finish_frame(source);
            queue_next_frame(source);
        }
    }
    return feed_.tally();
}

}  // namespace

Result<Tally> read_lines(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                         const Limits& limits, Observer& observer, const std::function<bool(const Entry&)>& each) {
    return Merge{store, identities, selection, limits, observer, each}.run();
}

Result<Tally> read_footers(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                           const Limits& limits, Observer& observer,
                           const std::function<bool(const SegmentInfo&, const open::Footer&)>& each) {
    SegmentCursor feed{store, identities, selection, limits, observer};
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

Result<std::vector<Timestamp>> hours_with_segments(store::Store& store, const Selection& selection, Budget& budget) {
    struct Nobody final : Observer {
        void damaged(const Error&) override {}
    } nobody;
    SegmentCursor feed{store, {}, selection, {.budget = budget}, nobody};
    CHECK(feed.start());
    return feed.hours();
}

}  // namespace boatswain::query
