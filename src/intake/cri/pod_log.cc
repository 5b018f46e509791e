#include "intake/cri/pod_log.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace boatswain::intake::cri {
namespace {

// Names of the Kubernetes API are DNS labels or DNS subdomains (RFC 1123).
constexpr std::size_t label_bytes_max = 63, subdomain_bytes_max = 253;

bool is_name(std::string_view text, std::size_t bytes_max, bool dots) {
    auto fits = [&](char c) { return is_lower_letter(c) || is_digit(c) || c == '-' || (dots && c == '.'); };
    return !text.empty() && text.size() <= bytes_max && text.front() != '.' && std::ranges::all_of(text, fits);
}

bool is_uid(std::string_view text) {
    auto fits = [](char c) { return is_letter_or_digit(c) || c == '-'; };
    return !text.empty() && text.size() <= label_bytes_max && std::ranges::all_of(text, fits);
}

constexpr std::string_view log_suffix = ".log";

}  // namespace

std::optional<Pod> parse_pod(std::string_view directory) {
    auto first = directory.find('_'), last = directory.rfind('_');
    if (first == directory.npos || first == last) return std::nullopt;
    auto space = directory.substr(0, first), name = directory.substr(first + 1, last - first - 1),
         uid = directory.substr(last + 1);
    if (!is_name(space, label_bytes_max, false) || !is_name(name, subdomain_bytes_max, true) || !is_uid(uid))
        return std::nullopt;
    return Pod{.space = std::string{space}, .name = std::string{name}, .uid = std::string{uid}};
}

bool is_container_name(std::string_view name) { return is_name(name, label_bytes_max, false); }

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
