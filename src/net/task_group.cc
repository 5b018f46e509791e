#include "net/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <exception>
#include <list>

#include "net/event.h"

namespace boatswain::net {

namespace asio = boost::asio;

struct TaskGroup::State {
    State(asio::any_io_executor e, Log& l) : executor(e), log(l), emptied(std::move(e)) {}
    asio::any_io_executor executor;
    Log& log;
    Event emptied;
    struct Task {
        std::string name;
        asio::cancellation_signal signal;
    };
    std::list<Task> running;
    // Of tasks that have just ended. A cancel() from outside the I/O thread's turn is carried out in a later one (Boost
    // 1.81, impl/co_spawn.hpp: the handler in the signal dispatches with a plain pointer into it): the task may end
    // before that, and its signal must still be there.
    std::list<Task> ended;
    std::vector<std::string> failed;

    void note_failure(const std::string& task, const std::string& what) {
        log.error("task ended with an error", {{"task", task}, {"error", what}});
        if (failed.size() < TaskGroup::failed_max) failed.push_back(task);
    }
};

TaskGroup::TaskGroup(asio::any_io_executor executor, Log& log)
    : state_(std::make_shared<State>(std::move(executor), log)) {}
TaskGroup::~TaskGroup() { assert(state_->running.empty()); }

void TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
    auto running = state_->running.emplace(state_->running.end());
    running->name = std::move(name);
    auto ended = [state = state_, running](std::exception_ptr trouble) {
        const auto& name = running->name;
        if (trouble) {
            try {
                std::rethrow_exception(trouble);
            } catch (const boost::system::system_error& error) {
                if (error.code() != asio::error::operation_aborted) state->note_failure(name, error.what());
            } catch (const std::exception& error) {
                state->note_failure(name, error.what());
            } catch (...) {
                state->note_failure(name, "not an exception of the standard library");
            }
        }
        state->ended.splice(state->ended.end(), state->running, running);
        asio::post(state->executor, [state, running] { state->ended.erase(running); });
        if (state->running.empty()) state->emptied.notify();
    };
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(running->signal.slot(), std::move(ended)));
}

void TaskGroup::cancel() {
    // A task that ends at once removes itself from the list: step on before asking.
    for (auto task = state_->running.begin(); task != state_->running.end();)
        (task++)->signal.emit(asio::cancellation_type::terminal);
}

void TaskGroup::cancel(std::string_view name) {
    for (auto task = state_->running.begin(); task != state_->running.end();)
        if (auto& one = *task++; one.name == name) one.signal.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::join() {
    while (!state_->running.empty()) co_await state_->emptied.wait();
}

asio::awaitable<void> TaskGroup::join_or_end() {
    try {
        co_await join();
    } catch (...) {
        // Cancelled.
    }
    co_await asio::this_coro::reset_cancellation_state();
    cancel();
    co_await join();
}

std::size_t TaskGroup::size() const { return state_->running.size(); }

const std::vector<std::string>& TaskGroup::failed() const { return state_->failed; }

}  // namespace boatswain::net
