#include "intake/docker/directory_news.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

#include "engine/container.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

// A directory is looked through again in this rhythm, should inotify have no watch to give for it.
constexpr std::chrono::milliseconds scan_pause{10'000};
constexpr std::uint64_t config_file_bytes_max = 4U << 20;

}  // namespace

DirectoryNews::DirectoryNews(asio::any_io_executor executor, Containers& containers, const Assigner& assigner,
                             Metrics& metrics, Log& log)
    : executor_(std::move(executor)),
      containers_(containers),
      assigner_(assigner),
      metrics_(metrics),
      log_(log),
      unseen_(metrics.gauge(
          "boatswain_containers_directory_unseen",
          "1 while the engine's containers directory cannot be watched and logs are read through the engine")) {}

void DirectoryNews::watch(const std::string& engine_root, net::TaskGroup& tasks) {
    if (engine_root.empty()) return;
    directory_ = Path{engine_root} / "containers";
    open_watch();
    tasks.spawn("watch the containers directory", watch_for_ever());
}

bool DirectoryNews::open_watch() {
    auto opened = DirectoryWatch::open(executor_, directory_, *this);
    if (!opened) {
        auto trouble = opened.error().what;
        if (directory_.parent_path().filename() == "containers") trouble += "; docker.root is the directory above it";
        if (opened.error().cause == std::errc::permission_denied)
            trouble += "; where it was mounted since this agent started, its sandbox keeps it out: start it again";
        if (std::exchange(trouble_, trouble) != trouble)
            log_.warning("containers directory not watched: logs are read through the engine, at its cost",
                         {{"directory", directory_.string()}, {"error", trouble}});
        unseen_.set(1);
        return false;
    }
    if (!std::exchange(trouble_, {}).empty() || watch_)
        log_.info("containers directory found", {{"directory", directory_.string()}});
    unseen_.set(0);
    // The former one stays until nobody refers to it any more.
    std::swap(watch_, *opened);
    containers_.read_files_of(directory_, *watch_);
    scan();
    return true;
}

asio::awaitable<void> DirectoryNews::watch_for_ever() {
    using namespace asio::experimental::awaitable_operators;
    for (;;) {
        if (trouble_.empty())
            co_await (watching_on(watch_->tell_births()) || watching_on(watch_->tell_changes()) || scan_until_stale());
        if (!open_watch()) co_await net::sleep_for(scan_pause);
    }
}

// A fault of ours ends a watch, which is opened again.
asio::awaitable<void> DirectoryNews::watching_on(asio::awaitable<void> watch) {
    try {
        co_await std::move(watch);
    } catch (const boost::system::system_error&) {
        throw;  // cancelled
    } catch (const std::exception& fault) {
        log_.error("the watch of the containers directory ended by a fault of ours", {{"fault", fault.what()}});
    }
    co_await net::sleep_for(scan_pause);
}

asio::awaitable<void> DirectoryNews::scan_until_stale() {
    while (!watch_->is_stale()) {
        co_await net::sleep_for(scan_pause);
        scan();
        containers_.look_at_all_logs();
    }
}

void DirectoryNews::scan() {
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{directory_, problem}, none; !problem && entry != none;
         entry.increment(problem)) {
        auto id = entry->path().filename().string();
        if (is_container_id(id) && !containers_.knows(id)) container_appeared(id);
    }
}

void DirectoryNews::container_appeared(const std::string& id) {
    if (watch_ && !watch_->watch(id))
        metrics_
            .counter("boatswain_watch_failures_total", "Directories that inotify has no watch for; looked at by time")
            .add();
    adopt(id);
}

void DirectoryNews::files_born(const std::string& id, unsigned births) {
    bool known = containers_.contains(id);
    if (!known) adopt(id);
    containers_.files_born(id, births, !known);
}

void DirectoryNews::log_grew(const std::string& id) { containers_.log_grew(id); }

void DirectoryNews::container_vanished(const std::string& id) { containers_.vanished(id); }

void DirectoryNews::news_lost() {
    metrics_.counter("boatswain_watch_overflows_total", "Times the kernel's queue of file events overflowed").add();
    scan();
    containers_.look_at_all_logs();
}

void DirectoryNews::adopt(const std::string& id) {
    if (directory_.empty() || containers_.knows(id)) return;
    // Opened before anything else is read: from now on the log can be removed, and is read all the same.
    auto held = open_log_file(containers_.log_path(id));
    if (!held) return;  // no log yet, or not a json-file container
    auto config = read_file(directory_ / id / "config.v2.json", config_file_bytes_max);
    auto hostconfig = read_file(directory_ / id / "hostconfig.json", config_file_bytes_max);
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
