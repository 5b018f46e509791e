#include "logql/format.h"

#include <gtest/gtest.h>

#include "logql/query.h"

namespace boatswain::logql {
namespace {

std::string formatted(std::string_view text) {
    auto result = format_query(text);
    return result ? *result : result.error().what;
}

TEST(FormatTest, WritesOneBlankWhereThereAreSome) {
    EXPECT_EQ(formatted(R"({app="x"}|="y")"), R"({app="x"} |= "y")");
    EXPECT_EQ(formatted("  { app = \"x\" ,b!~`a\"`} # all\n| json  a = \"b.c\"|logfmt --strict\n"),
              "{app=\"x\", b!~`a\"`} | json a=\"b.c\" | logfmt --strict");
    EXPECT_EQ(formatted(R"({a="b"}|status>=500 and (took > 1.5s or x!="\"")!="p" or "q")"),
              R"({a="b"} | status>=500 and (took>1.5s or x!="\"") != "p" or "q")");
    EXPECT_EQ(formatted(R"({a="b"}|json!="x")"), R"({a="b"} | json != "x")");
    EXPECT_EQ(formatted(R"(sum by(app,host)(rate({a="b"}[1m]offset 5m))>bool 1)"),
              R"(sum by (app, host) (rate({a="b"}[1m] offset 5m)) > bool 1)");
    EXPECT_EQ(formatted(R"(-1+vector(1)*-2)"), R"(-1 + vector(1) * -2)");
    EXPECT_EQ(formatted(R"(topk(2,sum(count_over_time({a="b"}|="c"[5m]))without(x)))"),
              R"(topk(2, sum(count_over_time({a="b"} |= "c" [5m])) without (x)))");
    EXPECT_EQ(formatted(R"({a="b")").substr(0, 37), "parse error at line 1, col 7: syntax ");
}

TEST(FormatTest, ChangesNothingMoreTheSecondTime) {
    for (const char* text :
         {R"({a="b"} |~ "x" | pattern "<a> <_>" | a != "1" | line_format "{{.a}}" | drop a, b="c" | keep d)",
          R"(quantile_over_time(0.99,{a="b"}|json|unwrap duration(took)|__error__=""[5m])by(app))", R"(a_b + 1)",
          R"(sum(rate({a="b"}[1m])) / ignoring(x) group_left(y) sum(rate({a="c"}[1m])))",
          R"x(label_replace(rate({a="b"}[1m]),"x","$1","y","(.*)"))x", R"({a="b"} |= ip("10.0.0.0/8") |= "q")"}) {
        auto once = format_query(text);
        if (!once) continue;
        EXPECT_TRUE(parse_query(*once)) << *once;
        EXPECT_EQ(formatted(*once), *once);
    }
}

}  // namespace
}  // namespace boatswain::logql
