#include "batch/following.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/rig_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::batch {
namespace {

using batch::testing::Rig;
using batch::testing::source;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Timestamp ten = *parse_time("2026-11-23T10:20:00Z");

class FollowingTest : public ::testing::Test {
  protected:
    std::unique_ptr<Feed> feed(const std::string& id, std::string_view tenant = "acme") {
        return rig.batcher->open_feed(source(id, tenant), {identity.recipient()}, {}, false);
    }
    std::unique_ptr<Following> follow(std::string_view tenant = "acme") {
        return rig.batcher->follow(TenantId::parse(tenant).value(), [this] { ++calls; }).value();
    }
    void print(Feed& feed, std::string_view line) {
        feed.append(Line{.time = ten, .bytes = line});
        feed.mark(FilePosition{.device = 1, .out_offset = ++offset});
    }
    static std::string written(std::string_view message) {
        return "2026-11-23T10:20:00.000000000Z stdout F " + std::string{message} + "\n";
    }
    static std::vector<std::string> texts(Following& following) {
        std::vector<std::string> all;
        for (auto& portion : following.take()) all.push_back(portion.source->source.id + ": " + portion.text);
        return all;
    }

    open::Identity identity = open::Identity::generate();
    Rig rig;
    std::uint64_t offset = 0;
    int calls = 0;
};

TEST_F(FollowingTest, GetsTheLinesOfItsTenantFromNowOn) {
    auto web = feed("web"), other = feed("other", "umbrella");
    print(*web, "before");
    auto following = follow();
    print(*web, "one");
    print(*web, "two");
    print(*other, "not ours");
    auto db = feed("db");
    print(*db, "three");
    EXPECT_THAT(texts(*following), ElementsAre("web: " + written("one") + written("two"), "db: " + written("three")));
    EXPECT_THAT(texts(*following), IsEmpty());
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(following->take_dropped_lines(), 0U);
}

TEST_F(FollowingTest, GetsEachLineOnceOverFramesAndGapsAndTheEnd) {
    auto following = follow();
    auto web = feed("web");
    print(*web, "one");
    ASSERT_TRUE(rig.seal_all());
    print(*web, "two");
    web->append(Gap{.from = ten, .to = ten, .reason = "rotated"});
    web->mark(FilePosition{.device = 1, .out_offset = ++offset});
    web->close({.time = ten, .reason = "exited"});
    auto all = texts(*following);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_TRUE(all[0].starts_with("web: " + written("one") + written("two") + "# gap {")) << all[0];
    EXPECT_NE(all[0].find("\n# end {"), std::string::npos) << all[0];
}

TEST_F(FollowingTest, DropsAndCountsWhatDoesNotFitUntilSomebodyLooks) {
    auto following = follow();
    auto web = feed("web");
    std::string long_line(following_bytes_max / 2, 'x');
    print(*web, long_line);
    print(*web, long_line);
    print(*web, "short, and behind the hole");
    EXPECT_THAT(texts(*following), ElementsAre("web: " + written(long_line)));
    EXPECT_EQ(following->take_dropped_lines(), 2U);
    print(*web, "after");
    EXPECT_THAT(texts(*following), ElementsAre("web: " + written("after")));
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(rig.spool->checkpoint("web").value().lines, 4U) << "in the log all the same";
}

TEST_F(FollowingTest, AllTogetherTakeNoMoreThanTheirBound) {
    std::vector<std::unique_ptr<Following>> all;
    std::vector<std::unique_ptr<Feed>> feeds;
    std::string line(following_bytes_max / 2, 'x');
    std::uint64_t dropped = 0;
    for (std::size_t i = 0; i < 2 * followings_bytes_max / line.size(); ++i) {
        auto tenant = "tenant-" + std::to_string(i);
        all.push_back(follow(tenant));
        feeds.push_back(feed("web-" + std::to_string(i), tenant));
        print(*feeds.back(), line);
        dropped += all.back()->take_dropped_lines();
    }
    EXPECT_GE(dropped, all.size() / 2);
    EXPECT_LT(dropped, all.size());
    all.erase(all.begin());
    print(*feeds.back(), line);
    EXPECT_EQ(all.back()->take_dropped_lines(), 0U) << "the first one has made room";
}

TEST_F(FollowingTest, EndsAndMakesRoomForAnother) {
    std::vector<std::unique_ptr<Following>> all;
    for (std::size_t i = 0; i < followings_max; ++i) all.push_back(follow());
    auto refused = rig.batcher->follow(TenantId::parse("acme").value(), [] {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::back_off);
    all.pop_back();
    EXPECT_TRUE(rig.batcher->follow(TenantId::parse("acme").value(), [] {}));
}

}  // namespace
}  // namespace boatswain::batch
