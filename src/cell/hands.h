// Threads that ask the store for cells: a call of one cell never waits for another cell's. They begin when they are
// needed, and stay.
//
// Thread-safe. At its end it waits for what was begun.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace boatswain::cell {

class Hands {
  public:
    // As many as may be called at a time: whoever calls keeps to that, together.
    explicit Hands(std::size_t most) : most_(most) {}
    ~Hands();
    Hands(const Hands&) = delete;
    Hands& operator=(const Hands&) = delete;

    // `work` throws nothing. Where the system has no thread for it, it is done here.
    void call(std::function<void()> work);

  private:
    void stand_by();

    const std::size_t most_;
    std::mutex guard_;  // of what follows
    std::condition_variable is_called_;
    std::deque<std::function<void()>> waiting_;
    std::size_t idle_ = 0;
    bool is_over_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace boatswain::cell
