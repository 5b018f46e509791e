#include "intake/docker/log_layout.h"

#include "intake/cri_file/cri_line.h"
#include "intake/json_file/json_line.h"

namespace boatswain::intake::docker {
namespace {

// containers/storage, drivers/: those that Podman takes on Linux. It names a directory of ROOT by the one it uses.
constexpr std::string_view storage_drivers[] = {"overlay", "vfs", "btrfs", "zfs"};

std::string podman_directory(std::string_view storage_driver) { return std::string{storage_driver} + "-containers"; }

bool is_there(const Path& path) {
    std::error_code problem;
    return std::filesystem::is_directory(path, problem);
}

}  // namespace

const RecordForm& LogLayout::form() const {
    if (podman) return cri_form;
    return json_form;
}

bool LogLayout::is_log(std::string_view file) const {
    return podman ? file == "ctr.log" : file.find("-json.log") != std::string_view::npos;
}

bool LogLayout::holds(std::string_view log_driver) const {
    return log_driver == "json-file" || (podman && log_driver == "k8s-file");
}

bool LogLayout::is_told(const engine::ContainerFacts& facts) const {
    if (!podman || facts.log_path.empty() || told.empty()) return true;
    return Path{facts.log_path} == told / facts.id / within() / log_name(facts.id);
}

LogLayout layout_of(const engine::EngineInfo& engine, const Path& root) {
    LogLayout layout{.podman = engine.podman, .containers = {}, .told = {}};
    bool named = !engine.podman || !engine.storage_driver.empty();
    auto directory = engine.podman ? podman_directory(engine.storage_driver) : std::string{"containers"};
    Path told{engine.root_dir};
    if (named && !told.empty()) layout.told = told / directory;
    const auto& seen = root.empty() ? told : root;
    if (named && !seen.empty()) layout.containers = seen / directory;
    return layout;
}

std::optional<LogLayout> layout_at(const Path& root) {
    LogLayout layout{.podman = false, .containers = root / "containers", .told = {}};
    if (is_there(layout.containers)) return layout;
    std::size_t found = 0;
    for (auto driver : storage_drivers) {
        if (!is_there(root / podman_directory(driver))) continue;
        layout = {.podman = true, .containers = root / podman_directory(driver), .told = {}};
        ++found;
    }
    return found > 1 ? std::nullopt : std::optional{layout};
}

}  // namespace boatswain::intake::docker
