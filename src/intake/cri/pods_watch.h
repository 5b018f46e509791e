// Watches the kubelet's pods directory: logs that appear, are rotated, grow and go.
//
// Directories are watched before they are listed, so nothing falls between. A birth is reported at once, for a pod that
// lives a moment leaves its log for a moment; growth at most fifty times a second. Told news may be late or repeated;
// after news_lost() everything must be looked at again. Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "intake/cri/pod_log.h"
#include "intake/source/inotify.h"

namespace boatswain::intake::cri {

inline constexpr std::chrono::milliseconds growth_pause{20};
// Directories below one directory, and logs in it, that are looked at: a kubelet runs 110 pods a node by default, of a
// few containers each. What is beyond is not read, and counted.
inline constexpr std::size_t entries_max = 10'000;

class PodsListener {
  public:
    virtual ~PodsListener() = default;
    virtual void log_appeared(const PodLog& log) = 0;               // or was there before: told at each look
    virtual void log_born(const PodLog& log, unsigned births) = 0;  // a file of its name was made, so often
    virtual void log_grew(const PodLog& log) = 0;
    virtual void log_closed(const PodLog& log) = 0;   // by its writer: it has ended, or its file was rotated
    virtual void log_deleted(const PodLog& log) = 0;  // one of its files, perhaps the last
    // The directory of these is gone: of all containers of the pod where `container` is empty.
    virtual void logs_vanished(const Pod& pod, const std::string& container) = 0;
    virtual void news_lost() = 0;
};

class PodsWatch {
  public:
    // Remedy::re_resolve when the directory is not there.
    static Result<std::unique_ptr<PodsWatch>> open(boost::asio::any_io_executor executor, Path pods,
                                                   PodsListener& listener);
    PodsWatch(const PodsWatch&) = delete;
    PodsWatch& operator=(const PodsWatch&) = delete;

    // Looks at everything. Returns the logs that are there; nothing when the pods directory cannot be read.
    std::optional<std::set<PodLog>> look();
    // Whether all that happens since look() is told of: each directory has a watch, the one at `pods` still is the one
    // that is watched (none was mounted over it), and none has more entries than are looked at.
    bool is_complete() const;
    // Run until cancelled.
    boost::asio::awaitable<void> follow_births();
    boost::asio::awaitable<void> follow_growth();

    std::uint64_t unwatched() const { return unwatched_; }      // directories that the kernel has no watch for
    std::uint64_t passed_over() const { return passed_over_; }  // entries beyond entries_max

  private:
    struct Directory {  // the root; a pod's, with `pod`; a container's, with both
        std::optional<Pod> pod;
        std::string container;
    };
    PodsWatch(Path pods, std::unique_ptr<Inotify> births, std::unique_ptr<Inotify> growth, PodsListener& listener)
        : pods_(std::move(pods)), births_(std::move(births)), growth_(std::move(growth)), listener_(listener) {}

    bool watch(const Path& path, const Directory& directory);
    void look_at_pod(const Pod& pod, std::set<PodLog>& found);
    void look_at_container(const Pod& pod, const std::string& container, std::set<PodLog>& found);

    const Path pods_;
    std::unique_ptr<Inotify> births_, growth_;
    PodsListener& listener_;
    std::map<int, Directory> births_of_, growth_of_;  // by watch
    std::uint64_t unwatched_ = 0, passed_over_ = 0;
    struct {
        std::uint64_t unwatched = 0, passed_over = 0;
        std::pair<std::uint64_t, std::uint64_t> root{};  // device and inode; zeros: not there
    } at_look_;
};

}  // namespace boatswain::intake::cri
