#include "api/turns.h"

#include <deque>
#include <map>
#include <utility>

#include "net/event.h"

namespace boatswain::api {
namespace {

struct Waiter {
    explicit Waiter(const boost::asio::any_io_executor& executor) : called(executor) {}
    net::Event called;
    bool is_called = false;  // the turn of somebody who ended is its own
};

}  // namespace

struct Turns::State {
    struct Tenant {
        std::size_t running = 0;
        std::deque<Waiter*> waiting;
    };
    std::map<TenantId, Tenant> tenants;  // with a question

    void give_back(const TenantId& tenant) {
        auto at = tenants.find(tenant);
        auto& mine = at->second;
        if (!mine.waiting.empty()) {
            auto* next = mine.waiting.front();
            mine.waiting.pop_front();
            next->is_called = true;
            next->called.notify();
        } else if (--mine.running == 0) {
            tenants.erase(at);
        }
    }
};

Turns::Turns(boost::asio::any_io_executor executor, std::size_t waiting_max)
    : executor_(std::move(executor)), waiting_max_(waiting_max), state_(std::make_shared<State>()) {}

Turns::Turn::~Turn() {
    if (state_) state_->give_back(tenant_);
}

net::Task<std::optional<Turns::Turn>> Turns::take(TenantId tenant, std::size_t running_max) {
    if (running_max == 0) co_return std::nullopt;
    auto state = state_;
    auto& mine = state->tenants[tenant];
    if (mine.running < running_max && mine.waiting.empty()) {
        ++mine.running;
        co_return Turn{std::move(state), std::move(tenant)};
    }
    if (mine.waiting.size() >= waiting_max_) co_return std::nullopt;
    Waiter waiter{executor_};
    mine.waiting.push_back(&waiter);
    // Who is cancelled leaves the line, and hands on a turn that was already given.
    auto leave = [&](Waiter* leaving) {
        if (leaving->is_called) return state->give_back(tenant);
        std::erase(state->tenants.at(tenant).waiting, leaving);
    };
    std::unique_ptr<Waiter, decltype(leave)> in_line{&waiter, leave};
    while (!waiter.is_called) co_await waiter.called.wait();
    (void)in_line.release();
    co_return Turn{std::move(state), std::move(tenant)};
}

}  // namespace boatswain::api
