// The news of the engine's containers directory, made into what the table of containers is told.
//
// A container's log is opened the moment it appears, before anything else is asked, and what the container is comes
// from config.v2.json beside it: so one that is gone before inspect answers is read all the same. What inotify has no
// watch for is found by looking through the directory now and then.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "intake/docker/containers.h"
#include "intake/docker/directory_watch.h"
#include "intake/source/assigner.h"
#include "net/task_group.h"

namespace boatswain::intake::docker {

class DirectoryNews final : private WatchListener {
  public:
    DirectoryNews(boost::asio::any_io_executor executor, Containers& containers, const Assigner& assigner,
                  Metrics& metrics, Log& log);

    // Watches the containers directory in `engine_root` from now on, with tasks in `tasks`, which ends before this.
    // Where it cannot be watched, logs are read through the engine.
    void watch(const std::string& engine_root, net::TaskGroup& tasks);
    bool watching() const { return watch_ != nullptr; }

    // A container that the engine does not describe (gone already, being removed, wedged): its directory may still say
    // what it was.
    void adopt(const std::string& id);

  private:
    void container_appeared(const std::string& id) override;
    void files_born(const std::string& id, unsigned births) override;
    void log_grew(const std::string& id) override;
    void container_vanished(const std::string& id) override;
    void news_lost() override;
    void scan();
    boost::asio::awaitable<void> scan_now_and_then();

    boost::asio::any_io_executor executor_;
    Containers& containers_;
    const Assigner& assigner_;
    Metrics& metrics_;
    Log& log_;
    Path directory_;  // empty: not watched
    std::unique_ptr<DirectoryWatch> watch_;
};

}  // namespace boatswain::intake::docker
