#include "base/observers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace boatswain {
namespace {

using ::testing::ElementsAre;

TEST(Observers, AreAllToldInTheOrderInWhichTheyCame) {
    Observers<std::string> observers;
    std::vector<std::string> seen;
    auto first = observers.watch([&](const std::string& what) { seen.push_back("first " + what); });
    std::optional second = observers.watch([&](const std::string& what) { seen.push_back("second " + what); });
    observers.tell("a");
    second.reset();
    observers.tell("b");
    EXPECT_THAT(seen, ElementsAre("first a", "second a", "first b"));
}

TEST(Observers, AreNotCalledAfterTheirWatchHasEnded) {
    Observers<int> observers;
    std::atomic<bool> has_ended = false, late = false;
    std::atomic<int> calls = 0;
    std::optional watch = observers.watch([&](int) {
        ++calls;
        late = late || has_ended;
    });
    std::jthread teller{[&](std::stop_token stop) {
        while (!stop.stop_requested()) observers.tell(1);
    }};
    while (calls == 0) std::this_thread::yield();
    watch.reset();
    has_ended = true;
    teller.request_stop();
    teller.join();
    EXPECT_FALSE(late);
}

TEST(Observers, MayGoBeforeTheirWatches) {
    std::optional<Observers<int>> observers{std::in_place};
    auto watch = observers->watch([](int) {});
    observers.reset();
}

}  // namespace
}  // namespace boatswain
