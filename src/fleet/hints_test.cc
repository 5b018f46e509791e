#include "fleet/hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(RecordIo, IsReadWhereverItsBytesAreCut) {
    std::string stream = "5\nhello0\n11\nhello\nworld";
    for (std::size_t cut = 1; cut <= stream.size(); ++cut) {
        RecordReader reader;
        std::vector<std::string> records;
        for (std::size_t at = 0; at < stream.size(); at += cut)
            EXPECT_TRUE(reader.take(std::string_view{stream}.substr(at, cut),
                                    [&](std::string_view one) { records.emplace_back(one); }));
        EXPECT_THAT(records, ElementsAre("hello", "", "hello\nworld"));
    }
}

TEST(RecordIo, KeepsOnlyTheBeginningOfALongRecord) {
    RecordReader reader;
    std::size_t kept = 0;
    EXPECT_TRUE(reader.take("1000000\n", [](std::string_view) {}));
    for (int i = 0; i < 1000; ++i)
        EXPECT_TRUE(reader.take(std::string(1000, 'x'), [&](std::string_view one) { kept = one.size(); }));
    EXPECT_EQ(kept, RecordReader::kept_max);
}

TEST(RecordIo, IsGivenUpWhenItIsNot) {
    for (const char* text : {"x", "\n", "12x", "<html>", "99999999999\n", "-1\n"}) {
        RecordReader reader;
        EXPECT_FALSE(reader.take(text, [](std::string_view) {})) << text;
    }
}

TEST(ServerSentEvents, AreToldByTheirNames) {
    EventNames names;
    std::vector<std::string> seen;
    auto take = [&](std::string_view bytes) { names.take(bytes, [&](std::string_view one) { seen.emplace_back(one); }); };
    take("\r\n\r\nevent: deployment_su");
    take("ccess\r\ndata: event: no\r\n\r\nevent:x\n");
    take("event: " + std::string(1000, 'y') + "\nevent: z\n");
    EXPECT_THAT(seen, ElementsAre("deployment_success", "x", "z"));
}

TEST(AgentRecords, AreToldFromTheNoiseOfTasks) {
    EXPECT_TRUE(is_about_agents(R"({"type":"AGENT_ADDED","agent_added":{}})"));
    EXPECT_TRUE(is_about_agents(R"({"agent_removed":{"agent_id":{"value":"S1"}},"type":"AGENT_REMOVED"})"));
    EXPECT_FALSE(is_about_agents(R"({"type":"TASK_ADDED"})"));
    EXPECT_FALSE(is_about_agents(R"({"type":"HEARTBEAT"})"));
}

TEST(Waker, EndsAWaitAndKeepsAHintForTheNextOne) {
    Waker waker;
    waker.hint();
    auto begun = std::chrono::steady_clock::now();
    waker.wait_for(10min, true);
    waker.wait_for(1ms, true);
    waker.wake();
    waker.wait_for(10min, false);
    waker.wait_for(10min, true);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 1min);
}

}  // namespace
}  // namespace boatswain::fleet
