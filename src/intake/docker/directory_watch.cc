#include "intake/docker/directory_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <set>

#include "net/event.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

// One inotify instance: descriptor, and whose directory each watch is.
struct Instance {
    Instance(asio::any_io_executor executor, int fd) : descriptor(std::move(executor), fd) {}
    asio::posix::stream_descriptor descriptor;
    std::map<int, std::string> ids;

    // Calls `each` for every event that is there; false: the queue overflowed.
    template <class Each>
    bool read_events(Each&& each) {
        alignas(inotify_event) char buffer[16384];
        bool complete = true;
        for (;;) {
            auto size = ::read(descriptor.native_handle(), buffer, sizeof buffer);
            if (size <= 0) return complete;
            for (char* at = buffer; at < buffer + size;) {
                inotify_event event{};
                std::memcpy(&event, at, sizeof event);
                std::string_view name = event.len > 0 ? std::string_view{at + sizeof event} : std::string_view{};
                at += sizeof event + event.len;
                if (event.mask & IN_Q_OVERFLOW)
                    complete = false;
                else
                    each(event, name);
            }
        }
    }
};

bool is_log_file(std::string_view name) { return name.find("-json.log") != std::string_view::npos; }

}  // namespace

struct DirectoryWatch::State {
    State(asio::any_io_executor executor, int births_fd, int changes_fd, Path d, WatchListener& l)
        : births(executor, births_fd), changes(executor, changes_fd), directory(std::move(d)), listener(l) {}
    Instance births;
    Instance changes;
    Path directory;
    WatchListener& listener;
    int root = -1;  // the watch of the containers directory itself, in `births`; none before find()
};

bool is_container_id(std::string_view name) {
    auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return name.size() == 64 && std::ranges::all_of(name, hex);
}

DirectoryWatch::DirectoryWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
DirectoryWatch::~DirectoryWatch() = default;
const Path& DirectoryWatch::directory() const { return state_->directory; }

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::open(asio::any_io_executor executor, Path directory,
                                                             WatchListener& listener) {
    int births = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int changes = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (births < 0 || changes < 0) {
        auto error = fail_errno(Remedy::back_off, "watch " + directory.string());
        if (births >= 0) ::close(births);
        if (changes >= 0) ::close(changes);
        return error;
    }
    return std::unique_ptr<DirectoryWatch>{new DirectoryWatch(
        std::make_unique<State>(std::move(executor), births, changes, std::move(directory), listener))};
}

// The kernel gives one directory the same watch each time, and another one another.
Result<bool> DirectoryWatch::find() {
    const auto& directory = state_->directory;
    // A watch is given for what may not be read, too.
    Fd readable{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!readable) return fail_errno(Remedy::stop, "open " + directory.string());
    int births = state_->births.descriptor.native_handle();
    int root = ::inotify_add_watch(births, directory.c_str(), IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR);
    if (root < 0) return fail_errno(Remedy::stop, "watch " + directory.string());
    auto before = std::exchange(state_->root, root);
    if (before == root) return false;
    if (before >= 0) ::inotify_rm_watch(births, before);
    return true;
}

bool DirectoryWatch::watch(const std::string& id) {
    auto path = state_->directory / id;
    int birth = ::inotify_add_watch(state_->births.descriptor.native_handle(), path.c_str(),
                                    IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    int change = ::inotify_add_watch(state_->changes.descriptor.native_handle(), path.c_str(), IN_MODIFY | IN_ONLYDIR);
    if (birth >= 0) state_->births.ids[birth] = id;
    if (change >= 0) state_->changes.ids[change] = id;
    return birth >= 0 && change >= 0;
}

asio::awaitable<void> DirectoryWatch::tell_births() {
    auto& births = state_->births;
    auto& listener = state_->listener;
    for (;;) {
        co_await births.descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        std::map<std::string, unsigned> born;
        bool complete = births.read_events([&](const inotify_event& event, std::string_view name) {
            if (event.wd == state_->root) {
                if (!is_container_id(name)) return;
                if (event.mask & IN_DELETE)
                    listener.container_vanished(std::string{name});
                else
                    listener.container_appeared(std::string{name});
                return;
            }
            auto id = births.ids.find(event.wd);
            if (id == births.ids.end()) return;
            if (event.mask & IN_IGNORED)
                births.ids.erase(id);
            else if (is_log_file(name) && (event.mask & IN_CREATE) && name.ends_with("-json.log"))
                ++born[id->second];
        });
        for (const auto& [id, count] : born) listener.files_born(id, count);
        if (!complete) listener.news_lost();
    }
}

asio::awaitable<void> DirectoryWatch::tell_changes() {
    auto& changes = state_->changes;
    for (;;) {
        co_await changes.descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        std::set<std::string> grown;
        bool complete = changes.read_events([&](const inotify_event& event, std::string_view name) {
            auto id = changes.ids.find(event.wd);
            if (id == changes.ids.end()) return;
            if (event.mask & IN_IGNORED)
                changes.ids.erase(id);
            else if (is_log_file(name))
                grown.insert(id->second);
        });
        for (const auto& id : grown) state_->listener.log_grew(id);
        if (!complete) state_->listener.news_lost();
        co_await net::sleep_for(change_pause);
    }
}

}  // namespace boatswain::intake::docker
