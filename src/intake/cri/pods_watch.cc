#include "intake/cri/pods_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <vector>

#include "net/event.h"

namespace boatswain::intake::cri {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t births_mask = IN_CREATE | IN_MOVED_TO | IN_DELETE;
constexpr std::uint32_t growth_mask = IN_MODIFY | IN_CLOSE_WRITE | IN_DONT_FOLLOW;

// The names in a directory, at most entries_max; nothing when it cannot be read.
std::optional<std::vector<std::string>> names_in(const Path& directory, std::uint64_t& passed_over) {
    std::vector<std::string> names;
    std::error_code problem;
    std::filesystem::directory_iterator entry{directory, problem}, none;
    if (problem) return std::nullopt;
    for (; !problem && entry != none; entry.increment(problem)) {
        if (names.size() == entries_max) {
            ++passed_over;
            break;
        }
        names.push_back(entry->path().filename().string());
    }
    return names;
}

// Device and inode; zeros when it is not there.
std::pair<std::uint64_t, std::uint64_t> identity_of(const Path& directory) {
    struct stat found{};
    if (::stat(directory.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino};
}

bool is_own_directory(const Path& path) {
    std::error_code problem;
    return std::filesystem::is_directory(std::filesystem::symlink_status(path, problem));
}

}  // namespace

Result<std::unique_ptr<PodsWatch>> PodsWatch::open(asio::any_io_executor executor, Path pods, PodsListener& listener) {
    TRY(auto births, Inotify::open(executor));
    TRY(auto growth, Inotify::open(executor));
    std::unique_ptr<PodsWatch> watch{new PodsWatch(std::move(pods), std::move(births), std::move(growth), listener)};
    if (watch->births_->add(watch->pods_, births_mask) < 0)
        return fail_errno(Remedy::re_resolve, "watch " + watch->pods_.string());
    return watch;
}

bool PodsWatch::watch(const Path& path, const Directory& directory) {
    int birth = births_->add(path, births_mask);
    bool growing = directory.pod && !directory.container.empty();
    int growth = growing ? growth_->add(path, growth_mask) : 0;
    if (birth >= 0) births_of_[birth] = directory;
    if (growing && growth >= 0) growth_of_[growth] = directory;
    if (birth >= 0 && growth >= 0) return true;
    ++unwatched_;
    return false;
}

std::optional<std::set<PodLog>> PodsWatch::look() {
    at_look_ = {.unwatched = unwatched_, .passed_over = passed_over_, .root = identity_of(pods_)};
    (void)watch(pods_, {});
    auto names = names_in(pods_, passed_over_);
    if (!names) return std::nullopt;
    std::set<PodLog> found;
    for (const auto& name : *names)
        if (auto pod = parse_pod(name)) look_at_pod(*pod, found);
    return found;
}

bool PodsWatch::is_complete() const {
    return unwatched_ == at_look_.unwatched && passed_over_ == at_look_.passed_over &&
           identity_of(pods_) == at_look_.root;
}

// A link in a directory's place would show another pod's logs as this one's: a pod that may write there (hostPath)
// could make one.
void PodsWatch::look_at_pod(const Pod& pod, std::set<PodLog>& found) {
    auto path = pods_ / pod.directory();
    if (!is_own_directory(path)) return;
    (void)watch(path, {.pod = pod, .container = {}});
    for (const auto& name : names_in(path, passed_over_).value_or(std::vector<std::string>{}))
        if (is_container_name(name)) look_at_container(pod, name, found);
}

// A log whose only files are rotated ones is one, too.
void PodsWatch::look_at_container(const Pod& pod, const std::string& container, std::set<PodLog>& found) {
    auto path = pods_ / pod.directory() / container;
    if (!is_own_directory(path)) return;
    (void)watch(path, {.pod = pod, .container = container});
    std::set<std::uint32_t> runs;
    for (const auto& name : names_in(path, passed_over_).value_or(std::vector<std::string>{}))
        if (auto run = run_of(name)) runs.insert(*run);
    for (auto run : runs) {
        PodLog log{.pod = pod, .container = container, .run = run};
        found.insert(log);
        listener_.log_appeared(log);
    }
}

asio::awaitable<void> PodsWatch::follow_births() {
    for (;;) {
        co_await births_->wait();
        std::map<PodLog, unsigned> born;
        std::set<PodLog> deleted;
        std::set<Pod> pods, pods_gone;
        std::set<std::pair<Pod, std::string>> containers, containers_gone;
        bool complete = births_->read([&](const FileEvent& event) {
            auto known = births_of_.find(event.watch);
            if (known == births_of_.end()) return;
            if (event.mask & IN_IGNORED) {
                births_of_.erase(known);
                return;
            }
            const auto& [pod, container] = known->second;
            bool gone = event.mask & IN_DELETE;
            if (!pod) {
                if (auto named = parse_pod(event.name)) (gone ? pods_gone : pods).insert(*named);
            } else if (container.empty()) {
                if (is_container_name(event.name))
                    (gone ? containers_gone : containers).emplace(*pod, std::string{event.name});
            } else if (auto run = run_of(event.name); run && gone) {
                deleted.insert({.pod = *pod, .container = container, .run = *run});
            } else if (is_log(event.name)) {
                ++born[{.pod = *pod, .container = container, .run = *run_of(event.name)}];
            }
        });
        std::set<PodLog> found;
        for (const auto& pod : pods) look_at_pod(pod, found);
        for (const auto& [pod, container] : containers) look_at_container(pod, container, found);
        for (const auto& [log, births] : born) {
            listener_.log_appeared(log);
            listener_.log_born(log, births);
        }
        for (const auto& log : deleted) listener_.log_deleted(log);
        std::error_code problem;
        for (const auto& pod : pods_gone)
            if (!std::filesystem::exists(pods_ / pod.directory(), problem)) listener_.logs_vanished(pod, {});
        for (const auto& [pod, container] : containers_gone)
            if (!std::filesystem::exists(pods_ / pod.directory() / container, problem))
                listener_.logs_vanished(pod, container);
        if (!complete) listener_.news_lost();
    }
}

asio::awaitable<void> PodsWatch::follow_growth() {
    for (;;) {
        co_await growth_->wait();
        std::set<PodLog> grown, closed;
        bool complete = growth_->read([&](const FileEvent& event) {
            auto known = growth_of_.find(event.watch);
            if (known == growth_of_.end()) return;
            if (event.mask & IN_IGNORED) {
                growth_of_.erase(known);
                return;
            }
            if (auto run = run_of(event.name))
                (event.mask & IN_CLOSE_WRITE ? closed : grown)
                    .insert({.pod = *known->second.pod, .container = known->second.container, .run = *run});
        });
        for (const auto& log : grown) listener_.log_grew(log);
        for (const auto& log : closed) listener_.log_closed(log);
        if (!complete) listener_.news_lost();
        co_await net::sleep_for(growth_pause);
    }
}

}  // namespace boatswain::intake::cri
