// Threads for what blocks: stores, and the reading of segments. The I/O thread never waits for one of them.
//
// Invariants
//   - At most `threads` jobs run and at most `waiting_max` wait; one more is refused (Remedy::back_off), never queued.
//   - run() returns only when its job has ended or never began, so the job may refer to what its caller owns. A caller
//     that is cancelled asks its job to give up, and waits for it.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/result.h"
#include "net/task.h"

namespace boatswain::http {

// Owned by main; outlives every run(), and ends before the executor's context. Belongs to the I/O thread.
class Workers {
  public:
    using GivenUp = std::atomic<bool>;

    Workers(boost::asio::any_io_executor executor, std::size_t threads, std::size_t waiting_max);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // `job(given_up)` on a worker; what it returns, a Result, is returned. It looks at `given_up` now and then. What it
    // throws is thrown here.
    template <class Job, class Outcome = std::invoke_result_t<Job&, const GivenUp&>>
    boost::asio::awaitable<Outcome> run(Job job) {
        std::optional<Outcome> outcome;
        auto work = [&](const GivenUp& given_up) { outcome.emplace(job(given_up)); };
        auto ran = co_await run_job(work);
        if (!ran) co_return std::unexpected(std::move(ran).error());
        co_return std::move(*outcome);
    }

    std::size_t busy() const;     // jobs that run
    std::size_t waiting() const;  // jobs that wait for a worker

  private:
    struct State;
    net::Task<void> run_job(std::function<void(const GivenUp&)> job);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::http
