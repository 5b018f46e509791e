#include "boatswaind/ways_in.h"

#include <array>
#include <filesystem>

#include "base/file.h"
#include "intake/cri/cri_intake.h"
#include "intake/pod_watch/pod.h"

namespace boatswain::boatswaind {
namespace {

using config::Config;

constexpr std::size_t file_bytes_max = 1U << 20;  // of a token or of authorities

// By listing it, as the agent does.
std::optional<std::string> trouble_with(std::string_view setting, const Path& directory) {
    std::error_code problem;
    std::filesystem::directory_iterator{directory, problem};
    if (!problem) return std::nullopt;
    return std::string{setting} + ": " + directory.string() + ": " + problem.message() +
           " (is it mounted here? the agent waits for it)";
}

std::string node_of(const Config& config) { return config.cri.node.empty() ? config.host : config.cri.node; }

// A token and authorities that are changed are other files afterwards: their directories are read.
std::vector<Path> cri_directories(const Config& config) {
    std::vector directories{config.cri.pods};
    if (!config.cri.tasks.empty()) directories.push_back(config.cri.tasks);
    if (config.cri.api.empty()) return directories;
    for (const auto& file : {config.cri.api_token_file, config.cri.api_ca_file})
        if (file.has_parent_path()) directories.push_back(file.parent_path());
    return directories;
}

std::optional<std::string> cri_mistake(const Config& config) {
    if (config.cri.tasks.empty() || config.tenancy.trust_image) return std::nullopt;
    return "cri.tasks needs tenancy.trust_image = true: containerd does not say which variables of a container are its "
           "image's, so whoever makes images can name tenants, too";
}

std::optional<std::string> cri_trouble(const Config& config) {
    if (auto trouble = trouble_with("cri.pods", config.cri.pods)) return trouble;
    if (!config.cri.tasks.empty())
        if (auto trouble = trouble_with("cri.tasks", config.cri.tasks)) return trouble;
    if (config.cri.api.empty()) return std::nullopt;
    if (!intake::cri::is_node_name(node_of(config)))
        return "cri.node is empty, and host is no node's name: " + node_of(config);
    for (const auto& [setting, file] : {std::pair{"cri.api_token_file", config.cri.api_token_file},
                                        std::pair{"cri.api_ca_file", config.cri.api_ca_file}})
        if (auto text = file.empty() ? std::string{} : read_file(file, file_bytes_max); !text)
            return std::string{setting} + ": " + text.error().what + " (the agent waits for it)";
    return std::nullopt;
}

std::optional<intake::cri::ApiWatchOptions> api_of(const Config& config) {
    if (config.cri.api.empty()) return std::nullopt;
    auto url = config.cri.api;
    while (url.ends_with('/')) url.pop_back();
    return intake::cri::ApiWatchOptions{.url = std::move(url),
                                        .token_file = config.cri.api_token_file,
                                        .ca_file = config.cri.api_ca_file,
                                        .node = node_of(config)};
}

std::unique_ptr<intake::Intake> make_cri(const Config& config, const IntakeParts& parts) {
    const auto& excluded = config.cri.exclude_namespaces;
    intake::cri::Options options{
        .pods = config.cri.pods,
        .excluded_namespaces = {excluded.begin(), excluded.end()},
        .own_pods = intake::cri::own_pods(),
        .api = api_of(config),
        .tasks = config.cri.tasks,
        .words_wait = std::chrono::duration_cast<std::chrono::milliseconds>(config.cri.labels_wait)};
    return std::make_unique<intake::cri::CriIntake>(parts.executor, std::move(options), parts.assigner, parts.batcher,
                                                    parts.spool, parts.clock, parts.metrics, parts.log);
}

constexpr std::array all{
    WayIn{.is_on = [](const Config& config) { return !config.cri.pods.empty(); },
          .off = "cri.pods names no directory (/var/log/pods on nodes of Kubernetes)",
          .directories = cri_directories,
          .mistake = cri_mistake,
          .trouble = cri_trouble,
          .make = make_cri},
};

}  // namespace

std::span<const WayIn> ways_in() { return all; }

}  // namespace boatswain::boatswaind
