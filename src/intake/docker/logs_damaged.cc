// Reads a log of which the engine cannot serve every record (logs_reader.h).
//
// The engine finds the last N records of a json-file by its newlines, so an answer can begin behind what is broken, and
// `tail=N` names the N-th record from the end whatever lies behind it. What it then serves is in order up to the next
// broken record. Whether it left any out is seen by asking for a later one by its number: entry i of `tail=N` is the
// first of `tail=N-i`. So the log is read in stretches, each of which is looked at before it is taken, and the broken
// records between them are named by gap records `unreadable`.
#include <algorithm>

#include "engine/logs_line.h"
#include "intake/docker/logs_reader.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t tail_max = 1ULL << 26;
constexpr std::size_t seen_max = 4096;
// An engine that finds trouble behind what it is asked for may serve nothing of what lies before (26.1): asked again.
constexpr unsigned tries_max = 24;
constexpr unsigned rounds_max = 3;
// A record is compared with so many behind it.
constexpr std::uint64_t chain_max = 8;
// So many broken records in a row are looked at one by one.
constexpr std::uint64_t broken_run_max = 64;

}  // namespace

bool LogsReader::Looked::begins_as(const Looked& other) const {
    return served() == other.served() && (!served() || seen.front() == other.seen.front());
}

// Everything that the engine holds behind the place is taken. Clean: that was done, or what could not be is named.
asio::awaitable<LogsReader::Ending> LogsReader::read_to_end() {
    if (damaged_) co_return co_await read_damaged();
    if (place_.at_beginning() && facts_.log_driver == "json-file" && has_history() && !co_await serves_all())
        co_return co_await read_damaged();
    for (unsigned round = 0;; ++round) {
        auto ending = place_.at_beginning() ? co_await read_window(LogsPlace::How::hasty, std::nullopt, false)
                                            : co_await catch_up();
        if (ending == Ending::troubled) break;
        if (ending != Ending::clean || co_await is_at_end()) co_return ending;
        // Printed in between, perhaps.
        if (round > 0 && taken_ == 0) break;
        if (round >= rounds_max || suspects_.left(facts_.id)) co_return ending;
    }
    co_return co_await read_damaged();
}

// The first entries of an answer, of which nothing is taken.
asio::awaitable<LogsReader::Looked> LogsReader::look(std::optional<std::uint64_t> tail, std::uint64_t entries_max) {
    auto looked = co_await look_once(tail, entries_max);
    for (unsigned tries = 1; tries < tries_max && looked.ending == Ending::troubled && !looked.served(); ++tries)
        looked = co_await look_once(tail, entries_max);
    co_return looked;
}

asio::awaitable<LogsReader::Looked> LogsReader::peek(std::uint64_t tail) { return look(tail, 2); }

asio::awaitable<LogsReader::Looked> LogsReader::look_once(std::optional<std::uint64_t> tail,
                                                          std::uint64_t entries_max) {
    Looked looked;
    auto question = co_await suspects_.ask(facts_.id, false);
    if (suspects_.left(facts_.id)) {
        question.never_was();
        looked.ending = Ending::refused;
        co_return looked;
    }
    auto stream = co_await client_.logs(facts_.id, {.follow = false, .since = std::nullopt, .tail = tail});
    if (!stream) {
        looked.ending = end_of(question, stream.error());
        co_return looked;
    }
    using Splitter = engine::LogsLineSplitter;
    Splitter splitter{facts_.tty ? Splitter::Shape::terminal : Splitter::Shape::frames};
    bool trouble = false;
    bool kept = false;
    auto on_record = [&](const engine::LogsRecord& record) {
        if (record.part > 0) {
            // What is taken of an entry of several lines ends with its last one.
            if (kept && looked.entries < entries_max) looked.seen.back() = place_.seen(record);
            return;
        }
        if (looked.entries >= entries_max) return;
        kept = looked.entries++ % looked.stride == 0;
        if (!kept) return;
        looked.seen.push_back(place_.seen(record));
        if (looked.seen.size() < seen_max) return;
        for (std::size_t i = 0; 2 * i < looked.seen.size(); ++i) looked.seen[i] = looked.seen[2 * i];
        looked.seen.resize((looked.seen.size() + 1) / 2);
        looked.stride *= 2;
    };
    auto on_message = [&](std::string_view) { trouble = true; };
    for (;;) {
        auto bytes = co_await (*stream)->next();
        if (!bytes) {
            looked.ending = Ending::broken;
            co_return looked;
        }
        auto split =
            bytes->empty() ? splitter.end(on_record, on_message) : splitter.feed(*bytes, on_record, on_message);
        if (looked.entries >= entries_max) {
            question.dropped();
            co_return looked;
        }
        if (!split || trouble || bytes->empty()) {
            question.answered();
            looked.ending = !split || trouble ? Ending::troubled : Ending::clean;
            co_return looked;
        }
    }
}

