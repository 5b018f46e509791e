#include "intake/docker/docker_intake.h"

#include <boost/asio/this_coro.hpp>

namespace boatswain::intake::docker {

namespace asio = boost::asio;

DockerIntake::DockerIntake(asio::any_io_executor executor, Options options, engine::Client& client, Assigner assigner,
                           batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log)
    : root_(std::move(options.root)),
      assigner_(std::move(assigner)),
      containers_(executor, std::move(options.terms), client, assigner_, batcher, spool, clock, metrics, log),
      news_(executor, containers_, assigner_, metrics, log),
      tasks_(executor, log),
      discovery_(executor, root_, client, assigner_, containers_, news_, tasks_, spool, clock, metrics, log) {}

asio::awaitable<void> DockerIntake::run() {
    if (!root_.empty()) news_.watch(root_.string(), tasks_);
    tasks_.spawn("read log files", containers_.read_files());
    tasks_.spawn("follow the engine", discovery_.run());
    try {
        co_await tasks_.join();
    } catch (...) {
        // Cancelled. What was started is asked to end, and waited for, before this frame and what it refers to are
        // gone.
    }
    co_await asio::this_coro::reset_cancellation_state();
    tasks_.cancel();
    co_await tasks_.join();
    co_await discovery_.end();
    co_await containers_.end_readers();
}

void DockerIntake::learn_again() {
    containers_.forget_words();
    discovery_.list_again();
}

DockerIntake::Health DockerIntake::health() const {
    return {.engine_connected = discovery_.connected(),
            .engine_trouble = discovery_.trouble(),
            .other_engine = discovery_.other_engine(),
            .stale_for = discovery_.stale_for(),
            .directory_trouble = news_.trouble(),
            .directory_too_late = news_.came_too_late(),
            .reading = containers_.standing(),
            .ended_tasks = tasks_.failed()};
}

}  // namespace boatswain::intake::docker
