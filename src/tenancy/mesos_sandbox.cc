#include "tenancy/mesos_sandbox.h"

#include <array>
#include <filesystem>
#include <system_error>

namespace boatswain::tenancy {
namespace {

// The last eight parts of the path, which must be "slaves" A "frameworks" F "executors" E "runs" C.
using Parts = std::array<std::string_view, 8>;

std::string_view without_trailing_slashes(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    return path;
}

// False when the path is relative, too short, or has an empty part or a "." or ".." among the last eight.
bool split_last_parts(std::string_view path, Parts& parts) {
    path = without_trailing_slashes(path);
    for (std::size_t i = parts.size(); i-- > 0;) {
        auto slash = path.rfind('/');
        if (slash == std::string_view::npos) return false;
        parts[i] = path.substr(slash + 1);
        if (parts[i].empty() || parts[i] == "." || parts[i] == "..") return false;
        path = path.substr(0, slash);
    }
    // What is left is work_dir: absolute, or "" when work_dir is the root itself.
    return path.empty() || path.front() == '/';
}

constexpr std::array<std::pair<std::string_view, std::string MesosSandbox::*>, 4> attribute_parts{
    {{mesos_task_attribute, &MesosSandbox::executor},
     {mesos_framework_attribute, &MesosSandbox::framework},
     {mesos_agent_attribute, &MesosSandbox::agent},
     {mesos_container_attribute, &MesosSandbox::container}}};

}  // namespace

std::optional<MesosSandbox> find_mesos_sandbox(const std::vector<std::pair<std::string, std::string>>& mounts) {
    const std::string* source = nullptr;
    for (const auto& [from, to] : mounts) {
        if (without_trailing_slashes(to) != mesos_sandbox_destination) continue;
        if (source != nullptr) return std::nullopt;  // two claim to be the sandbox: believe neither
        source = &from;
    }
    Parts parts;
    if (source == nullptr || !split_last_parts(*source, parts)) return std::nullopt;
    if (parts[0] != "slaves" || parts[2] != "frameworks" || parts[4] != "executors" || parts[6] != "runs")
        return std::nullopt;
    return MesosSandbox{.agent = std::string{parts[1]},
                        .framework = std::string{parts[3]},
                        .executor = std::string{parts[5]},
                        .container = std::string{parts[7]}};
}

void follow_sandbox_link(std::vector<std::pair<std::string, std::string>>& mounts, const ReadLink& read_link) {
    for (auto& [from, to] : mounts) {
        if (without_trailing_slashes(to) != mesos_sandbox_destination) continue;
        // .../slaves/<agentId>/docker/links/<containerId>
        auto path = without_trailing_slashes(from);
        auto links = path.rfind("/docker/links/");
        if (links == std::string_view::npos) continue;
        auto container = path.substr(links + std::string_view{"/docker/links/"}.size());
        auto above = path.substr(0, links);
        auto slash = above.rfind('/');
        if (slash == std::string_view::npos || container.empty() || container.contains('/')) continue;
        auto agent = above.substr(slash + 1);
        auto target = read_link(std::string{path});
        if (!target) continue;
        auto sandbox = find_mesos_sandbox({{*target, std::string{mesos_sandbox_destination}}});
        if (sandbox && sandbox->agent == agent && sandbox->container == container) from = std::move(*target);
    }
}

std::optional<std::string> read_link(const std::string& path) {
    std::error_code trouble;
    auto target = std::filesystem::read_symlink(path, trouble);
    if (trouble) return std::nullopt;
    return target.string();
}

std::map<std::string, std::string> sandbox_attributes(std::vector<std::pair<std::string, std::string>> mounts,
                                                      const ReadLink& read_link) {
    follow_sandbox_link(mounts, read_link);
    auto sandbox = find_mesos_sandbox(mounts);
    if (!sandbox) return {};
    std::map<std::string, std::string> attributes;
    for (const auto& [key, part] : attribute_parts) attributes.emplace(key, std::move((*sandbox).*part));
    return attributes;
}

std::optional<MesosSandbox> sandbox_of(const std::map<std::string, std::string>& attributes) {
    MesosSandbox sandbox;
    for (const auto& [key, part] : attribute_parts) {
        auto found = attributes.find(std::string{key});
        if (found == attributes.end()) return std::nullopt;
        sandbox.*part = found->second;
    }
    return sandbox;
}

}  // namespace boatswain::tenancy
