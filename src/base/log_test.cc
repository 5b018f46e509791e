#include "base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/directory_for_test.h"

namespace boatswain {
namespace {

using boatswain::testing::contents;
using boatswain::testing::TestDirectory;
using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
  protected:
    Log log(LogFormat format, LogLevel least = LogLevel::debug) { return {clock, file.get(), format, least}; }
    std::string written() { return contents(directory / "log"); }

    TestDirectory directory;
    SimulatedClock clock{*parse_time("2026-11-22T10:00:00.5Z")};
    Fd file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
};

TEST_F(LogTest, WritesOneEventALineWithItsFields) {
    log(LogFormat::text).info("segment sealed", {{"tenant", "acme"}, {"lines", 812}});
    EXPECT_EQ(written(), "2026-11-22T10:00:00.500000000Z info segment sealed tenant=acme lines=812\n");
}

TEST_F(LogTest, QuotesValuesThatHoldSpacesQuotesOrEqualsSigns) {
    log(LogFormat::text).error("odd", {{"a", "b c"}, {"d", "e\"f\\ "}, {"g", "h=i"}, {"j", ""}, {"k", "plain"}});
    EXPECT_THAT(written(), HasSubstr(R"( error odd a="b c" d="e\"f\\ " g="h=i" j="" k=plain)"));
}

TEST_F(LogTest, NeverLetsAValueMakeALineOrReachATerminal) {
    auto hostile = "x\n2026 error forged=1\r\x1b[31m\xff\x01";
    log(LogFormat::text).info("text", {{"v", hostile}});
    log(LogFormat::json).info("json", {{"v", hostile}});
    auto text = written();
    EXPECT_EQ(std::ranges::count(text, '\n'), 2);
    for (char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << int{c};
}

TEST_F(LogTest, CutsLongValues) {
    log(LogFormat::text).info("long", {{"v", std::string(100'000, 'x')}});
    EXPECT_LT(written().size(), 700U);
    EXPECT_THAT(written(), HasSubstr("xxx..."));
}

TEST_F(LogTest, WritesJsonWhenAsked) {
    log(LogFormat::json).warning("store is slow", {{"key", "a\"b"}, {"ms", -5}});
    EXPECT_EQ(written(),
              "{\"time\":\"2026-11-22T10:00:00.500000000Z\",\"level\":\"warning\",\"event\":\"store is slow\","
              "\"key\":\"a\\\"b\",\"ms\":\"-5\"}\n");
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
    auto quiet = log(LogFormat::text, LogLevel::warning);
    quiet.debug("no");
    quiet.info("no");
    quiet.warning("yes");
    quiet.error("yes");
    EXPECT_EQ(std::ranges::count(written(), '\n'), 2);
    EXPECT_EQ(written().find("no"), std::string::npos);
}

TEST_F(LogTest, ShowsAnErrorAsItsSentence) {
    Error error{.remedy = Remedy::back_off, .what = "open /x: No space left on device"};
    log(LogFormat::text).error("segment not spooled", {{"error", error}});
    EXPECT_THAT(written(), HasSubstr("error=\"open /x: No space left on device\""));
}

TEST_F(LogTest, KeepsLinesOfManyThreadsWhole) {
    auto shared = log(LogFormat::text);
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 8; ++i)
            writers.emplace_back([&, i] {
                for (int n = 0; n < 50; ++n)
                    shared.info("event", {{"v", std::string(200, static_cast<char>('a' + i))}});
            });
    }
    auto text = written();
    EXPECT_EQ(std::ranges::count(text, '\n'), 400);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        auto line = text.substr(at, text.find('\n', at) - at);
        EXPECT_EQ(line.find_first_not_of(line.back(), line.find("v=") + 2), std::string::npos) << line;
    }
}

TEST_F(LogTest, GoesOnWhenItsFileIsGone) {
    Log closed{clock, -1, LogFormat::text, LogLevel::debug};
    closed.error("nobody hears this");
}

}  // namespace
}  // namespace boatswain
