// The news of the engine's containers directory, made into calls of the table of containers.
//
// A container's log is opened the moment it appears, before anything else is asked, and what the container is comes
// from config.v2.json beside it: so one that is gone before inspect answers is read all the same. What inotify has no
// watch for is found by looking through the directory now and then. Podman has no such file: its logs are held open
// from their beginning, and the engine is asked at once.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "intake/docker/containers.h"
#include "intake/docker/directory_watch.h"
#include "intake/source/assigner.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::intake::docker {

// The directory is looked for, and looked through, in this rhythm: should it come late, or inotify have no watch to
// give.
inline constexpr std::chrono::milliseconds look_pause{10'000};

class DirectoryNews final : private WatchListener {
  public:
    DirectoryNews(boost::asio::any_io_executor executor, Containers& containers, const Assigner& assigner,
                  Metrics& metrics, Log& log, std::chrono::milliseconds pause_between_looks = look_pause);

    // Whom to ask what a container is.
    void ask_with(std::function<void(const std::string& id)> ask) { ask_ = std::move(ask); }

    // Watches the containers directory from now on, with tasks in `tasks`, which ends before this; told again when the
    // engine says that it is another one. While it cannot be watched, it is looked for again: it may lie on a disk that
    // is mounted later, or again. Docker's logs are read through the engine meanwhile.
    void watch(const LogLayout& layout, net::TaskGroup& tasks);
    bool watching() const { return !layout_.containers.empty(); }  // or looking for it
    // Why it is not watched, for people; empty: it is, or nobody said where it is.
    const std::string& trouble() const { return last_error_; }
    // It came under its name after this process had been confined, which keeps it out.
    bool came_too_late() const { return came_too_late_; }

    // A container that the engine does not describe (gone already, being removed, wedged): its directory may still say
    // what it was.
    void adopt(const std::string& id);

  private:
    void container_appeared(const std::string& id) override;
    void log_begun(const std::string& id) override;
    void files_born(const std::string& id, unsigned births) override;
    void log_grew(const std::string& id) override;
    void container_vanished(const std::string& id) override;
    void news_lost() override;
    bool look(net::TaskGroup& tasks);
    Result<bool> find(net::TaskGroup& tasks);
    void tell(const Error& error);
    void watch(const std::string& id);
    void hold(const std::string& id);
    boost::asio::awaitable<void> scan();
    boost::asio::awaitable<void> look_now_and_then(net::TaskGroup& tasks, bool found);

    boost::asio::any_io_executor executor_;
    Containers& containers_;
    const Assigner& assigner_;
    Metrics& metrics_;
    Log& log_;
    Gauge& unseen_;
    const std::chrono::milliseconds look_pause_;
    net::Event scan_now_;  // before the next time
    LogLayout layout_;     // without a directory: nobody said where it is
    std::function<void(const std::string&)> ask_;
    std::unique_ptr<DirectoryWatch> watch_;
    std::string last_error_;
    bool denied_at_first_ = false;
    bool looked_ = false;
    bool came_too_late_ = false;
};

}  // namespace boatswain::intake::docker