asio::awaitable<bool> LogsReader::is_at_end() {
    // Asking for the log of one that removes itself can hold its removal up, and it has no earlier life to be damaged.
    if (facts_.auto_remove) co_return true;
    bool nothing_there = served_ == 0 && place_.at_beginning();
    auto end = co_await peek(1);
    if (end.ending == Ending::broken || end.ending == Ending::refused) co_return true;  // shows with the next question
    // Empty, or cut off; unless it begins and ends with what is broken.
    bool empty = nothing_there || (served_ == 0 && !place_.found());
    if (!end.served()) co_return end.ending == Ending::clean&& empty && !(co_await peek(2)).served();
    if (end.entries > 1) co_return true;  // an engine that does not know `tail`: nothing can be told
    if (!place_.is_latest(end.seen.front())) co_return false;
    // Known by the mark alone, while nothing led to it.
    if (place_.is_lost()) {
        damaged_ = true;
        readable_ = 1;
    }
    place_.note_latest(end.seen.front());
    co_return true;
}

// Whether a log of which nothing was taken is served without a hole. Of one that grows meanwhile that cannot be told.
asio::awaitable<bool> LogsReader::serves_all() {
    for (unsigned round = 0; round < rounds_max; ++round) {
        auto end_before = co_await peek(1);
        auto all = co_await look(std::nullopt, ~0ULL);
        if (all.ending == Ending::troubled) co_return false;
        if (all.ending != Ending::clean) co_return true;
        if (all.entries == 0) co_return !end_before.served() && !(co_await peek(2)).served();
        auto same = co_await peek(all.entries), longer = co_await peek(all.entries + 1);
        if (all.begins_as(same) && all.begins_as(longer)) co_return true;
        auto end = co_await peek(1);
        if (!life_.running || end.begins_as(end_before)) co_return false;
    }
    co_return true;
}

bool LogsReader::is_new(const Looked& looked) const {
    return !looked.served() || place_.at_beginning() || place_.is_later(looked.seen.front());
}

// The number of the log's first record, from its end.
asio::awaitable<std::uint64_t> LogsReader::first_of_all() {
    auto all = co_await peek(tail_max);
    std::uint64_t below = 0, at = 1;
    for (; at < tail_max; at *= 2) {
        auto one = co_await peek(at), longer = co_await peek(at + 1);
        if (all.begins_as(one) && all.begins_as(longer)) break;
        below = at;
    }
    if (at >= tail_max) co_return 0;
    while (at - below > 1) {
        auto middle = below + (at - below) / 2;
        auto one = co_await peek(middle), longer = co_await peek(middle + 1);
        (all.begins_as(one) && all.begins_as(longer) ? at : below) = middle;
    }
    co_return at;
}

// The number of the first record behind the place; 0: there is none.
asio::awaitable<std::uint64_t> LogsReader::first_new() {
    auto one = co_await peek(1);
    if (!is_new(one)) co_return 0;
    std::uint64_t is = 1, is_not = 2;
    for (; is_not < tail_max; is_not *= 2) {
        auto next = co_await peek(is_not);
        if (!is_new(next)) break;
        if (next.served() && next.begins_as(one)) co_return co_await first_of_all();
        one = next;
        is = is_not;
    }
    while (is_not - is > 1) {
        auto middle = is + (is_not - is) / 2;
        (is_new(co_await peek(middle)) ? is : is_not) = middle;
    }
    co_return is;
}

// Record `tail` is served, and nothing in its stead: what follows it is what the records behind it begin with, or at
// the first that does not, lies before it.
asio::awaitable<bool> LogsReader::is_readable(std::uint64_t tail) {
    auto here = co_await look(tail, chain_max);
    if (!here.served()) co_return false;
    for (std::uint64_t i = 1; i < chain_max && i < tail; ++i) {
        auto next = co_await peek(tail - i);
        if (i < here.seen.size() && next.served() && here.seen[i] == next.seen[0]) continue;
        co_return !next.served() || (here.seen[0] != next.seen[0] && here.seen[0].time <= next.seen[0].time);
    }
    co_return true;
}

