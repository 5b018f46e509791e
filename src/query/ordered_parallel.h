// Work that is done by several threads and handed on in order: objects are fetched and opened side by side, and judged
// one after the other.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace boatswain::query {

// Calls `work(i)` for each i below `count` in `threads` threads, and `take(i, result)` in the calling thread, from 0
// on. At most `ahead` results are begun and not yet taken. The first error of either ends it and is returned; work that
// is under way is waited for.
template <class T, class Work, class Take>
Result<void> ordered_parallel(std::size_t count, std::size_t threads, std::size_t ahead, const Work& work,
                              const Take& take) {
    std::mutex guard;
    std::condition_variable changed;
    std::map<std::size_t, Result<T>> done;
    std::size_t next = 0, taken = 0;
    bool stopped = false;

    auto run = [&] {
        for (;;) {
            std::size_t at = 0;
            {
                std::unique_lock lock{guard};
                changed.wait(lock, [&] { return stopped || next == count || next < taken + ahead; });
                if (stopped || next == count) return;
                at = next++;
            }
            auto result = work(at);
            std::scoped_lock lock{guard};
            done.emplace(at, std::move(result));
            changed.notify_all();
        }
    };
    // Joins before what it uses is gone, however this function is left.
    std::vector<std::jthread> helpers;
    struct Stop {
        std::mutex& guard;
        bool& stopped;
        std::condition_variable& changed;
        ~Stop() {
            std::scoped_lock lock{guard};
            stopped = true;
            changed.notify_all();
        }
    } stop{guard, stopped, changed};
    for (std::size_t i = 0; i < std::min(threads, count); ++i) helpers.emplace_back(run);

    while (taken < count) {
        std::unique_lock lock{guard};
        changed.wait(lock, [&] { return done.contains(taken); });
        auto result = std::move(done.extract(taken).mapped());
        lock.unlock();
        if (!result) return std::unexpected(std::move(result).error());
        CHECK(take(taken, std::move(*result)));
        lock.lock();
        ++taken;
        changed.notify_all();
    }
    return {};
}

}  // namespace boatswain::query
