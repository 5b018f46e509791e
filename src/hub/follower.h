// One who follows a tenant's lines: a queue between the hub, which never waits for him, and a thread of his own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hub/event.h"

namespace boatswain::hub {

// What waits for one follower; lines that do not fit are dropped, and take() says so.
inline constexpr std::size_t follower_bytes_max = 4U << 20;
// The same of all who follow at a hub. Lines that wait for several of them are there once, and are counted for each; what
// is made of them to be shown (SharedForms) is not counted.
inline constexpr std::size_t followers_bytes_max = 128U << 20;

// Thread-safe: the hub adds, one thread takes. Shared by the two.
class Follower {
  public:
    // How he reaches the hub; called by his thread.
    struct Asks {
        std::function<void(const std::string& host)> mark;
        std::function<void()> streams;
    };
    // `all`: what waits for all of a hub's followers.
    explicit Follower(Asks asks,
                      std::shared_ptr<std::atomic<std::size_t>> all = std::make_shared<std::atomic<std::size_t>>(0))
        : asks_(std::move(asks)), all_(std::move(all)) {}
    ~Follower() { *all_ -= bytes_; }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    // By the hub.
    void add(const LiveEvent& event);

    // By the follower.
    struct Taken {
        std::vector<LiveEvent> events;
        bool dropped = false;  // lines were dropped before the first of them: only a mark helps
    };
    // Waits at most so long.
    Taken take(std::chrono::milliseconds wait);
    // The agent of this host is to seal what it read of the tenant, and to say where that is. Others are left alone: each
    // mark is an object in the store.
    void ask_mark(const std::string& host) { asks_.mark(host); }
    // Streams that ended, or were refused, are to begin again.
    void ask_streams() { asks_.streams(); }

  private:
    const Asks asks_;
    const std::shared_ptr<std::atomic<std::size_t>> all_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<LiveEvent> events_;  // guarded by mutex_, as all below
    std::size_t bytes_ = 0;
    bool dropped_ = false;
};

}  // namespace boatswain::hub
