#include <gtest/gtest.h>

#include <algorithm>

#include "open/sealing_for_test.h"
#include "open/text.h"

namespace boatswain::open {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view heading = "# {\"source\":\"4c01\"}\n";

Result<void> walk(std::string_view text) {
    return for_each_entry(text, [](const TextEntry&) { return true; });
}
Result<void> walk_after_heading(std::string_view rest) { return walk(std::string{heading} + std::string{rest}); }

TEST(Text, IsWalkedAsItWasWritten) {
    segment::FrameText text{source_named("4c01")};
    Gap gap{.from = at("2026-11-22T10:00:01Z"),
            .to = at("2026-11-22T10:00:02Z"),
            .reason = "rotated-away",
            .lines_min = 3,
            .bytes_min = 400};
    text.append({.time = at("2026-11-22T10:00:00.123456789Z"), .bytes = "a"});
    text.append(gap);
    text.append(
        {.time = at("1969-12-31T23:59:59.999999999Z"), .stream = Stream::err, .partial = true, .bytes = "\0 # \r"sv});
    std::vector<TextEntry> entries;
    ASSERT_TRUE(for_each_entry(text.text(), [&](const TextEntry& entry) {
        entries.push_back(entry);
        return true;
    }));
    ASSERT_EQ(entries.size(), 4U);
    EXPECT_EQ(entries[0].kind, TextEntry::Kind::heading);
    EXPECT_TRUE(entries[0].raw.starts_with("# {\"source\":\"4c01\"")) << entries[0].raw;
    EXPECT_EQ(entries[1].kind, TextEntry::Kind::line);
    EXPECT_EQ(entries[1].line.time, at("2026-11-22T10:00:00.123456789Z"));
    EXPECT_EQ(entries[1].line.bytes, "a");
    EXPECT_FALSE(entries[1].line.partial);
    EXPECT_EQ(entries[2].kind, TextEntry::Kind::gap);
    EXPECT_EQ(entries[2].gap.from, gap.from);
    EXPECT_EQ(entries[2].gap.to, gap.to);
    EXPECT_EQ(entries[2].gap.reason, gap.reason);
    EXPECT_EQ(entries[2].gap.lines_min, 3U);
    EXPECT_EQ(entries[2].gap.bytes_min, 400U);
    EXPECT_EQ(entries[3].line.time, at("1969-12-31T23:59:59.999999999Z"));
    EXPECT_EQ(entries[3].line.stream, Stream::err);
    EXPECT_TRUE(entries[3].line.partial);
    EXPECT_EQ(entries[3].line.bytes, "\0 # \r"sv);
    EXPECT_EQ(entries[3].raw.substr(40), "\0 # \r"sv);
}

TEST(Text, IsWalkedOnlyAsFarAsAsked) {
    int seen = 0;
    ASSERT_TRUE(for_each_entry(std::string{heading} + "nonsense\n", [&](const TextEntry&) { return ++seen < 1; }));
    EXPECT_EQ(seen, 1);
}

TEST(Text, PassesOverRemarksOfLaterVersions) {
    EXPECT_TRUE(walk_after_heading("# note of a later version\n# x\n2026-11-22T10:00:00.000000000Z stdout F \n"));
}

TEST(Text, RefusesEveryLineThatIsNoneOfTheFormAndNamesItsNumber) {
    ASSERT_TRUE(walk_after_heading("2026-11-22T10:00:00.000000000Z stdout F x\n"));
    for (std::string_view line :
         {"",
          "x",
          "#",
          "# ",
          "# Note",
          "# 1",
          "#{}",
          "# gap",
          "# gap {}",
          "# gap x",
          "2026-11-22T10:00:00.000000000Z stdout F",
          "2026-11-22T10:00:00.000000000Z stdout X m",
          "2026-11-22T10:00:00.000000000Z stdin  F m",
          "2026-11-22T10:00:00.00000000Z stdout F m",
          "2026-11-22T10:00:00.0000000000Z stdout F m",
          "2026-11-22T10:00:00,000000000Z stdout F m",
          "2026-11-22t10:00:00.000000000Z stdout F m",
          "2026-11-22T10:00:00.000000000z stdout F m",
          "2026-11-22T10:00:60.000000000Z stdout F m",
          "2026-11-22T10:60:00.000000000Z stdout F m",
          "2026-11-22T24:00:00.000000000Z stdout F m",
          "2026-02-30T10:00:00.000000000Z stdout F m",
          "2026-11-22T10:00:0x.000000000Z stdout F m",
          "2026-11-22T10:00:00.00000000:Z stdout F m",
          "1677-11-22T10:00:00.000000000Z stdout F m",
          "9999-11-22T10:00:00.000000000Z stdout F m",
          "2026-11-22T10:00:00.000000000Z\tstdout F m",
          "2026-11-22T10:00:00.000000000Z stdout\tF m",
          "2026-11-22T10:00:00.000000000Z stdout F\tm",
          "# gap "
          "{\"from\":\"2026-11-22T10:00:00.000000000Z\",\"to\":\"2026-11-22T10:00:00.000000000Z\",\"reason\":\"x\","
          "\"lines_min\":0}",
          "# gap "
          "{\"from\":\"2026-11-22T10:00:00Z\",\"to\":\"2026-11-22T10:00:00.000000000Z\",\"reason\":\"x\",\"lines_min\":"
          "0,\"bytes_min\":0}",
          "# gap {\"from\":\"2026-11-22T10:00:00.000000000Z\",\"to\":\"2026-11-22T10:00:00.000000000Z\",\"reason\":\"X "
          "Y\",\"lines_min\":0,\"bytes_min\":0}",
          "# gap "
          "{\"from\":\"2026-11-22T10:00:00.000000000Z\",\"to\":\"2026-11-22T10:00:00.000000000Z\",\"reason\":\"x\","
          "\"lines_min\":-1,\"bytes_min\":0}",
          "# {\"source\":\"4c01\"}"}) {
        auto walked = walk_after_heading("# fine\n" + std::string{line} + "\n");
        ASSERT_FALSE(walked) << line;
        EXPECT_EQ(walked.error().remedy, Remedy::quarantine);
        EXPECT_TRUE(walked.error().what.starts_with("line 3: ")) << walked.error().what;
    }
}

TEST(Text, DoesNotTakeZerosForTheMinuteBeforeTheFirstLine) {
    EXPECT_FALSE(walk_after_heading(std::string(17, '\0') + "00.000000000Z stdout F m\n"));
    EXPECT_TRUE(walk_after_heading("1970-01-01T00:00:00.000000000Z stdout F m\n"));
}

TEST(Text, RefusesATextWithoutHeadingOrWithoutItsLastNewline) {
    for (std::string_view text : {"", "\n", "2026-11-22T10:00:00.000000000Z stdout F x\n", "# {}\n",
                                  "# {\"source\":1}\n", "# {\"source\":\"x\"\n", "# [\"source\"]\n",
                                  "# {\"source\":\"x\"} x\n", "# {\"source\":\"x\"}", "# {\"source\":\"\xff\"}\n"})
        EXPECT_FALSE(walk(text)) << text;
    EXPECT_FALSE(walk_after_heading("2026-11-22T10:00:00.000000000Z stdout F x"));
}

TEST(Text, NamesItsSource) {
    EXPECT_EQ(heading_source(heading).value(), "4c01");
    EXPECT_FALSE(heading_source("x"));
}

}  // namespace
}  // namespace boatswain::open
