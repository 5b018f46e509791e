// The holder with the engine's side played by the test: requests over the socket, frames into FIFOs.
#include "intake/driver/holder_for_test.h"

namespace boatswain::intake::driver {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST_F(HolderTest, AnswersWhatAPluginIsAsked) {
    start();
    EXPECT_THAT(ask("/Plugin.Activate", ""), HasSubstr("{\"Implements\":[\"LogDriver\"]}"));
    EXPECT_THAT(ask("/LogDriver.Capabilities", ""), HasSubstr("{\"Cap\":{\"ReadLogs\":false}}"));
    EXPECT_THAT(ask("/LogDriver.StopLogging", "{\"File\":\"/x\"}"), HasSubstr("{\"Err\":\"\"}"));
    EXPECT_THAT(ask("/VolumeDriver.Create", "{}"), HasSubstr("404"));
    EXPECT_THAT(ask("/LogDriver.StartLogging", "{"), HasSubstr("\"Err\":\"boatswain: "));
    EXPECT_THAT(start_logging(directory / "nothing"), HasSubstr("\"Err\":\"boatswain: open "));
}

TEST_F(HolderTest, HoldsWhatTheEngineWritesUntilItsFifoEnds) {
    start();
    auto fifo = make_fifo(directory / "fifo");
    EXPECT_THAT(start_logging(directory / "fifo"), HasSubstr("{\"Err\":\"\"}"));
    print(fifo, frame(1));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1); }));
    print(fifo, frame(2));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1) + frame(2); }));
    EXPECT_FALSE(ended(1));
    // StopLogging comes before the last lines.
    EXPECT_THAT(ask("/LogDriver.StopLogging", "{\"File\":\"" + (directory / "fifo").string() + "\"}"),
                HasSubstr("{\"Err\":\"\"}"));
    print(fifo, frame(3));
    fifo = Fd{};
    EXPECT_TRUE(within(10s, [&] { return ended(1); }));
    EXPECT_EQ(held(1), frame(1) + frame(2) + frame(3));
}

TEST_F(HolderTest, GoesOnAfterARestartWithWhatTheEngineDoesNotTellAgain) {
    start();
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    print(fifo, frame(1));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1); }));
    stop();
    EXPECT_TRUE(std::filesystem::exists(directory / "plugin.sock"));
    print(fifo, frame(2));
    start();
    print(fifo, frame(3));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1) + frame(2) + frame(3); }));
    stop();
    print(fifo, frame(4));
    fifo = Fd{};  // the engine ended meanwhile: the FIFO's bytes are gone with it
    start();
    EXPECT_TRUE(within(10s, [&] { return ended(1); }));
    EXPECT_EQ(held(1).find(frame(1) + frame(2) + frame(3)), 0U);
}

TEST_F(HolderTest, TakesARepeatedCallForTheOneBefore) {
    start();
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    EXPECT_THAT(start_logging(directory / "fifo"), HasSubstr("{\"Err\":\"\"}"));
    EXPECT_EQ(held(1), "");
    EXPECT_EQ(held(2), "none");
}

TEST_F(HolderTest, ReadsTheOldFifoToItsEndWhenTheEngineOpensANewOne) {
    start();
    auto old = make_fifo(directory / "old");
    (void)start_logging(directory / "old");
    print(old, frame(1));
    auto fresh = make_fifo(directory / "fresh");
    (void)start_logging(directory / "fresh");
    print(fresh, frame(2));
    old = Fd{};
    EXPECT_TRUE(within(10s, [&] { return ended(1) && held(2) == frame(2); }));
    EXPECT_EQ(held(1), frame(1));
    EXPECT_TRUE(within(10s, [&] { return !std::filesystem::exists(directory / "old"); }));
    EXPECT_FALSE(ended(2));
}

