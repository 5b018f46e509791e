// The shell that agent, log driver and guard share: it obeys signals, talks to the service manager, runs tasks on one
// thread, and ends when a part that it cannot do without has ended.
//
//   signals, descriptors -> build() -> tasks of start() -> "READY=1" -> the loop -> shut_down()
//
// SIGTERM or SIGINT ends the loop by cancelling every task; a second one ends the process at once. SIGHUP reads the
// configuration again and hands it to take_over(). Everything happens on the thread that calls run().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "boatswaind/notify.h"
#include "boatswaind/signals.h"
#include "config/config.h"
#include "net/task_group.h"
#include "sandbox/broker.h"

namespace boatswain::boatswaind {

// Gives the configuration again, as it was given at the start: file, environment and flags.
using Reload = std::function<Result<config::Config>()>;

class Daemon {
  public:
    // Blocks the signals (Signals::block()), so it is made before the first thread. `reload` outlives it.
    Daemon(config::Config config, const Reload& reload);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    virtual ~Daemon() = default;

    // Returns when it was told to end. An error says why it could not start, or why it ended untold.
    Result<void> run();

  protected:
    // Everything that can fail at a start, confinement included. `broker_` is set here, if there is one.
    virtual Result<void> build() = 0;
    virtual void start(net::TaskGroup& tasks) = 0;
    // What the configuration says now. An error leaves everything as it was, and is logged.
    virtual Result<void> take_over(const config::Config& fresh) = 0;
    // Behind the last task.
    virtual void shut_down() = 0;

    // Ends the daemon untold, so that whoever watches it starts another one.
    void end_untold(Error why);

    config::Config config_;
    SystemClock clock_;
    Log log_;
    Metrics metrics_;
    boost::asio::io_context io_{1};
    std::optional<sandbox::Broker> broker_;  // connects to the engine for a confined process
    std::optional<net::TaskGroup> tasks_;    // from start() on
    std::optional<Error> failure_;

  private:
    boost::asio::awaitable<void> obey_signals();
    boost::asio::awaitable<void> watch_broker();
    void reload();
    void notify_ready();
    void notify_stopping();

    const Reload& reload_;
    std::unique_ptr<Signals> signals_;  // those that came since this was made are obeyed, too
    LaterNotice ready_notice_;          // opened before no unix socket can be opened any more
};

}  // namespace boatswain::boatswaind