// How many entries are served from record `tail` on before one is left out.
asio::awaitable<std::uint64_t> LogsReader::readable_from(std::uint64_t tail, std::uint64_t entries_max) {
    auto looked = co_await look(tail, entries_max);
    if (!looked.served()) co_return 0;
    expected_ = looked.seen.front();
    auto is_in_order = [&](std::uint64_t i) -> asio::awaitable<bool> {
        if (i * looked.stride >= tail) co_return false;
        auto there = co_await peek(tail - i * looked.stride);
        // A broken record may begin with the very entry that was served in its stead.
        bool same = there.served() && there.seen.front() == looked.seen[i];
        co_return same && (i == 0 || co_await is_readable(tail - i * looked.stride));
    };
    std::uint64_t is = 0, is_not = looked.seen.size();
    if (co_await is_in_order(is_not - 1)) co_return (is_not - 1) * looked.stride + 1;
    while (is_not - is > 1) {
        auto middle = is + (is_not - is) / 2;
        (co_await is_in_order(middle) ? is : is_not) = middle;
    }
    co_return is* looked.stride + 1;
}

// Record `at` is not the first one behind the place any more.
asio::awaitable<bool> LogsReader::is_stale(std::uint64_t at) {
    auto before = co_await peek(at + 1);
    co_return broken_records_ == 0 && before.served() && is_new(before) && before.seen.front() != expected_;
}

asio::awaitable<LogsReader::Ending> LogsReader::read_damaged() {
    if (!std::exchange(damaged_, true))
        log_.warning("the engine cannot serve all records of a container's log; it is read in stretches",
                     {{"container", facts_.id}});
    std::uint64_t at = 0, stretch_max = ~0ULL;
    for (unsigned fruitless = 0, stale = 0;;) {
        auto end = co_await peek(1);
        if (end.ending == Ending::broken || end.ending == Ending::refused) co_return end.ending;
        if (end.served() && place_.is_latest(end.seen.front())) {
            place_.note_latest(end.seen.front());
            readable_ = std::max<std::uint64_t>(readable_, 1);
            co_return Ending::clean;
        }
        if (at == 0) at = place_.at_beginning() ? co_await first_of_all() : co_await first_new();
        if (at == 0) {
            // There, and not what was taken last; nor can it be told from what was taken before.
            if (end.entries == 1) broken_records_ = 1;
            break;
        }
        if (fruitless >= tries_max || !co_await is_readable(at)) {
            // Many in a row are passed over faster and faster.
            auto step = std::min(at, 1 + (broken_records_ < broken_run_max ? 0 : broken_records_ / 8));
            broken_records_ += step;
            fruitless = 0;
            readable_ = 0;
            stretch_max = ~0ULL;
            if ((at -= step) == 0) break;
            continue;
        }
        auto count = co_await readable_from(at, stretch_max);
        if (count == 0) {
            ++fruitless;
            continue;
        }
        if (life_.running && co_await is_stale(at)) {
            // The log grew: records have other numbers by now.
            at = 0;
            if (++stale < tries_max) continue;
            co_return Ending::clean;  // not all of it: what was printed lately is not reached
        }
        auto was_readable = readable_;
        auto ending = co_await read_window(LogsPlace::How::behind, at, false, count);
        if (ending == Ending::broken || ending == Ending::refused) co_return ending;
        if (ending == Ending::lost) {
            at = 0;
            if (++stale < tries_max) continue;
            co_return Ending::clean;
        }
        fruitless = taken_ == 0 ? fruitless + 1 : 0;
        readable_ = std::max(was_readable, taken_);
        at -= std::min(at, taken_);
        // What is left of this stretch is looked at entry by entry.
        stretch_max = seen_max - 1;
    }
    tell_damage(clock_.now());
    co_return Ending::clean;
}

// What was broken is named once, and where it is: before the next line, or at the end.
void LogsReader::tell_damage(Timestamp to) {
    auto records = std::exchange(broken_records_, 0);
    if (records == 0 || place_.is_gap_told()) return;
    auto from = std::max(place_.last_time(), place_.at_beginning() ? facts_.created : Timestamp{});
    feed_->text().append(Gap{.from = from, .to = std::max(from, to), .reason = gap_unreadable, .lines_min = records});
    counters_.unreadable.add();
    place_.gap_told();
    feed_->mark(place_.position());
}

}  // namespace boatswain::intake::docker
