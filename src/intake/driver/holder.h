// The holder: Docker's log-driver plugin, and what takes the engine's frames out of the FIFOs into holds (hold.h).
//
// It decides nothing about lines and needs neither agent nor spool nor store: as long as it runs, containers start and
// print, until what it holds reaches its bounds. Runs inside the agent, or as a process of its own (`boatswaind
// driver`) that an upgrade of the agent does not touch (docs/decisions/0009). After any restart it goes on from the
// directory of holds: the engine does not tell again what it has told.
//
// Bounds. A container whose hold has no room is not read for: its FIFO fills, a MiB more in the engine, then the
// container's writes wait. After block_max its lines are dropped, counted, and named by a gap record, until there is
// room (holding.h, room.h).
//
// Belongs to one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/container.h"
#include "intake/driver/hold_lock.h"
#include "intake/driver/plugin_request.h"
#include "net/connection.h"

namespace boatswain::intake::driver {

struct HolderOptions {
    Path socket;                            // where the engine looks for the plugin
    Path hold_dir;                          // in memory (check_in_memory)
    std::uint64_t hold_bytes = 32U << 20;   // of one container, with its holds of runs that ended
    std::uint64_t hold_total = 256U << 20;  // of all; room.h says how it is shared
    std::chrono::nanoseconds block_max{std::chrono::seconds{5}};
    std::size_t ring_bytes = 0;  // for `docker logs`, of one container; 0: off
};

// What becomes of a container that must not run without a key.
struct KeyAnswer {
    enum class Is { yes, no, not_yet } is = Is::no;
    std::string reason;  // of no, a sentence for whoever starts the container
};

// What the holder asks of rules and keyring.
struct HolderAsks {
    WordFilter kept;  // of a container's environment and labels
    std::function<KeyAnswer(const SourceFacts&)> key_for;
    // room.h. Nothing while it is not known, because the engine is being asked about the image: asked again then.
    std::function<std::optional<std::string>(const SourceFacts&)> share_for;
};

class Holder {
  public:
    // `lock`: of options.hold_dir; `bound`: what PluginServer::bind() gave for it.
    static Result<std::unique_ptr<Holder>> open(boost::asio::any_io_executor executor, HolderOptions options,
                                                HolderAsks asks, const Clock& clock, Log& log, HoldLock lock,
                                                std::unique_ptr<net::Listener> bound);
    ~Holder();
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    // Until cancelled. What is in the FIFOs then stays there, the socket's file too: the engine tries again for 30 s.
    boost::asio::awaitable<void> run();
    // Names of tasks that ended by a fault of ours: only a new start brings them back.
    const std::vector<std::string>& ended_tasks() const;

  private:
    struct State;
    explicit Holder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::intake::driver