TEST_F(HolderTest, RefusesAContainerThatAsksForAKeyAndHasNone) {
    start();
    auto fifo = make_fifo(directory / "fifo");
    auto strict = "{\"require-key\":\"true\"}";
    EXPECT_THAT(start_logging(directory / "fifo", strict),
                HasSubstr("\"Err\":\"boatswain: require-key=true, and no key\""));
    EXPECT_EQ(held(1), "none");
    EXPECT_THAT(start_logging(directory / "fifo", strict, "[\"BOATSWAIN_TENANT=acme\",\"SECRET=hush\"]"),
                HasSubstr("{\"Err\":\"\"}"));
    auto description =
        boatswain::testing::contents(memory.path / (HoldName{.container = id, .number = 1}.str() + ".json"));
    EXPECT_THAT(description, HasSubstr("acme"));
    EXPECT_THAT(description, ::testing::Not(HasSubstr("hush")));
}

TEST_F(HolderTest, DropsWithAGapWhatFindsNoRoomForTooLong) {
    start({.socket = {}, .hold_dir = {}, .hold_bytes = 1U << 20, .block_max = 100ms});
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    constexpr int frames = 200;
    for (int i = 0; i < frames; ++i) print(fifo, frame(i, 16'000));  // 3.2 MB: waits until some is dropped
    fifo = Fd{};
    ASSERT_TRUE(within(20s, [&] { return ended(1); }));
    auto bytes = held(1);
    EXPECT_LE(bytes.size(), 2U << 20);
    int kept = 0;
    std::uint64_t dropped = 0;
    for (std::string_view left = bytes; !left.empty();) {
        auto one = first_frame(left);
        ASSERT_GT(one.size, 0U);
        kept += one.kind == Frame::Kind::entry;
        if (one.kind == Frame::Kind::note) dropped += parse_gap_note(one.payload).value().lines_min;
        left.remove_prefix(one.size);
    }
    EXPECT_GT(dropped, 0U);
    EXPECT_EQ(static_cast<std::uint64_t>(kept) + dropped, static_cast<std::uint64_t>(frames));
}

TEST_F(HolderTest, LeavesADirectoryToTheHolderThatHasIt) {
    start();
    auto second = HoldLock::take(memory.path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().remedy, Remedy::back_off);
}

TEST_F(HolderTest, LeavesTheSocketToTheHolderThatServesThere) {
    start();
    Memory others;
    auto lock = HoldLock::take(others.path);
    ASSERT_TRUE(lock);
    boost::asio::io_context other;
    auto second = PluginServer::bind(other.get_executor(), directory / "plugin.sock", *lock);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().remedy, Remedy::back_off);
    EXPECT_THAT(ask("/Plugin.Activate", ""), HasSubstr("LogDriver"));
}

// The chunks of an answer, as the engine's client joins them; they end with an empty one.
std::string joined(std::string_view chunks) {
    std::string all;
    for (;;) {
        auto size = std::stoul(std::string{chunks.substr(0, chunks.find('\r'))}, nullptr, 16);
        chunks.remove_prefix(chunks.find('\n') + 1);
        if (size == 0) return all;
        all += chunks.substr(0, size);
        chunks.remove_prefix(size + 2);
    }
}

TEST_F(HolderTest, ShowsTheLastLinesWhereThatIsSwitchedOn) {
    start({.socket = {}, .hold_dir = {}, .ring_bytes = 1000});
    EXPECT_THAT(ask("/LogDriver.Capabilities", ""), HasSubstr("{\"Cap\":{\"ReadLogs\":true}}"));
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    print(fifo, frame(1) + frame(2));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1) + frame(2); }));
    auto read = [&](const std::string& config) {
        auto answer =
            ask("/LogDriver.ReadLogs", "{\"Info\":{\"ContainerID\":\"" + id + "\"},\"Config\":" + config + "}");
        return joined(answer.substr(answer.find("\r\n\r\n") + 4));
    };
    auto shown = [](int number) {
        auto line = "line " + std::to_string(number) + "\n";
        return to_frame({.source = "stdout", .time_nano = 1'000 + number, .line = line});
    };
    EXPECT_EQ(read("{\"Tail\":-1}"), shown(1) + shown(2));
    EXPECT_EQ(read("{\"Tail\":1}"), shown(2));
    EXPECT_EQ(read("{\"Tail\":0}"), "");
    EXPECT_EQ(read("{\"Tail\":-1,\"Until\":\"1970-01-01T00:00:00.000001001Z\"}"), shown(1));
}

}  // namespace
}  // namespace boatswain::intake::driver
