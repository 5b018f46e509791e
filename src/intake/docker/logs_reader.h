// Reads one container through the engine's GET /logs: lines with times, that can be asked for again. One coroutine a
// container.
//
// Which of the entries that the engine serves are new, logs_place.h decides. A place is found again from the end of the
// log, by `tail`; then the stream is followed from there. At its end the log is read once more without following,
// because the engine may end a follow stream before its last lines.
//
// The end of an answer is not the end of the log. Where a record of it is broken (zeros after a power cut), Docker ends
// its answer there, as if that were all (20.10, 28), or reports trouble (26); 20.10 may also leave out some hundred
// entries and go on. So at the end of what is not followed the last entry is asked for, which the engine reads from the
// log's end. Where that is not the one that was taken last, the log is damaged, and is read in stretches that begin
// behind what is broken (logs_damaged.cc).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "batch/batcher.h"
#include "engine/client.h"
#include "intake/docker/life.h"
#include "intake/docker/logs_place.h"
#include "intake/docker/piece_joiner.h"
#include "intake/docker/suspects.h"
#include "intake/docker/trouble.h"
#include "record/position.h"

namespace boatswain::intake::docker {

class LogsReader {
  public:
    LogsReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
               TimePosition start, Life& life, StreamCounters& counters, Suspects& suspects, const Clock& clock,
               Log& log);
    boost::asio::awaitable<void> run();  // until the container is removed and read
    void change_feed(std::unique_ptr<batch::Feed> feed);
    void close(const End& end);  // after run(): with the closing record, if all was read
    void put_down();             // a few times a second: Feed::should_put_down
    // Nothing more is read: run() was cancelled. What is taken is in it, up to taken().
    std::unique_ptr<batch::Feed> take_feed() { return std::move(feed_); }
    const batch::Feed& feed() const { return *feed_; }
    const batch::Feed* open_feed() const { return feed_.get(); }  // nothing after close()
    const TimePosition& taken() const { return place_.position(); }
    // The engine will not serve this log, for good: trouble() says why.
    bool refused() const { return refused_; }
    const std::optional<Trouble>& trouble() const { return trouble_; }

  private:
    enum class Ending {
        clean,     // by the engine, as it should
        broken,    // try again
        troubled,  // the engine is there, and says that something is wrong with this log
        refused,   // the engine will not serve this log
        lost,      // the place was not in the answer, or has to be looked for again
    };
    static Ending end_of(Suspects::Question& question, const Error& error);
    boost::asio::awaitable<Ending> read_once(bool follow);
    boost::asio::awaitable<Ending> read_to_end();
    bool has_history() const;
    boost::asio::awaitable<Ending> catch_up();
    // Takes at most `taken_max` entries.
    boost::asio::awaitable<Ending> read_window(LogsPlace::How how, std::optional<std::uint64_t> tail, bool follow,
                                               std::uint64_t taken_max = ~0ULL);
    void leave_alone();

    // Of a damaged log (logs_damaged.cc). A place in it is counted from its end: the `tail` that begins there.
    struct Looked {  // at an answer, of which nothing is taken
        Ending ending = Ending::clean;
        std::uint64_t entries = 0;
        std::vector<LogsPlace::Seen> seen;  // every stride-th of them
        std::uint64_t stride = 1;
        bool served() const { return !seen.empty(); }
        // The same beginning: nothing, or the same entry.
        bool begins_as(const Looked& other) const;
    };
    boost::asio::awaitable<Looked> look(std::optional<std::uint64_t> tail, std::uint64_t entries_max);
    boost::asio::awaitable<Looked> look_once(std::optional<std::uint64_t> tail, std::uint64_t entries_max);
    boost::asio::awaitable<Looked> peek(std::uint64_t tail);  // at its first two entries
    boost::asio::awaitable<bool> is_at_end();
    boost::asio::awaitable<bool> serves_all();
    boost::asio::awaitable<Ending> read_damaged();
    boost::asio::awaitable<std::uint64_t> first_new();
    boost::asio::awaitable<std::uint64_t> first_of_all();
    boost::asio::awaitable<bool> is_readable(std::uint64_t tail);
    boost::asio::awaitable<std::uint64_t> readable_from(std::uint64_t tail, std::uint64_t entries_max);
    boost::asio::awaitable<bool> is_stale(std::uint64_t at);
    bool is_new(const Looked& looked) const;
    void tell_damage(Timestamp to);
    boost::asio::awaitable<void> wait_for_room();
    LogsPlace::Verdict take(const engine::LogsRecord& record);
    void tell_clock_steps();
    void finish_pending();

    engine::Client& client_;
    const engine::ContainerFacts facts_;
    std::unique_ptr<batch::Feed> feed_;
    LogsPlace place_;
    PieceJoiner joiner_;
    segment::FrameText replayed_;  // what is joined again of lines that were taken: goes nowhere
    std::uint64_t follow_tail_;    // entries that a followed stream begins with, so that the place is among them
    std::uint64_t clock_steps_told_ = 0;
    bool complete_ = false;  // the log was read to its end, after the container had stopped
    Life& life_;
    StreamCounters& counters_;
    Suspects& suspects_;
    const Clock& clock_;
    Log& log_;
    std::optional<Trouble> trouble_;
    bool refused_ = false;

    std::uint64_t taken_ = 0;           // entries of the answer at hand
    std::uint64_t served_ = 0;          // likewise, taken or not
    bool damaged_ = false;              // records of the log cannot be served
    std::uint64_t readable_ = 0;        // damaged: so many entries at the end can
    std::uint64_t broken_records_ = 0;  // behind the place, not named yet
    LogsPlace::Seen expected_;          // damaged: with which the next stretch begins
};

}  // namespace boatswain::intake::docker
