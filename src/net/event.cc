#include "net/event.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace boatswain::net {

namespace asio = boost::asio;

struct Event::State {
    explicit State(asio::any_io_executor executor) : timer(std::move(executor)) {}
    asio::steady_timer timer;
    bool notified = false;
};

Event::Event(asio::any_io_executor executor) : state_(std::make_unique<State>(std::move(executor))) {}
Event::~Event() = default;

void Event::notify() {
    state_->notified = true;
    state_->timer.cancel();
}

asio::awaitable<void> Event::wait() { return wait_for(std::chrono::hours{24 * 365}); }

asio::awaitable<void> Event::wait_for(std::chrono::milliseconds time) {
    if (!state_->notified) {
        state_->timer.expires_after(time);
        auto [code] = co_await state_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        (void)code;
        auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    }
    state_->notified = false;
}

asio::awaitable<void> sleep_for(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace boatswain::net
