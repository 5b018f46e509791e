// Reads one container by attaching to it: live bytes without times, that cannot be asked for again. One coroutine a
// container.
//
// A client that does not read freezes the container, so this one always reads: when there is no room for lines it drops
// them and says so in a gap record.
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
#include "intake/source/last_error.h"

namespace boatswain::intake {

class AttachReader {
  public:
    AttachReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
                 ContainerState& life, StreamCounters& counters, const Clock& clock, Log& log);
    boost::asio::awaitable<void> run();  // until the container is removed
    void end_reading();  // after run(), however it ended: takes what came without its newline, names what was dropped
    void change_feed(std::unique_ptr<batch::Feed> feed);
    void close(const End& end);  // after run(): with the closing record, if it was attached to the end
    const batch::Feed& feed() const { return *feed_; }
    const batch::Feed* open_feed() const { return feed_.get(); }  // nothing after close()
    const std::optional<LastError>& trouble() const { return last_error_; }

  private:
    boost::asio::awaitable<bool> read_once();
    boost::asio::awaitable<void> learn_whether_it_runs(Timestamp ended);
    void finish_pending();
    void take(Stream stream, std::string_view bytes);
    void take_line(Stream stream, std::string_view bytes, bool newline);

    engine::Client& client_;
    const engine::ContainerFacts facts_;
    std::unique_ptr<batch::Feed> feed_;
    std::string pending_[2];
    std::optional<Gap> overflow_;
    bool complete_ = false;                      // the engine ended the stream, not we or trouble
    std::optional<Timestamp> unattached_since_;  // it ran, and nobody was attached
    ContainerState& life_;
    StreamCounters& counters_;
    const Clock& clock_;
    Log& log_;
    std::optional<LastError> last_error_;
};

}  // namespace boatswain::intake
