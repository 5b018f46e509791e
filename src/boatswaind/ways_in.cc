#include "boatswaind/ways_in.h"

#include <array>
#include <filesystem>

#include "intake/cri/cri_intake.h"

namespace boatswain::boatswaind {
namespace {

using config::Config;

// By listing it, as the agent does.
std::optional<std::string> trouble_with(std::string_view setting, const Path& directory) {
    std::error_code problem;
    std::filesystem::directory_iterator{directory, problem};
    if (!problem) return std::nullopt;
    return std::string{setting} + ": " + directory.string() + ": " + problem.message() +
           " (is it mounted here? the agent waits for it)";
}

std::unique_ptr<intake::Intake> make_cri(const Config& config, const IntakeParts& parts) {
    const auto& excluded = config.cri.exclude_namespaces;
    intake::cri::Options options{.pods = config.cri.pods,
                                 .excluded_namespaces = {excluded.begin(), excluded.end()},
                                 .own_pods = intake::cri::own_pods()};
    return std::make_unique<intake::cri::CriIntake>(parts.executor, std::move(options), parts.assigner, parts.batcher,
                                                    parts.spool, parts.clock, parts.metrics, parts.log);
}

constexpr std::array all{
    WayIn{.is_on = [](const Config& config) { return !config.cri.pods.empty(); },
          .off = "cri.pods names no directory (/var/log/pods on nodes of Kubernetes)",
          .directories = [](const Config& config) { return std::vector{config.cri.pods}; },
          .trouble = [](const Config& config) { return trouble_with("cri.pods", config.cri.pods); },
          .make = make_cri},
};

}  // namespace

std::span<const WayIn> ways_in() { return all; }

}  // namespace boatswain::boatswaind
