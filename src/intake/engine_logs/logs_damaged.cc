// What an answer of the engine that ended early left out (logs_reader.h).
//
// `tail=N` is found by counting records from the log's end, whatever is broken before it. So of a container that does
// not run, and whose log therefore stands still, the answer of N entries was whole exactly when `tail=N` begins with
// its first one, and nothing lies behind it exactly when `tail=1` is its last one. What lies behind a broken record is
// the longest `tail=N` of which all N entries are served.
#include <algorithm>

#include "engine/logs_line.h"
#include "intake/engine_logs/logs_reader.h"

namespace boatswain::intake {
namespace {

namespace asio = boost::asio;

// Counting costs the engine a look at each record. What was read in longer answers is not proven.
constexpr std::uint64_t counted_max = 1U << 16;
// So many entries behind a broken record are looked for.
constexpr std::uint64_t behind_max = 1U << 20;

}  // namespace

// The first `entries_max` entries of an answer, of which nothing is taken.
asio::awaitable<LogsReader::Look> LogsReader::look(std::uint64_t tail, std::uint64_t entries_max) {
    Look looked;
    auto question = co_await suspects_.ask(facts_.id, false);
    if (!question) co_return looked;
    auto stream = co_await client_.logs(facts_.id, {.follow = false, .since = std::nullopt, .tail = tail});
    if (!stream) {
        bool gone = is_refusal(stream.error(), *question);
        looked.ending = gone ? Ending::refused : Ending::broken;
        co_return looked;
    }
    engine::LogsLineSplitter splitter{engine::LogsLineSplitter::Shape::frames};
    bool troubled = false;
    auto on_record = [&](const engine::LogsRecord& record) {
        looked.last = place_.seen(record);
        looked.has_latest |= place_.is_latest(looked.last);
        if (record.part > 0) return;
        if (++looked.entries == 1) looked.first = looked.last;
    };
    auto on_message = [&](std::string_view) { troubled = true; };
    for (;;) {
        auto bytes = co_await (*stream)->next();
        if (!bytes) {
            looked.ending = Ending::broken;
            co_return looked;
        }
        auto split =
            bytes->empty() ? splitter.end(on_record, on_message) : splitter.feed(*bytes, on_record, on_message);
        troubled |= !split;
        if (!bytes->empty() && !troubled && looked.entries < entries_max) continue;
        question->harmless();
        looked.ending = troubled ? Ending::refused : Ending::clean;
        co_return looked;
    }
}

// After all was read of a container that does not run. False: it has to be read again.
asio::awaitable<bool> LogsReader::look_behind() {
    // A terminal's entries cannot be counted: a long line of it is one here, and several there. Asking for the log of a
    // container that removes itself can hold that up.
    if (facts_.tty || facts_.auto_remove || !repeats_) co_return true;
    auto starts = life_.starts;
    auto stands_still = [&] { return !life_.running && life_.starts == starts; };
    auto counted = std::exchange(counted_, 0);
    auto counted_from = counted_from_;
    auto end = co_await look(1, 2);
    if (end.ending == Ending::broken) co_return life_.removed;
    if (end.ending != Ending::clean || end.entries != 1 || !stands_still()) co_return true;
    if (!end.has_latest) co_return co_await pass_damage(end.last, starts);
    if (counted == 0 || counted > counted_max) co_return true;
    auto same = co_await look(counted, 1);
    if (same.ending == Ending::broken) co_return life_.removed;
    if (same.ending != Ending::clean || same.entries == 0 || same.first == counted_from || !stands_still())
        co_return true;
    tell_damage(counted_from.time);
    co_return true;
}

// The log goes on behind what was served of it, up to `end`.
asio::awaitable<bool> LogsReader::pass_damage(LogsPlace::Seen end, unsigned starts) {
    std::uint64_t readable = 1, beyond = 0;  // entries from the end, of which all are served, or not all
    while (beyond == 0 || beyond - readable > 1) {
        auto tail = beyond == 0 ? readable * 2 : readable + (beyond - readable) / 2;
        auto stretch = co_await look(tail, tail + 1);
        if (stretch.ending == Ending::broken) co_return life_.removed;
        // Written after it was read: no damage, and no gap.
        bool leads_to_the_end = stretch.has_latest && stretch.last == end;
        if (leads_to_the_end || life_.running || life_.starts != starts) co_return false;
        bool all = stretch.ending == Ending::clean && stretch.entries == tail;
        (all ? readable : beyond) = tail;
        if (beyond == 0 && readable >= behind_max) break;
    }
    auto ending = co_await read_window(LogsPlace::How::behind, readable, false);
    counted_ = 0;
    if (ending != Ending::clean) co_return life_.removed;
    last_error_ = {.when = clock_.now(), .what = "the engine cannot serve all of this log: a part of it is damaged"};
    log_.warning("the engine cannot serve all of a log: what is missing is named by a gap record",
                 {{"container", facts_.id}, {"read_behind", readable}});
    co_return true;
}

Timestamp LogsReader::last_time() const { return std::max({taken().out, taken().err, facts_.created}); }

// Entries between those that were taken since `from`.
void LogsReader::tell_damage(Timestamp from) {
    last_error_ = {.when = clock_.now(), .what = "the engine cannot serve all of this log: a part of it is damaged"};
    log_.warning("the engine left out a part of a log, which is named by a gap record", {{"container", facts_.id}});
    finish_pending();
    feed_->append(Gap{.from = from, .to = std::max(from, last_time()), .reason = gap_unreadable});
    feed_->mark(place_.position());
}

}  // namespace boatswain::intake
