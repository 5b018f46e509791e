#include "boatswaind/heartbeat_publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/directory_for_test.h"
#include "store/directory.h"
#include "store/faulty.h"

namespace boatswain::boatswaind {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class HeartbeatPublisherTest : public ::testing::Test {
  protected:
    heartbeat::Heartbeat make(std::uint64_t containers) {
        return {.host = "node-7", .time = clock.now(), .containers = containers};
    }
    std::optional<heartbeat::Read> in_store() {
        auto fleet = heartbeat::read_fleet(store, key);
        EXPECT_TRUE(fleet);
        return fleet && !fleet->heartbeats.empty() ? std::optional{fleet->heartbeats.front()} : std::nullopt;
    }
    static bool comes_true(const std::function<bool()>& condition) {
        for (int waited = 0; waited < 60'000; ++waited) {
            if (condition()) return true;
            std::this_thread::sleep_for(1ms);
        }
        return false;
    }
    double counted(const std::string& result) {
        return metrics.counter("boatswain_heartbeats_total", "", {{"result", result}}).value();
    }

    testing::TestDirectory directory;
    SystemClock clock;
    Log log{clock, STDERR_FILENO, LogFormat::text, LogLevel::error};
    Metrics metrics;
    store::DirectoryStore store{directory / "store"};
    heartbeat::FleetKey key{Secret{std::string(32, 'k')}};
};

TEST_F(HeartbeatPublisherTest, PutsTheLatestHeartbeatProvenByTheHostsKey) {
    HeartbeatPublisher heart{store, key.of_host("node-7"), metrics, log};
    for (std::uint64_t i = 1; i <= 3; ++i) {
        heart.beat(make(i));
        EXPECT_TRUE(comes_true([&] {
            auto there = in_store();
            return there && there->heartbeat.containers == i && there->proof == heartbeat::Proof::proven;
        }));
    }
}

TEST_F(HeartbeatPublisherTest, GoesOnAfterAStoreThatWasAway) {
    store::FaultyStore faulty{store};
    faulty.on_every_call(store::Operation::replace, {.error = Error{Remedy::back_off, "away"}});
    HeartbeatPublisher heart{faulty, std::nullopt, metrics, log};
    heart.beat(make(1));
    EXPECT_TRUE(comes_true([&] { return counted("failed") == 1; }));
    faulty.heal();
    heart.beat(make(2));
    EXPECT_TRUE(comes_true([&] { return counted("put") == 1; }));
    EXPECT_EQ(in_store()->heartbeat.containers, 2U);
}

TEST_F(HeartbeatPublisherTest, EndsWithoutHavingBeaten) { HeartbeatPublisher heart{store, std::nullopt, metrics, log}; }

TEST_F(HeartbeatPublisherTest, TakesItsKeyFromTheFleetsOrItsOwnAndRefusesAnothers) {
    auto file = directory / "key";
    EXPECT_FALSE(HeartbeatPublisher::key_for("", "node-7").value());
    ASSERT_TRUE(write_file_durably(file, heartbeat::to_file(key)));
    EXPECT_EQ(HeartbeatPublisher::key_for(file, "node-7").value()->secret(), key.of_host("node-7").secret());
    ASSERT_TRUE(write_file_durably(file, heartbeat::to_file(key.of_host("node-7"))));
    EXPECT_EQ(HeartbeatPublisher::key_for(file, "node-7").value()->secret(), key.of_host("node-7").secret());
    auto refused = HeartbeatPublisher::key_for(file, "node-8");
    EXPECT_EQ(refused.error().remedy, Remedy::stop);
    EXPECT_THAT(refused.error().what, HasSubstr("node-7"));
    EXPECT_EQ(HeartbeatPublisher::key_for(directory / "missing", "node-7").error().remedy, Remedy::stop);
}

}  // namespace
}  // namespace boatswain::boatswaind
