// Reads one container through the engine's GET /logs: lines with times, that can be asked for again. One coroutine a
// container.
//
// Which of the entries that the engine serves are new, logs_place.h decides. A place is found again from the end of the
// log, by `tail`; then the stream is followed from there. At its end the log is read once more without following,
// because the engine may end a follow stream before its last lines. Nor is the end of that answer the end of the log: a
// broken record ends it, too (logs_damaged.cc).
//
// What the engine does not serve now, it may serve later: a log that it refuses, that ends while its container runs, or
// in which it reports trouble, is asked for again, after a pause that doubles up to a bound as long as nothing new
// comes.
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
#include "intake/engine_logs/container_state.h"
#include "intake/engine_logs/logs_place.h"
#include "intake/engine_logs/suspects.h"
#include "intake/source/last_error.h"
#include "intake/source/piece_joiner.h"
#include "record/position.h"

namespace boatswain::intake {

class LogsReader {
  public:
    LogsReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
               TimePosition start, ContainerState& life, StreamCounters& counters, Suspects& suspects,
               const Clock& clock, Log& log);
    boost::asio::awaitable<void> run();  // until the container is removed and read
    void change_feed(std::unique_ptr<batch::Feed> feed);
    void close(const End& end);  // after run(): with the closing record, if all was read
    void put_down();             // a few times a second: Feed::should_put_down
    // After run() was cancelled: what is taken is in it, up to taken().
    std::unique_ptr<batch::Feed> take_feed();
    const batch::Feed& feed() const { return *feed_; }
    const batch::Feed* open_feed() const { return feed_.get(); }  // nothing after close()
    const TimePosition& taken() const { return place_.position(); }
    // The engine does not serve this log: trouble() says why.
    bool refused() const { return refused_; }
    const std::optional<LastError>& trouble() const { return last_error_; }

    // Of what is not served: the first pause (of a refused log named_pause_min), and the longest ones.
    static constexpr std::chrono::milliseconds unserved_pause_min{200};
    static constexpr std::chrono::milliseconds refused_pause_max{std::chrono::minutes{10}};
    static constexpr std::chrono::milliseconds damaged_pause_max{std::chrono::minutes{1}};
    // Pauses of this length and longer are named, and logged once. Shorter ones end when there is room, too.
    static constexpr std::chrono::milliseconds named_pause_min{1'000};

  private:
    enum class Ending {
        clean,     // by the engine, as it should
        broken,    // try again
        refused,   // the engine will not serve this log
        troubled,  // the engine reports trouble in its answer, or what it says is not understood
        lost,      // the place was not in the answer, or has to be looked for again
    };
    boost::asio::awaitable<Ending> read_once(bool follow);
    boost::asio::awaitable<Ending> catch_up();
    boost::asio::awaitable<Ending> read_window(LogsPlace::How how, std::optional<std::uint64_t> tail, bool follow);
    // Whether the engine will not serve this log; otherwise it may later.
    static bool is_refusal(const Error& error, Suspects::Question& question);
    struct Look {  // at the first entries of an answer
        Ending ending = Ending::refused;
        std::uint64_t entries = 0;
        LogsPlace::Seen first, last;
        bool has_latest = false;  // the last entry that was taken
    };
    boost::asio::awaitable<Look> look(std::uint64_t tail, std::uint64_t entries_max);
    boost::asio::awaitable<bool> look_behind();
    boost::asio::awaitable<bool> pass_damage(LogsPlace::Seen end, unsigned starts);
    void tell_damage(Timestamp from);
    Timestamp last_time() const;
    boost::asio::awaitable<void> wait_for_room();
    boost::asio::awaitable<void> wait_to_ask_again(unsigned starts, std::chrono::milliseconds longest, std::string why);
    boost::asio::awaitable<void> wait_for_start(unsigned starts);
    bool is_news() const { return unserved_pause_ < named_pause_min; }  // that something is not served
    LogsPlace::Verdict take(const engine::LogsRecord& record);
    void tell_clock_steps();
    void finish_pending();
    void leave_alone();

    engine::Client& client_;
    const engine::ContainerFacts facts_;
    std::unique_ptr<batch::Feed> feed_;
    LogsPlace place_;
    PieceJoiner joiner_;
    segment::FrameText replayed_;  // what is joined again of lines that were taken: goes nowhere
    std::uint64_t follow_tail_;    // entries that a followed stream begins with, so that the place is among them
    std::uint64_t clock_steps_told_ = 0;
    bool complete_ = false;  // the log was read to its end, after the container had stopped
    ContainerState& life_;
    StreamCounters& counters_;
    Suspects& suspects_;
    const Clock& clock_;
    Log& log_;
    std::optional<LastError> last_error_;
    bool refused_ = false;
    std::chrono::milliseconds unserved_pause_ = unserved_pause_min;  // the next one
    std::uint64_t taken_entries_ = 0;                                // ever
    std::string unserved_;                                           // the engine's words when it refused last
    const bool repeats_;                                             // LogsPlace
    std::uint64_t counted_ = 0;  // entries that were taken of the last answer, which was not followed
    LogsPlace::Seen counted_from_;
};

}  // namespace boatswain::intake
