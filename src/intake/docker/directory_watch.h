// Watches the engine's containers directory: containers that appear, log files that are born, logs that grow. Where it
// is, and what its files are called, says log_layout.h.
//
// Two inotify instances, because the two kinds of news differ. A birth is urgent and rare: a container that lives 30 ms
// leaves its log for a moment only, and an open file outlives it. A write is neither: after one turn of changes the
// watch sleeps `change_pause`, so that a container that writes ten thousand lines a second wakes us fifty times, not
// ten thousand.
//
// Belongs to the I/O thread. Told news may be late or repeated; after lost() everything must be looked at again.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "intake/docker/log_layout.h"
#include "intake/source/inotify.h"

namespace boatswain::intake::docker {

inline constexpr std::chrono::milliseconds change_pause{20};

// What the watch tells. Called from the I/O thread.
class WatchListener {
  public:
    virtual ~WatchListener() = default;
    virtual void container_appeared(const std::string& id) = 0;
    virtual void log_begun(const std::string& id) = 0;                    // Podman's: its first file is there
    virtual void files_born(const std::string& id, unsigned births) = 0;  // log files, since the last time
    virtual void log_grew(const std::string& id) = 0;
    virtual void container_vanished(const std::string& id) = 0;
    virtual void news_lost() = 0;  // the kernel's queue overflowed
};

class DirectoryWatch {
  public:
    // `layout` says where the engine's containers directory is, which find() looks for. An error: the kernel gives no
    // watch.
    static Result<std::unique_ptr<DirectoryWatch>> open(boost::asio::any_io_executor executor, LogLayout layout,
                                                        WatchListener& listener);
    DirectoryWatch(const DirectoryWatch&) = delete;
    DirectoryWatch& operator=(const DirectoryWatch&) = delete;

    void set_layout(LogLayout layout) { layout_ = std::move(layout); }  // find() looks there from now on

    // Watches what is under the directory's name, from now on. True: it is another directory than before (the first
    // one, or one that was mounted or made again). An error while there is none, or it may not be read; then the one
    // before is still watched.
    Result<bool> find();

    // Watches a container's own directory; telling twice is no harm. False when it is gone, or the kernel's limit of
    // watches is reached (then its files are looked at by time alone; counted by the caller).
    bool watch(const std::string& id);

    // Run until cancelled.
    boost::asio::awaitable<void> tell_births();
    boost::asio::awaitable<void> tell_changes();

  private:
    DirectoryWatch(std::unique_ptr<Inotify> births, std::unique_ptr<Inotify> changes, LogLayout layout,
                   WatchListener& listener)
        : births_(std::move(births)), changes_(std::move(changes)), layout_(std::move(layout)), listener_(listener) {}
    bool watch_log_in(const Path& directory, const std::string& id);
    void take_root_event(const FileEvent& event);
    void take_birth(const FileEvent& event, const std::string& id, std::map<std::string, unsigned>& born);

    std::unique_ptr<Inotify> births_, changes_;
    std::map<int, std::string> births_of_, changes_of_;  // containers, by watch
    LogLayout layout_;
    WatchListener& listener_;
    int root_ = -1;  // the watch of the containers directory itself, in births_; none before find()
};

}  // namespace boatswain::intake::docker
