#include "boatswaind/daemon.h"

#include <unistd.h>

#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/descriptor_limit.h"
#include "boatswaind/by_broker.h"

namespace boatswain::boatswaind {

namespace asio = boost::asio;

Daemon::Daemon(config::Config config, const Reload& reload)
    : config_(std::move(config)), log_(clock_, STDERR_FILENO, config_.log.format, config_.log.level), reload_(reload) {
    Signals::block();
}

Result<void> Daemon::run() {
    TRY(signals_, Signals::open(io_.get_executor()));
    raise_descriptor_limit();
    if (auto notice = LaterNotice::open()) ready_notice_ = std::move(*notice);
    CHECK(build());
    tasks_.emplace(io_.get_executor(), log_);
    tasks_->spawn("obey signals", obey_signals());
    if (broker_) tasks_->spawn("watch the broker", watch_broker());
    start(*tasks_);
    notify_ready();
    io_.run();
    shut_down();
    tasks_.reset();
    if (failure_) return std::unexpected(std::move(*failure_));
    return {};
}

void Daemon::end_untold(Error why) {
    failure_ = std::move(why);
    tasks_->cancel();
}

asio::awaitable<void> Daemon::obey_signals() {
    for (;;) {
        auto order = co_await signals_->next();
        if (order.reload) {
            reload();
            continue;
        }
        notify_stopping();
        log_.info("told to end", {{"signal", order.to_end == SIGTERM ? "SIGTERM" : "SIGINT"}});
        let_second_signal_end();
        tasks_->cancel();
        co_return;
    }
}

void Daemon::reload() {
    auto fresh = reload_();
    auto taken = fresh ? take_over(*fresh) : Result<void>{std::unexpected(fresh.error())};
    if (!taken) log_.error("configuration not taken over; the old one stays", {{"error", taken.error()}});
}

// Started again, it has one.
asio::awaitable<void> Daemon::watch_broker() {
    co_await wait_for_end(*broker_);
    log_.error(std::string{broker_ended} + "; this process ends, to be started again");
    end_untold({.remedy = Remedy::stop, .what = broker_ended, .cause = {}});
}

void Daemon::notify_ready() {
    if (auto told = ready_notice_.send("READY=1"); !told)
        log_.warning("service manager not told", {{"error", told.error()}});
}

// By the broker where there is one: we may open no unix socket then.
void Daemon::notify_stopping() {
    constexpr std::string_view stopping = "STOPPING=1";
    if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
    if (auto told = broker_ ? broker_->notify(stopping) : notify_manager(stopping); !told)
        log_.warning("service manager not told", {{"error", told.error()}});
}

}  // namespace boatswain::boatswaind
