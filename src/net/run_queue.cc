#include "net/run_queue.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace boatswain::net {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds room_pause{100};

}  // namespace

RunQueue::RunQueue(asio::any_io_executor executor, std::function<Turn(const std::string& id)> take)
    : take_(std::move(take)), work_(std::move(executor)) {}

void RunQueue::ready(const std::string& id) {
    ready_.insert(id);
    work_.notify();
}

asio::awaitable<void> RunQueue::run() {
    auto executor = co_await asio::this_coro::executor;
    for (;;) {
        if (ready_.empty()) co_await work_.wait();
        bool worked = false;
        for (const auto& id : std::exchange(ready_, {})) {
            auto turn = take_(id);
            worked = worked || turn == Turn::worked;
            if (turn != Turn::done) ready_.insert(id);
            co_await asio::post(executor, asio::use_awaitable);
        }
        if (!worked && !ready_.empty()) co_await work_.wait_for(room_pause);
    }
}

void RunQueue::run_rest(const std::function<bool()>& in_time) {
    while (!ready_.empty() && in_time()) {
        bool worked = false;
        for (const auto& id : std::exchange(ready_, {})) {
            auto turn = take_(id);
            worked = worked || turn == Turn::worked;
            if (turn == Turn::worked) ready_.insert(id);
        }
        if (!worked) return;
    }
}

}  // namespace boatswain::net
