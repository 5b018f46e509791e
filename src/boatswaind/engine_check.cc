#include "boatswaind/engine_check.h"

#include <fcntl.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <exception>
#include <optional>

#include "base/file.h"
#include "engine/client.h"
#include "intake/docker/log_layout.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;

// Podman asks conmon, its runtime and dpkg for their versions first: 2.4 s where there is nothing else to do.
constexpr std::chrono::milliseconds answer_max{20'000};

std::string advice(const Error& error) {
    if (error.cause == std::errc::no_such_file_or_directory)
        return " (is the engine running, and its socket mounted here? engine.socket names another place)";
    if (error.cause == std::errc::permission_denied)
        return " (run as the user whose engine it is, which root is not where it is rootless, as a member of the "
               "socket's group, or behind `boatswaind guard`)";
    if (error.cause == std::errc::connection_refused)
        return " (the socket is there and nobody listens: an engine that is down, or a bind-mounted socket file of an "
               "engine "
               "that was started again; mount its directory instead)";
    return {};
}

// By opening it, as the agent does.
std::optional<std::string> trouble_with(const Path& directory) {
    Fd opened{::open((directory / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (opened) return std::nullopt;
    return fail_errno(Remedy::stop, "open " + directory.string()).error().what;
}

}  // namespace

EngineReport report_engine(const config::Config& config, const Result<engine::EngineInfo>& answer) {
    EngineReport report;
    if (!answer) {
        report.warnings.push_back("the engine does not answer: " + answer.error().what + advice(answer.error()));
        return report;
    }
    report.facts.push_back("engine " + std::string{answer->podman ? "Podman " : ""} + answer->version + ", API " +
                           answer->spoken_api_version + " (it offers " +
                           (answer->min_api_version.empty() ? "" : answer->min_api_version + " to ") +
                           answer->api_version + ")");
    if (answer->newer)
        report.warnings.emplace_back(
            "the engine takes only API versions that are newer than this Boatswain: a newer one should read it");
    if (!config.engine.id.empty() && !answer->id.empty() && answer->id != config.engine.id)
        report.warnings.push_back("another engine answers than engine.id says: its ID is " + answer->id);

    auto layout = intake::docker::layout_of(*answer, config.docker.root);
    std::string otherwise = answer->podman ? "no log is read" : "all logs are read through the engine";
    if (layout.containers.empty()) {
        report.warnings.push_back("the engine does not say where its data directory is: set docker.root, or " +
                                  otherwise);
        return report;
    }
    auto root = layout.containers.parent_path();
    auto trouble = trouble_with(layout.containers);
    if (!trouble) {
        report.facts.push_back("its data directory " + root.string() + " is seen: " + std::string{layout.reader()} +
                               " logs are read from their files");
        return report;
    }
    std::string hint = root.filename() == "containers" ? "; docker.root is the directory above it" : "";
    report.warnings.push_back("its data directory is not seen (" + *trouble + hint + "): " + otherwise +
                              (answer->podman ? "" : ", at its cost"));
    return report;
}

EngineReport ask_engine(const config::Config& config) {
    asio::io_context io{1};
    auto client = engine::make_client(io.get_executor(), {.address = config.engine.socket,
                                                          .ca_file = config.engine.ca_file,
                                                          .certificate_file = config.engine.certificate_file,
                                                          .key_file = config.engine.key_file,
                                                          .call_timeout = answer_max});
    Result<engine::EngineInfo> answer = fail(Remedy::back_off, "no answer");
    if (!client) {
        answer = std::unexpected(std::move(client).error());
    } else {
        asio::co_spawn(io, (*client)->negotiate(), [&](std::exception_ptr trouble, Result<engine::EngineInfo> info) {
            if (!trouble) answer = std::move(info);
        });
        io.run();
    }
    return report_engine(config, answer);
}

}  // namespace boatswain::boatswaind
