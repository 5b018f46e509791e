#include "intake/docker/directory_news.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "engine/container.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t config_file_bytes_max = 4U << 20;
// So many containers are taken in before others have their turn on the thread.
constexpr std::size_t taken_in_at_once = 16;

}  // namespace

DirectoryNews::DirectoryNews(asio::any_io_executor executor, Containers& containers, const Assigner& assigner,
                             Metrics& metrics, Log& log, std::chrono::milliseconds pause_between_looks)
    : executor_(std::move(executor)),
      containers_(containers),
      assigner_(assigner),
      metrics_(metrics),
      log_(log),
      unseen_(metrics.gauge(
          "boatswain_containers_directory_unseen",
          "1 while the engine's containers directory cannot be watched and logs are read through the engine")),
      look_pause_(pause_between_looks),
      scan_now_(executor_) {}

void DirectoryNews::watch(const LogLayout& layout, net::TaskGroup& tasks) {
    bool same = layout.podman == layout_.podman && layout.containers == layout_.containers;
    if (layout.containers.empty() || same) return;
    bool looked_elsewhere = watching();
    layout_ = layout;
    if (watch_) watch_->set_layout(layout);
    if (looked_elsewhere) return scan_now_.notify();
    bool found = look(tasks);
    tasks.spawn("look at the containers directory now and then", look_now_and_then(tasks, found));
}

asio::awaitable<void> DirectoryNews::look_now_and_then(net::TaskGroup& tasks, bool found) {
    for (;;) {
        if (found) co_await scan();
        co_await scan_now_.wait_for(look_pause_);
        found = look(tasks);
        containers_.look_at_all_logs();
    }
}

// Whether it is there to be looked through.
bool DirectoryNews::look(net::TaskGroup& tasks) {
    auto another = find(tasks);
    if (!another) {
        tell(another.error());
        return false;
    }
    bool was_away = !std::exchange(last_error_, {}).empty();
    looked_ = true;
    came_too_late_ = false;
    unseen_.set(0);
    if (was_away || *another) {
        if (was_away) log_.info("containers directory found", {{"directory", layout_.containers.string()}});
        containers_.read_files_of(layout_, *watch_);
    }
    return true;
}

Result<bool> DirectoryNews::find(net::TaskGroup& tasks) {
    if (!watch_) {
        TRY(watch_, DirectoryWatch::open(executor_, layout_, *this));
        tasks.spawn("watch for births", watch_->tell_births());
        tasks.spawn("watch for growth", watch_->tell_changes());
    }
    return watch_->find();
}

void DirectoryNews::tell(const Error& error) {
    auto trouble = error.what;
    const auto& directory = layout_.containers;
    if (directory.parent_path().filename() == "containers") trouble += "; docker.root is the directory above it";
    bool denied = error.cause == std::errc::permission_denied;
    if (!std::exchange(looked_, true)) denied_at_first_ = denied;
    came_too_late_ = denied && !denied_at_first_;
    if (came_too_late_) trouble += "; it came since this agent started, whose sandbox keeps it out: start it again";
    if (std::exchange(last_error_, trouble) != trouble)
        log_.warning(layout_.podman ? "containers directory not watched: no log of Podman is read without it"
                                    : "containers directory not watched: logs are read through the engine, at its cost",
                     {{"directory", directory.string()}, {"error", trouble}});
    unseen_.set(1);
}

// The watch tells of containers that are born meanwhile.
asio::awaitable<void> DirectoryNews::scan() {
    std::vector<std::string> found;
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{layout_.containers, problem}, none; !problem && entry != none;
         entry.increment(problem)) {
        auto id = entry->path().filename().string();
        if (engine::is_container_id(id) && !containers_.knows(id)) found.push_back(std::move(id));
    }
    std::size_t taken = 0;
    for (const auto& id : found) {
        if (++taken % taken_in_at_once == 0) co_await asio::post(executor_, asio::use_awaitable);
        if (containers_.knows(id)) continue;
        watch(id);
        adopt(id);
        // Podman's list tells of those that were there before. It comes late, and what was read goes on till then.
        if (layout_.podman && containers_.was_read_before(id)) hold(id);
    }
}

void DirectoryNews::watch(const std::string& id) {
    if (watch_->watch(id)) return;
    metrics_.counter("boatswain_watch_failures_total", "Directories that inotify has no watch for; looked at by time")
        .add();
}

void DirectoryNews::container_appeared(const std::string& id) {
    watch(id);
    layout_.podman ? hold(id) : adopt(id);
}

void DirectoryNews::log_begun(const std::string& id) { hold(id); }

// Its log is new: what is printed from now on is read, whatever becomes of its name until the engine has answered.
void DirectoryNews::hold(const std::string& id) {
    if (!last_error_.empty() || containers_.knows(id) || !containers_.hold(id)) return;
    if (ask_) ask_(id);
}

void DirectoryNews::files_born(const std::string& id, unsigned births) {
    bool known = containers_.contains(id);
    if (!known && !layout_.podman) adopt(id);
    containers_.files_born(id, births, !known);
}

void DirectoryNews::log_grew(const std::string& id) { containers_.log_grew(id); }

void DirectoryNews::container_vanished(const std::string& id) { containers_.vanished(id); }

void DirectoryNews::news_lost() {
    metrics_.counter("boatswain_watch_overflows_total", "Times the kernel's queue of file events overflowed").add();
    containers_.births_lost();
    scan_now_.notify();
}

void DirectoryNews::adopt(const std::string& id) {
    if (layout_.podman || !watch_ || !last_error_.empty() || containers_.knows(id)) return;
    // Opened before anything else is read: from now on the log can be removed, and is read all the same.
    auto held = open_log_file(containers_.log_path(id));
    if (!held) return;  // no log yet, or not a json-file container
    auto directory = layout_.directory_of(id);
    auto config = read_file(directory / "config.v2.json", config_file_bytes_max);
    auto hostconfig = read_file(directory / "hostconfig.json", config_file_bytes_max);
    if (!config) return;  // the engine's inspect answers, or nobody
    auto facts = engine::parse_config_v2(*config, hostconfig ? *hostconfig : std::string{}, assigner_.keep);
    if (!facts) {
        // Written by the engine at this very moment, perhaps: inspect tells.
        log_.debug("config.v2.json not understood", {{"container", id}, {"error", facts.error()}});
        return;
    }
    if (facts->id != id) return;
    facts->running = true;  // as far as we know; the engine's events tell its end
    containers_.adopt(std::move(*facts));
}

}  // namespace boatswain::intake::docker
