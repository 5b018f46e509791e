// Turns of tenants: so many questions of one run at a time, some more wait for their turn, and none waits for another
// tenant's.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "net/event.h"
#include "net/task.h"
#include "record/source.h"

namespace boatswain::api {

class Turns {
  public:
    // `waiting_max`: of one tenant.
    Turns(boost::asio::any_io_executor executor, std::size_t waiting_max)
        : executor_(std::move(executor)), waiting_max_(waiting_max) {}
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;

    // Given back when it ends; must not outlive the Turns.
    class Turn {
      public:
        Turn(Turns& turns, TenantId tenant) : turns_(&turns), tenant_(std::move(tenant)) {}
        Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), tenant_(std::move(other.tenant_)) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (turns_ != nullptr) turns_->give_back(tenant_);
        }

      private:
        Turns* turns_;
        TenantId tenant_;
    };

    // Waits, in the order of asking, while `running_max` of this tenant run; may be cancelled. Nothing: as many wait
    // already as may.
    net::Task<std::optional<Turn>> take(TenantId tenant, std::size_t running_max);

  private:
    struct Waiter {
        explicit Waiter(const boost::asio::any_io_executor& executor) : called(executor) {}
        net::Event called;
        bool is_called = false;  // the turn of somebody who ended is its own
    };
    struct Tenant {
        std::size_t running = 0;
        std::deque<Waiter*> waiting;
    };
    void give_back(const TenantId& tenant);

    boost::asio::any_io_executor executor_;
    const std::size_t waiting_max_;
    std::map<TenantId, Tenant> tenants_;  // with a question
};

}  // namespace boatswain::api
