#include "net/run_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <vector>

#include "net/run_for_test.h"

namespace boatswain::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using ::testing::ElementsAre;

class RunQueueTest : public ::testing::Test {
  protected:
    Turn take(const std::string& id) {
        taken.push_back(id);
        if (!room) return Turn::no_room;
        auto& left = work[id];
        return left == 0 || --left == 0 ? Turn::done : Turn::worked;
    }
    void run_until(const std::function<bool()>& condition) { EXPECT_TRUE(testing::run_until(io, condition)); }
    bool all_done() const {
        return std::ranges::all_of(work, [](const auto& entry) { return entry.second == 0; });
    }
    void give(const std::string& id, int pieces) {
        work[id] = pieces;
        turns.ready(id);
    }

    asio::io_context io;
    std::map<std::string, int> work;
    std::vector<std::string> taken;
    bool room = true;
    RunQueue turns{io.get_executor(), [this](const std::string& id) { return take(id); }};
};

TEST_F(RunQueueTest, GivesEachATurnBeforeAnyHasASecondOne) {
    asio::co_spawn(io, turns.run(), asio::detached);
    give("a", 3);
    give("b", 1);
    give("c", 2);
    run_until([&] { return all_done(); });
    EXPECT_THAT(taken, ElementsAre("a", "b", "c", "a", "c", "a"));
    taken.clear();
    give("b", 1);
    run_until([&] { return all_done(); });
    EXPECT_THAT(taken, ElementsAre("b"));
}

TEST_F(RunQueueTest, WaitsForRoomAndGoesOnWhenThereIsSome) {
    asio::co_spawn(io, turns.run(), asio::detached);
    room = false;
    give("a", 1);
    run_until([&] { return taken.size() >= 2; });  // once more for the notice that it is ready
    io.run_for(20ms);
    EXPECT_EQ(taken.size(), 2U) << "it does not spin";
    room = true;
    turns.progressed();
    run_until([&] { return all_done(); });
    EXPECT_EQ(taken.size(), 3U);
}

TEST_F(RunQueueTest, LetsOthersOnTheThreadRunBetweenTwoTurns) {
    asio::co_spawn(io, turns.run(), asio::detached);
    give("a", 1000);
    bool other = false;
    asio::post(io, [&] { asio::post(io, [&] { other = true; }); });
    while (!other) io.run_one();
    EXPECT_LT(taken.size(), 10U);
}

TEST_F(RunQueueTest, ForgetsOne) {
    give("a", 1);
    turns.forget("a");
    asio::co_spawn(io, turns.run(), asio::detached);
    give("b", 1);
    run_until([&] { return work["b"] == 0; });
    EXPECT_THAT(taken, ElementsAre("b"));
}

TEST_F(RunQueueTest, DoesTheRestUntilItIsDoneOrTimeIsUp) {
    give("a", 3);
    give("b", 2);
    turns.run_rest([] { return true; });
    EXPECT_THAT(taken, ElementsAre("a", "b", "a", "b", "a"));
    give("a", 100);
    taken.clear();
    turns.run_rest([&] { return taken.size() < 5; });
    EXPECT_EQ(taken.size(), 5U);
    room = false;
    turns.run_rest([] { return true; });
    EXPECT_EQ(taken.size(), 6U) << "it waits for no room";
}

}  // namespace
}  // namespace boatswain::net
