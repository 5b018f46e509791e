// Follows the API server's watch of one node's pods, on a thread of its own: libcurl's calls block.
//
//   GET /api/v1/pods?watch=1&fieldSelector=spec.nodeName=NODE&resourceVersion=0&allowWatchBookmarks=1
//
// From version 0 the server says all pods that are there, then what happens; a watch that ended goes on from the last
// version that was taken. One watch at a time; after a failure it waits, longer each time. The token is read from its
// file for each watch, as whoever made it changes it. What comes is handed over line by line: at most inbox_bytes_max
// wait, and while they do the server is not read from.
//
// Everything but the constructor's thread belongs to the I/O thread.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/result.h"
#include "intake/pod_watch/watch_lines.h"
#include "net/event.h"

namespace boatswain::intake::cri {

struct ApiWatchOptions {
    std::string url;  // of the API server: "https://kubernetes.default.svc"
    Path token_file;  // empty: none is sent
    Path ca_file;     // PEM; empty: the system's authorities
    std::string node;
    std::chrono::milliseconds retry_first{1'000}, retry_max{60'000};
    std::chrono::seconds watch_time{300};  // the server ends a watch after that, a third more or less
};

// A watch of at least so long has gone well, whatever ended it.
inline constexpr std::chrono::seconds watch_went_well{10};
inline constexpr std::size_t inbox_bytes_max = 4U << 20;
inline constexpr std::size_t token_bytes_max = 16U << 10;

class ApiWatch {
  public:
    ApiWatch(boost::asio::any_io_executor executor, ApiWatchOptions options);
    ApiWatch(const ApiWatch&) = delete;
    ApiWatch& operator=(const ApiWatch&) = delete;
    ~ApiWatch();  // after the executor's last turn; a second at most

    // Until there may be something to take, at most `time`. Of ONE coroutine.
    boost::asio::awaitable<void> wait_for(std::chrono::milliseconds time) { return news_.wait_for(time); }
    struct Taken {
        std::string line;
        std::uint64_t round = 0;  // another one than before: from here on all pods are said again
        std::uint64_t watch = 0;  // likewise: what happened between two watches is said first
    };
    // The next event, in order; nothing when all were taken.
    std::optional<Taken> take();
    // What was taken reaches to `version`: from there a next watch goes on.
    void reached(std::string version);
    // What was taken says that the watch is over, and why.
    void ended(std::string why);
    // The pods are to be said again, all of them: their history is lost, or more is wanted of them.
    void begin_again();

    struct Standing {
        bool heard = false;          // a line came since the beginning, or since begin_again()
        std::uint64_t round = 0;     // as in Taken
        std::string trouble;         // a sentence while it cannot be followed; else empty
        std::uint64_t watches = 0;   // begun
        std::uint64_t failures = 0;  // of them
        std::uint64_t too_long = 0;  // events that were left out
    };
    Standing standing() const;

  private:
    struct Watched {  // how one ended
        std::string trouble;
        bool lost_history = false;
        std::optional<std::chrono::seconds> wait;  // as the server asks
    };
    void follow(const std::stop_token& stop);
    Watched watch_once(const std::stop_token& stop);
    Result<std::string> token() const;
    // False: the watch is over.
    bool hand_over(std::string line, std::uint64_t round, const std::stop_token& stop);
    void pause(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds time, const std::stop_token& stop);

    const boost::asio::any_io_executor executor_;
    const ApiWatchOptions options_;
    const std::shared_ptr<bool> here_ = std::make_shared<bool>(true);  // for what was posted and runs too late
    net::Event news_;
    std::atomic<bool> end_watch_ = false;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Taken> inbox_;
    std::size_t inbox_bytes_ = 0;
    bool drained_ = true;  // the last line was taken, and what follows from it is known
    std::string version_ = "0";
    std::uint64_t round_ = 0;
    std::string ended_;  // why the watch is over, as an event said
    Standing standing_;
    WatchLines lines_;
    std::jthread thread_;  // last: it uses the above
};

}  // namespace boatswain::intake::cri
