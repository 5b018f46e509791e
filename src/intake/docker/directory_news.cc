#include "intake/docker/directory_news.h"

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
    : executor_(std::move(executor)), containers_(containers), assigner_(assigner), metrics_(metrics), log_(log) {}

void DirectoryNews::watch(const std::string& engine_root, net::TaskGroup& tasks) {
    auto directory = Path{engine_root} / "containers";
    auto opened = DirectoryWatch::open(executor_, directory, *this);
    if (!opened) {
        log_.warning("containers directory not watched: logs are read through the engine, at its cost",
                     {{"directory", directory.string()}, {"error", opened.error()}});
        return;
    }
    directory_ = directory;
    watch_ = std::move(*opened);
    containers_.read_files_of(directory_, *watch_);
    tasks.spawn("watch for births", watch_->tell_births());
    tasks.spawn("watch for growth", watch_->tell_changes());
    tasks.spawn("scan now and then", scan_now_and_then());
    scan();
}

asio::awaitable<void> DirectoryNews::scan_now_and_then() {
    for (;;) {
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
    if (!watch_->watch(id))
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
