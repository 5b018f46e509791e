#include "intake/docker/directory_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include <set>

#include "engine/container.h"
#include "net/event.h"

namespace boatswain::intake::docker {

namespace asio = boost::asio;

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::open(asio::any_io_executor executor, LogLayout layout,
                                                             WatchListener& listener) {
    TRY(auto births, Inotify::open(executor));
    TRY(auto changes, Inotify::open(executor));
    return std::unique_ptr<DirectoryWatch>{
        new DirectoryWatch(std::move(births), std::move(changes), std::move(layout), listener)};
}

// The kernel gives one directory the same watch each time, and another one another.
Result<bool> DirectoryWatch::find() {
    // A watch is given for what may not be read, too.
    const auto& directory = layout_.containers;
    Fd readable{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!readable) return fail_errno(Remedy::stop, "open " + directory.string());
    int root = births_->add(directory, IN_CREATE | IN_MOVED_TO | IN_DELETE);
    if (root < 0) return fail_errno(Remedy::stop, "watch " + directory.string());
    auto before = std::exchange(root_, root);
    if (before == root) return false;
    if (before >= 0) births_->remove(before);
    return true;
}

bool DirectoryWatch::watch(const std::string& id) {
    auto path = layout_.directory_of(id);
    if (watch_log_in(path, id)) return true;
    if (layout_.within().empty()) return false;
    // The directory of the log is made a moment later.
    int above = births_->add(layout_.containers / id, IN_CREATE);
    if (above < 0) return false;
    births_of_[above] = id;
    std::error_code problem;
    return !std::filesystem::exists(path, problem) || watch_log_in(path, id);
}

bool DirectoryWatch::watch_log_in(const Path& directory, const std::string& id) {
    int birth = births_->add(directory, IN_CREATE | IN_MOVED_TO);
    int change = changes_->add(directory, IN_MODIFY);
    if (birth >= 0) births_of_[birth] = id;
    if (change >= 0) changes_of_[change] = id;
    return birth >= 0 && change >= 0;
}

void DirectoryWatch::take_root_event(const FileEvent& event) {
    if (!engine::is_container_id(event.name)) return;
    if (event.mask & IN_DELETE)
        listener_.container_vanished(std::string{event.name});
    else
        listener_.container_appeared(std::string{event.name});
}

void DirectoryWatch::take_birth(const FileEvent& event, const std::string& id, std::map<std::string, unsigned>& born) {
    if (!layout_.podman) {
        if ((event.mask & IN_CREATE) && event.name.ends_with("-json.log")) ++born[id];
    } else if (event.name == layout_.within()) {
        listener_.container_appeared(id);
    } else if (layout_.is_log(event.name)) {
        if (event.mask & IN_CREATE)
            listener_.log_begun(id);
        else
            ++born[id];
    }
}

asio::awaitable<void> DirectoryWatch::tell_births() {
    for (;;) {
        co_await births_->wait();
        std::map<std::string, unsigned> born;
        bool complete = births_->read([&](const FileEvent& event) {
            if (event.watch == root_) return take_root_event(event);
            auto found = births_of_.find(event.watch);
            if (found == births_of_.end()) return;
            if (event.mask & IN_IGNORED)
                births_of_.erase(found);
            else
                take_birth(event, std::string{found->second}, born);
        });
        for (const auto& [id, count] : born) listener_.files_born(id, count);
        if (!complete) listener_.news_lost();
    }
}

asio::awaitable<void> DirectoryWatch::tell_changes() {
    for (;;) {
        co_await changes_->wait();
        std::set<std::string> grown;
        bool complete = changes_->read([&](const FileEvent& event) {
            auto id = changes_of_.find(event.watch);
            if (id == changes_of_.end()) return;
            if (event.mask & IN_IGNORED)
                changes_of_.erase(id);
            else if (layout_.is_log(event.name))
                grown.insert(id->second);
        });
        for (const auto& id : grown) listener_.log_grew(id);
        if (!complete) listener_.news_lost();
        co_await net::sleep_for(change_pause);
    }
}

}  // namespace boatswain::intake::docker
