#include "intake/cri/pod_log.h"

#include <charconv>

#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

constexpr std::string_view log_suffix = ".log";

}  // namespace

std::optional<Pod> parse_pod(std::string_view directory) {
    auto first = directory.find('_'), last = directory.rfind('_');
    if (first == directory.npos || first == last) return std::nullopt;
    return make_pod(directory.substr(0, first), directory.substr(first + 1, last - first - 1),
                    directory.substr(last + 1));
}

std::string PodLog::id() const { return pod.uid + "/" + container + "/" + std::to_string(run); }
std::string PodLog::name() const { return pod.space + "/" + pod.name + "/" + container; }

Path PodLog::path(const Path& pods) const {
    return pods / pod.directory() / container / (std::to_string(run) + std::string{log_suffix});
}

SourceFacts PodLog::facts() const {
    SourceFacts facts;
    facts.id = id();
    facts.name = name();
    facts.named_by_platform = true;
    facts.labels = {{"io.kubernetes.pod.namespace", pod.space},
                    {"io.kubernetes.pod.name", pod.name},
                    {"io.kubernetes.pod.uid", pod.uid},
                    {"io.kubernetes.container.name", container}};
    facts.attributes = {{std::string{tenancy::namespace_attribute}, pod.space}};
    return facts;
}

std::optional<std::uint32_t> run_of(std::string_view file) {
    std::uint32_t run = 0;
    auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), run);
    if (error != std::errc{}) return std::nullopt;
    auto rest = file.substr(static_cast<std::size_t>(end - file.data()));
    // "03.log" is nobody's.
    if (!rest.starts_with(log_suffix) || file.size() - rest.size() != std::to_string(run).size()) return std::nullopt;
    rest.remove_prefix(log_suffix.size());
    return rest.empty() || rest.front() == '.' ? std::optional{run} : std::nullopt;
}

bool is_log(std::string_view file) {
    auto run = run_of(file);
    return run && file == std::to_string(*run) + std::string{log_suffix};
}

}  // namespace boatswain::intake::cri
