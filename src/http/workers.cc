#include "http/workers.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "net/error.h"
#include "net/event.h"

namespace boatswain::http {

namespace asio = boost::asio;

namespace {

// Shared by its caller and the worker that runs it.
struct Work {
    Work(const asio::any_io_executor& executor, std::function<void(const Workers::GivenUp&)> what)
        : job(std::move(what)), ended(executor) {}
    std::function<void(const Workers::GivenUp&)> job;
    Workers::GivenUp given_up = false;
    std::exception_ptr failure;  // set before `ended`
    net::Event ended;            // of the I/O thread
    bool is_over = false;        // of the I/O thread
};

}  // namespace

struct Workers::State {
    State(asio::any_io_executor on, std::size_t most) : executor(std::move(on)), waiting_max(most) {}

    void work() {
        for (std::unique_lock lock{guard};;) {
            change.wait(lock, [this] { return ending || !queue.empty(); });
            if (queue.empty()) return;
            auto work = std::move(queue.front());
            queue.pop_front();
            ++busy;
            lock.unlock();
            try {
                work->job(work->given_up);
            } catch (...) {
                work->failure = std::current_exception();
            }
            lock.lock();
            --busy;
            // It ends on the I/O thread, whose timer it holds: nothing of it is left here.
            asio::post(executor, [ended = std::move(work)] {
                ended->is_over = true;
                ended->ended.notify();
            });
        }
    }
    // Nobody has begun it: it never will be.
    bool take_back(const std::shared_ptr<Work>& work) {
        std::lock_guard lock{guard};
        return std::erase(queue, work) > 0;
    }

    asio::any_io_executor executor;
    const std::size_t waiting_max;
    mutable std::mutex guard;  // of what follows
    std::condition_variable change;
    std::deque<std::shared_ptr<Work>> queue;
    std::size_t busy = 0;
    bool ending = false;
    std::vector<std::thread> threads;  // of the I/O thread
};

Workers::Workers(asio::any_io_executor executor, std::size_t threads, std::size_t waiting_max)
    : state_(std::make_unique<State>(std::move(executor), waiting_max)) {
    for (std::size_t i = 0; i < threads; ++i) state_->threads.emplace_back([state = state_.get()] { state->work(); });
}

Workers::~Workers() {
    {
        std::lock_guard lock{state_->guard};
        state_->ending = true;
    }
    state_->change.notify_all();
    for (auto& thread : state_->threads) thread.join();
}

net::Task<void> Workers::run_job(std::function<void(const GivenUp&)> job) {
    auto work = std::make_shared<Work>(state_->executor, std::move(job));
    {
        std::lock_guard lock{state_->guard};
        if (state_->queue.size() >= state_->waiting_max + (state_->threads.size() - state_->busy))
            co_return fail(Remedy::back_off, "too many jobs wait");
        state_->queue.push_back(work);
    }
    state_->change.notify_one();
    bool cancelled = false;
    try {
        while (!work->is_over) co_await work->ended.wait();
    } catch (const boost::system::system_error&) {
        cancelled = true;  // cannot wait in here
    }
    if (cancelled) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        work->given_up = true;
        if (!state_->take_back(work))
            while (!work->is_over) co_await work->ended.wait();
        co_return net::fail_with(asio::error::operation_aborted, "work");
    }
    if (work->failure) std::rethrow_exception(work->failure);
    co_return Result<void>{};
}

std::size_t Workers::busy() const {
    std::lock_guard lock{state_->guard};
    return state_->busy;
}

std::size_t Workers::waiting() const {
    std::lock_guard lock{state_->guard};
    return state_->queue.size();
}

}  // namespace boatswain::http
