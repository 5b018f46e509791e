#include "logql/level.h"

#include <gtest/gtest.h>

#include "logql/query.h"

namespace boatswain::logql {
namespace {

std::string_view level(std::string_view line) { return detected_level({}, line); }

TEST(LevelTest, ReadsAFieldThatIsNamedLikeALevel) {
    EXPECT_EQ(level(R"({"msg":"an error of the past","level":"INFO"})"), "info");
    EXPECT_EQ(level(R"({"log":{"Severity" : "wrn"},"x":1})"), "warn");
    EXPECT_EQ(level(R"({"msg":"\"level\":\"error\"","lvl":"debug"})"), "debug");
    EXPECT_EQ(level(R"(ts=1 level=dbg msg="level=error")"), "debug");
    EXPECT_EQ(level(R"(msg="level=error x" LVL="Fatal")"), "fatal");
    EXPECT_EQ(level("level=critical"), "critical");
}

TEST(LevelTest, ElseLooksForWords) {
    EXPECT_EQ(level("2026-11-23 ERROR no stock"), "error");
    EXPECT_EQ(level("informed of terrors"), "unknown");
    EXPECT_EQ(level("info: then an error"), "error") << "as Loki: by the order of its words, not of the line's";
    EXPECT_EQ(level("level=42 Warning"), "warn");
    EXPECT_EQ(level(R"({"level":30,"msg":"trace"})"), "trace");
    EXPECT_EQ(level(""), "unknown");
    EXPECT_EQ(level("\""), "unknown");
    EXPECT_EQ(level("{\"level\":\"\\"), "unknown");
    EXPECT_EQ(level("{\"level\""), "unknown");
    EXPECT_EQ(level("level="), "unknown");
    EXPECT_EQ(level(std::string(level_bytes_max, ' ') + "error"), "unknown");
}

TEST(LevelTest, BelievesALabelOfTheSourceFirst) {
    Labels labels;
    labels.set("severity", "WARN", LabelKind::metadata);
    EXPECT_EQ(detected_level(labels, "level=error"), "warn");
}

TEST(LevelTest, AQueryThatNamesItIsKnown) {
    auto names = [](std::string_view text) { return std::get<LogQuery>(*parse_query(text)).names_level; };
    EXPECT_TRUE(names(R"({app="x"} | detected_level="error")"));
    EXPECT_TRUE(names(R"({app="x"} | line_format "{{.detected_level}}")"));
    EXPECT_FALSE(names(R"({app="x"} | json)"));
    auto numbers = parse_query(R"(sum by (detected_level) (rate({app="x"}[1m])))");
    const auto& sum = std::get<VectorAggregation>(std::get<MetricPtr>(*numbers)->of);
    EXPECT_TRUE(std::get<RangeAggregation>(sum.of->of).lines.names_level);
}

}  // namespace
}  // namespace boatswain::logql
