#include "api/turns.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace boatswain::api {

net::Task<std::optional<Turns::Turn>> Turns::take(TenantId tenant, std::size_t running_max) {
    if (running_max == 0) co_return std::nullopt;
    auto& mine = tenants_[tenant];
    if (mine.running < running_max && mine.waiting.empty()) {
        ++mine.running;
        co_return Turn{*this, std::move(tenant)};
    }
    if (mine.waiting.size() >= waiting_max_) co_return std::nullopt;
    Waiter waiter{executor_};
    mine.waiting.push_back(&waiter);
    // Who is cancelled leaves the line, and hands on a turn that was already given.
    auto leave = [&](Waiter* leaving) {
        if (leaving->is_called) return give_back(tenant);
        std::erase(tenants_.at(tenant).waiting, leaving);
    };
    std::unique_ptr<Waiter, decltype(leave)> in_line{&waiter, leave};
    while (!waiter.is_called) co_await waiter.called.wait();
    (void)in_line.release();
    co_return Turn{*this, std::move(tenant)};
}

void Turns::give_back(const TenantId& tenant) {
    auto at = tenants_.find(tenant);
    auto& mine = at->second;
    if (!mine.waiting.empty()) {
        auto* next = mine.waiting.front();
        mine.waiting.pop_front();
        next->is_called = true;
        next->called.notify();
    } else if (--mine.running == 0) {
        tenants_.erase(at);
    }
}

}  // namespace boatswain::api
