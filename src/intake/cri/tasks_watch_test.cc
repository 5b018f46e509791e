// Tasks that come and go, on a real file system with the kernel's own news of it.
#include "intake/cri/tasks_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "base/directory_for_test.h"
#include "base/time.h"
#include "net/run_for_test.h"

namespace boatswain::intake::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr auto team_alone = [](std::string_view key) { return key == "TEAM"; };
const TasksWatch::ContainerOfPod app{Pod{.space = "acme", .name = "web-0", .uid = "u1"}, "app"};

std::string config_of(const std::string& team, const std::string& type = "container", const std::string& uid = "u1") {
    return R"({"process":{"env":["SECRET=1","TEAM=first","no value","TEAM=)" + team +
           R"("]},"annotations":{"io.kubernetes.cri.container-type":")" + type +
           R"(","io.kubernetes.cri.container-name":"app","io.kubernetes.cri.sandbox-namespace":"acme",)"
           R"("io.kubernetes.cri.sandbox-name":"web-0","io.kubernetes.cri.sandbox-uid":")" +
           uid + "\"}}";
}

TEST(TaskConfig, SaysWhoseItIsAndTheVariablesThatRulesRead) {
    auto task = parse_task_config(config_of("red"), {.environment = team_alone}).value();
    ASSERT_TRUE(task);
    EXPECT_EQ(std::pair(task->pod, task->container), app);
    EXPECT_THAT(task->environment, ElementsAre(Pair("TEAM", "red")));
}

TEST(TaskConfig, OfOthersIsPassedOverAndWhatIsNotUnderstoodIsNoContainer) {
    WordFilter keep{.environment = team_alone};
    EXPECT_FALSE(parse_task_config(config_of("red", "sandbox"), keep).value());
    EXPECT_FALSE(parse_task_config(R"({"process":{"env":["TEAM=red"]}})", keep).value()) << "another client's";
    for (const auto* broken : {"", "[]", "{\"annotations\":", "null"}) EXPECT_FALSE(parse_task_config(broken, keep));
    EXPECT_FALSE(parse_task_config(config_of("red", "container", "../u1"), keep)) << "no uid";
    EXPECT_THAT(parse_task_config(config_of(std::string(word_bytes_max + 1, 'x')), keep).value()->environment,
                ElementsAre(Pair("TEAM", word_too_long)));
}

class TasksWatchTest : public ::testing::Test {
  protected:
    TasksWatchTest() {
        std::filesystem::create_directories(tasks);
        watch = TasksWatch::open(io.get_executor(), tasks, {.environment = team_alone}, clock, [this](const auto&) {
                    ++learned;
                }).value();
        boost::asio::co_spawn(io, watch->follow(), boost::asio::detached);
        boost::asio::co_spawn(io, watch->read_again(), boost::asio::detached);
    }
    void put(const std::string& id, const std::string& config) {
        std::filesystem::create_directories(tasks / id);
        boatswain::testing::write(tasks / id / "config.json", config);
    }
    void run_until_learned(int times) {
        EXPECT_TRUE(net::testing::run_until(io, [&] { return learned >= times; }));
    }
    std::string team(Timestamp log_made = {}) const {
        const auto* found = watch->find(app, log_made);
        return found ? found->at("TEAM") : "nobody says";
    }

    boatswain::testing::TestDirectory directory;
    Path tasks = directory / "k8s.io";
    SimulatedClock clock{*parse_time("2026-11-30T10:00:00Z")};
    boost::asio::io_context io;
    int learned = 0;
    std::unique_ptr<TasksWatch> watch;
};

TEST_F(TasksWatchTest, ATaskIsReadWhenItIsWhole) {
    put("task1", config_of("red").substr(0, 40));
    net::testing::run_for(io, std::chrono::milliseconds{50});
    EXPECT_EQ(team(), "nobody says");
    put("task1", config_of("red"));
    run_until_learned(1);
    EXPECT_EQ(team(), "red");
}

TEST_F(TasksWatchTest, ATaskThatIsGoneCountsForALogThatWasMadeBeforeIt) {
    auto before = SystemClock{}.now() - std::chrono::seconds{5};
    put("task1", config_of("red"));
    run_until_learned(1);
    std::filesystem::remove_all(tasks / "task1");
    EXPECT_EQ(team(before), "red");
    EXPECT_EQ(team(SystemClock{}.now() + std::chrono::seconds{5}), "nobody says") << "it is that of the run before";
    put("task2", config_of("blue"));
    run_until_learned(2);
    EXPECT_EQ(team(SystemClock{}.now() + std::chrono::seconds{5}), "blue");
    clock.advance(gone_task_kept);
    std::filesystem::remove_all(tasks / "task2");
    ASSERT_TRUE(watch->look());
    EXPECT_EQ(watch->size(), 1U);
}

TEST_F(TasksWatchTest, OfTwoThatSayTheyAreOneContainerNeitherIsBelieved) {
    put("task1", config_of("red"));
    put("task2", config_of("blue"));
    run_until_learned(2);
    EXPECT_EQ(team(), "nobody says");
}

TEST_F(TasksWatchTest, NoLinkIsFollowed) {
    put("../elsewhere/task1", config_of("red"));
    std::filesystem::create_directory_symlink(directory / "elsewhere/task1", tasks / "task1");
    std::filesystem::create_directories(tasks / "task2");
    std::filesystem::create_symlink(directory / "elsewhere/task1/config.json", tasks / "task2/config.json");
    ASSERT_TRUE(watch->look());
    net::testing::run_for(io, std::chrono::milliseconds{50});
    EXPECT_EQ(learned, 0);
}

}  // namespace
}  // namespace boatswain::intake::cri
