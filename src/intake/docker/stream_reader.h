// Reads one container through the engine: GET /logs, or attach. One coroutine a container.
//
// LogsReader   lines with times, that can be asked for again: what is not later than the last line of its stream was
// taken
//              before and is dropped (the engine repeats lines at each rotation). At the end of the stream it reads
//              once more without following, because the engine may end a follow stream before its last lines.
// AttachReader live bytes without times, that cannot be asked for again. A client that does not read freezes the
// container, so
//              this one always reads: when there is no room for lines it drops them and says so in a gap record.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "engine/client.h"
#include "intake/docker/piece_joiner.h"
#include "intake/docker/trouble.h"
#include "net/event.h"
#include "record/position.h"

namespace boatswain::intake::docker {

// How a container stands, told by discovery to the coroutine that reads it.
struct Life {
    explicit Life(boost::asio::any_io_executor executor) : changed(std::move(executor)) {}
    bool running = false;
    bool removed = false;
    net::Event changed;  // also notified when there is room again
};

struct StreamCounters {
    Counter& repeated;         // lines that the engine served again, dropped
    Counter& engine_messages;  // messages of the engine inside a log stream
    Counter& dropped_bytes;    // attach: for want of room, named by gap records
    Counter& errors;           // requests that failed
    explicit StreamCounters(Metrics& metrics);
};

class LogsReader {
  public:
    LogsReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
               TimePosition start, Life& life, StreamCounters& counters, const Clock& clock, Log& log);
    boost::asio::awaitable<void> run();  // until the container is removed and read
    void change_feed(std::unique_ptr<batch::Feed> feed);
    void close(const End& end);  // after run(): with the closing record, if all was read
    const batch::Feed& feed() const { return *feed_; }
    const batch::Feed* open_feed() const { return feed_.get(); }  // nothing after close()
    const TimePosition& taken() const { return taken_; }
    // The engine will not serve this log, for good: trouble() says why.
    bool refused() const { return refused_; }
    const std::optional<Trouble>& trouble() const { return trouble_; }

  private:
    enum class Ending { clean, broken, refused };
    boost::asio::awaitable<Ending> read_once(bool follow);
    boost::asio::awaitable<void> wait_for_room();
    void take(Stream stream, Timestamp time, std::string_view bytes, bool newline);
    void finish_pending();
    Timestamp& last(Stream stream) { return stream == Stream::out ? taken_.out : taken_.err; }

    engine::Client& client_;
    const engine::ContainerFacts facts_;
    std::unique_ptr<batch::Feed> feed_;
    TimePosition taken_;  // per stream, the time of the last line taken
    Timestamp pending_time_[2] = {};
    PieceJoiner joiner_;
    bool complete_ = false;  // the log was read to its end, after the container had stopped
    Life& life_;
    StreamCounters& counters_;
    const Clock& clock_;
    Log& log_;
    std::optional<Trouble> trouble_;
    bool refused_ = false;
};

class AttachReader {
  public:
    AttachReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed, Life& life,
                 StreamCounters& counters, const Clock& clock, Log& log);
    boost::asio::awaitable<void> run();  // until the container is removed
    void finish_pending();               // after run(), however it ended: what came without its newline
    void change_feed(std::unique_ptr<batch::Feed> feed);
    void close(const End& end);  // after run(): with the closing record, if it was attached to the end
    const batch::Feed& feed() const { return *feed_; }
    const batch::Feed* open_feed() const { return feed_.get(); }  // nothing after close()
    const std::optional<Trouble>& trouble() const { return trouble_; }

  private:
    boost::asio::awaitable<bool> read_once();
    boost::asio::awaitable<void> learn_whether_it_runs(Timestamp ended);
    void take(Stream stream, std::string_view bytes);
    void take_line(Stream stream, std::string_view bytes, bool newline);

    engine::Client& client_;
    const engine::ContainerFacts facts_;
    std::unique_ptr<batch::Feed> feed_;
    std::string pending_[2];
    std::optional<Gap> overflow_;
    bool complete_ = false;                      // the engine ended the stream, not we or trouble
    std::optional<Timestamp> unattached_since_;  // it ran, and nobody was attached
    Life& life_;
    StreamCounters& counters_;
    const Clock& clock_;
    Log& log_;
    std::optional<Trouble> trouble_;
};

}  // namespace boatswain::intake::docker
