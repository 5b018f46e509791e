// Turns of tenants: so many questions of one run at a time, some more wait for their turn, and none waits for another
// tenant's.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "net/task.h"
#include "record/source.h"

namespace boatswain::api {

class Turns {
    struct State;

  public:
    // `waiting_max`: of one tenant.
    Turns(boost::asio::any_io_executor executor, std::size_t waiting_max);

    // Given back when it ends; may outlive the Turns, as coroutines that nobody resumes do.
    class Turn {
      public:
        Turn(std::shared_ptr<State> state, TenantId tenant) : state_(std::move(state)), tenant_(std::move(tenant)) {}
        Turn(Turn&& other) = default;
        Turn& operator=(Turn&&) = delete;
        ~Turn();

      private:
        std::shared_ptr<State> state_;
        TenantId tenant_;
    };

    // Waits, in the order of asking, while `running_max` of this tenant run; may be cancelled. Nothing: as many wait
    // already as may.
    net::Task<std::optional<Turn>> take(TenantId tenant, std::size_t running_max);

  private:
    boost::asio::any_io_executor executor_;
    const std::size_t waiting_max_;
    std::shared_ptr<State> state_;
};

}  // namespace boatswain::api
