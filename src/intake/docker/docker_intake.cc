#include "intake/docker/docker_intake.h"

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
    if (!root_.empty())
        if (auto layout = layout_at(root_)) news_.watch(*layout, tasks_);
    tasks_.spawn("read log files", containers_.read_files());
    tasks_.spawn("follow the engine", discovery_.run());
    co_await tasks_.join_or_end();
    co_await discovery_.end();
    co_await containers_.end_readers();
}

void DockerIntake::learn_again() {
    containers_.forget_words();
    discovery_.list_again();
}

IntakeHealth health_of(const EngineState& state, ReadingStatus reading, std::vector<std::string> ended_tasks) {
    IntakeHealth health{.part = "engine",
                        .follows = state.connected,
                        .state = "followed",
                        .troubles = {},
                        .restart_helps = {},
                        .detail = {},
                        .file_reader = "json-file",
                        .reading = std::move(reading),
                        .ended_tasks = std::move(ended_tasks)};
    const auto& trouble = state.trouble;
    if (!state.connected) {
        health.state = "not followed: " + trouble;
        health.troubles.push_back("the engine is not followed" + (trouble.empty() ? "" : ": " + trouble));
    }
    if (!state.other_engine.empty()) health.troubles.push_back(state.other_engine);
    const auto& directory = state.directory_trouble;
    health.detail["containers_directory"] = directory.empty() ? "ok" : directory;
    if (state.needs_directory && !directory.empty())
        health.troubles.push_back("Podman's containers directory is not seen, and no log is read without it: " +
                                  directory);
    if (state.directory_too_late) health.restart_helps.push_back(directory);
    if (state.stale_for > stale_socket_after) health.restart_helps.push_back(trouble);
    return health;
}

IntakeHealth DockerIntake::health() const {
    return health_of({.connected = discovery_.connected(),
                      .trouble = discovery_.trouble(),
                      .other_engine = discovery_.other_engine(),
                      .stale_for = discovery_.stale_for(),
                      .directory_trouble = news_.trouble(),
                      .needs_directory = containers_.layout().podman,
                      .directory_too_late = news_.came_too_late()},
                     containers_.standing(), tasks_.failed());
}

}  // namespace boatswain::intake::docker
