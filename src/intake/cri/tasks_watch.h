// Watches containerd's directory of tasks: TASKS/ID/config.json is there from just before a container starts until just
// after it has ended, and says its variables (task_config.h).
//
// The log of a container is made before its task is, and a task is gone before the container is started again. A task
// that is gone is remembered for a moment, for a log whose birth was not looked at yet. Where two tasks claim to be one
// container, neither is believed. No link is followed below the directory. Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "intake/cri/task_config.h"
#include "intake/source/inotify.h"
#include "net/event.h"

namespace boatswain::intake::cri {

inline constexpr std::size_t tasks_max = 20'000;               // known at a time; what is beyond is not looked at
inline constexpr std::size_t task_config_bytes_max = 4 << 20;  // of one config.json; a longer one is not read
inline constexpr std::chrono::seconds gone_task_kept{10};

class TasksWatch {
  public:
    using ContainerOfPod = std::pair<Pod, std::string>;
    using Environment = std::map<std::string, std::string>;

    // `learned` is called for each task that was read. Remedy::re_resolve when the directory is not there.
    static Result<std::unique_ptr<TasksWatch>> open(boost::asio::any_io_executor executor, Path tasks, WordFilter keep,
                                                    const Clock& clock,
                                                    std::function<void(const ContainerOfPod&)> learned);
    TasksWatch(const TasksWatch&) = delete;
    TasksWatch& operator=(const TasksWatch&) = delete;

    // Reads all that is there, also what was read before. False: the directory cannot be read.
    bool look();
    // Run until cancelled.
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> read_again();  // what was not whole when its directory appeared

    // The variables of the container whose log was made then: those of its task that is there, or of one that is gone
    // and was written after the log's birth. Null where there is none, or more than one.
    const Environment* find(const ContainerOfPod& container, Timestamp log_made) const;
    std::size_t size() const { return tasks_.size(); }

  private:
    struct Known {
        std::optional<ContainerOfPod> container;  // nothing: no container of a pod, or not read yet
        Environment environment;
        Timestamp written{};
        unsigned tries = 0;
        std::optional<std::chrono::steady_clock::time_point> gone;
    };
    TasksWatch(boost::asio::any_io_executor executor, Path tasks, WordFilter keep, const Clock& clock,
               std::unique_ptr<Inotify> news, std::function<void(const ContainerOfPod&)> learned);
    void appeared(const std::string& id);
    void went(const std::string& id);
    bool read(const std::string& id, Known& known);  // false: not whole, or not there
    void forget(const std::string& id);

    const Path path_;
    const WordFilter keep_;
    const Clock& clock_;
    std::unique_ptr<Inotify> news_;
    std::function<void(const ContainerOfPod&)> learned_;
    net::Event unread_;
    std::map<std::string, Known> tasks_;  // by id
    std::multimap<ContainerOfPod, std::string> ids_;
};

}  // namespace boatswain::intake::cri
