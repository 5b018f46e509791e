#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

using ::testing::HasSubstr;

TEST_F(Tool, QueryPrintsWhatAPipelineLeavesOfLines) {
    put_example();
    auto ran = query(R"({app=~"shop/.*"} |~ "start|stop")", "-i acme.key --since 2026-11-23");
    EXPECT_EQ(ran.out,
              "2026-11-23T10:00:00.000Z shop/cart started\n"
              "2026-11-23T10:00:03.000Z shop/db --- gap: rotated-away from 2026-11-23T10:00:03.000000000Z to "
              "2026-11-23T10:00:03.000000000Z, at least 3 lines\n"
              "2026-11-23T12:00:00.000Z shop/cart stopped\n");
    EXPECT_EQ(ran.code, 0);
    ran = query(R"({app="shop/cart"} | line_format "{{.container}}: {{__line__}}")",
                "-i acme.key --since 2026-11-23 --output raw --limit 1");
    EXPECT_EQ(ran.out, "cart-1: started\n");
    ran = query(R"({app="shop/cart"})", "-i acme.key --since 2026-11-23 --output raw --tail 2");
    EXPECT_EQ(ran.out, "no stock of article 7\nstopped\n");
}

TEST_F(Tool, QueryPrintsJsonWithLabelsAndCsv) {
    put_example();
    auto ran = query(R"({app="shop/db",stream="stdout"} |= "ready")", "-i acme.key --since 2026-11-23 --output json");
    EXPECT_THAT(ran.out, HasSubstr(R"("message":"ready","labels":{"app":"shop/db","container":"db-1",)"));
    ran = query(R"({app="shop/db"} |= "ready" | line_format `say "hi", x`)",
                "-i acme.key --since 2026-11-23 --output csv");
    EXPECT_THAT(ran.out, HasSubstr("time,tenant,app,component,instance,container,name,stream,message\n"));
    EXPECT_THAT(ran.out, HasSubstr(",db-1,stdout,\"say \"\"hi\"\", x\"\n"));
    put(key("acme", ten, 3), {{source("acme", "shop/odd", "odd-1"), {{ten, "\x1b[2J, gone"}}}}, acme_);
    ran = query(R"({app="shop/odd"})", "-i acme.key --since 2026-11-23 --output csv");
    EXPECT_THAT(ran.out, HasSubstr(R"(,odd-1,stdout,"\x1b[2J, gone")")) << "nothing acts on a terminal";
}

TEST_F(Tool, QueryPrintsNumbersAtOnceAndOverTime) {
    put_example();
    auto count = std::string{R"(sum by (app) (count_over_time({app=~".+"}[1h])))"};
    auto ran = query(count, "-i acme.key --tenant acme --until '2026-11-23 10:30'");
    EXPECT_EQ(ran.out, "{app=\"shop/cart\"} 2\n{app=\"shop/db\"} 1\n");
    ran = query(
        count,
        "-i acme.key --tenant acme --since '2026-11-23 10:00' --until '2026-11-23 12:00' --step 1h --output json");
    EXPECT_EQ(ran.out,
              R"({"resultType":"matrix","result":[{"metric":{"app":"shop/cart"},"values":[[1795428000,"1"],)"
              R"([1795431600,"1"],[1795435200,"1"]]},{"metric":{"app":"shop/db"},"values":[[1795431600,"1"]]}]})"
              "\n");
    EXPECT_EQ(query("vector(1)+vector(1)", "-i acme.key").out, "{} 2\n");
    EXPECT_EQ(query("1 + 1", "-i acme.key --output json --until 2026-11-23").out,
              R"({"resultType":"scalar","result":[1795392000,"2"]})"
              "\n");
}

TEST_F(Tool, QueryRefusesWhatIsNoQueryWithItsPlace) {
    auto ran = query(R"({app="shop"} |= )", "-i acme.key");
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, HasSubstr("parse error at line 1, col 17: syntax error: unexpected $end, expecting STRING"));
    EXPECT_EQ(query(R"({app="shop"} | logfmt)", "--check").out, "valid: it selects lines\n");
    EXPECT_EQ(query("rate({app=\"shop\"}[5m])", "--check").out, "valid: it gives numbers\n");
    EXPECT_EQ(query("{}", "--check").code, 1);
    EXPECT_EQ(query("{app=\"x\"}", "-i acme.key --step soon").code, 2);
}

TEST_F(Tool, QueryGoesOnWhereALimitEndedIt) {
    put_example();
    const std::string cart = R"({app="shop/cart"})", of = "-i acme.key --output raw ";
    auto cursor_of = [](const Ran& ran) {
        auto at = ran.err.find("--cursor '");
        if (at == std::string::npos) return std::string{};
        at += std::string_view{"--cursor "}.size();
        return ran.err.substr(at, ran.err.find('\n', at) - at);
    };
    std::string found, cursor = "--since 2026-11-23";
    for (int page = 0; page < 5 && !cursor.empty(); ++page) {
        auto ran = query(cart, of + "--limit 1 " + cursor);
        EXPECT_EQ(ran.code, 0) << ran.err;
        found += ran.out;
        cursor = cursor_of(ran);
        if (!cursor.empty()) cursor = "--cursor " + cursor;
    }
    EXPECT_EQ(found, "started\nno stock of article 7\nstopped\n");
    auto last = query(cart, of + "--since 2026-11-23 --tail 2");
    EXPECT_EQ(last.out, "no stock of article 7\nstopped\n");
    EXPECT_EQ(query(cart, of + "--tail 2 --cursor " + cursor_of(last)).out, "started\n");
    EXPECT_THAT(query(cart, of + "--since 2026-11-23").err, Not(HasSubstr("cursor"))) << "nothing is left";
}

TEST_F(Tool, QueryRefusesACursorThatIsNotItsOwn) {
    put_example();
    const std::string cart = R"({app="shop/cart"})", of = "-i acme.key --output raw ";
    auto err = query(cart, of + "--since 2026-11-23 --limit 1").err;
    auto at = err.find("--cursor '") + 10;
    auto cursor = err.substr(at, err.find('\'', at) - at);
    auto refusal = [&](const std::string& logql, const std::string& options) {
        auto ran = query(logql, of + options);
        EXPECT_EQ(ran.out, "");
        EXPECT_NE(ran.code, 0) << options;
        return ran.err;
    };
    EXPECT_THAT(refusal(cart, "--limit 1 --cursor '" + cursor.substr(0, cursor.size() - 3) + "'"),
                HasSubstr("invalid cursor: it was cut short; it is what the page before gave, whole"));
    auto changed = cursor;
    changed[0] = changed[0] == '1' ? '2' : '1';
    EXPECT_THAT(refusal(cart, "--limit 1 --cursor '" + changed + "'"), HasSubstr("invalid cursor: it was changed"));
    EXPECT_THAT(refusal(R"({app="shop/db"})", "--limit 1 --cursor '" + cursor + "'"),
                HasSubstr("is of another question"));
    EXPECT_THAT(refusal(cart, "--tail 1 --cursor '" + cursor + "'"), HasSubstr("is of another question"));
    EXPECT_THAT(refusal(cart, "--cursor yesterday"), HasSubstr("invalid cursor: it begins with no stretch of time"));
    EXPECT_THAT(refusal(cart, "--since 1h --cursor '" + cursor + "'"), HasSubstr("--since excludes --cursor"));
    EXPECT_THAT(refusal("vector(1)", "--cursor '" + cursor + "'"), HasSubstr("for queries that select lines"));
    EXPECT_THAT(refusal(cart, "--cursor @nowhere"), HasSubstr("nowhere"));
    write("cursor", cursor + "\n");
    EXPECT_EQ(query(cart, of + "--limit 1 --cursor @cursor").out, "no stock of article 7\n");
}

TEST_F(Tool, StatsCountsLinesOfEachAppAndDay) {
    put_example();
    auto ran = run("boatswain stats --store dir:store -i acme.key --json");
    EXPECT_THAT(ran.out, HasSubstr(R"("tenant":"acme","app":"shop/cart","day":"2026-11-23","lines":3,)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("app":"shop/db","day":"2026-11-23","lines":1,)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("objects":1,"gaps":1})"));
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(run("boatswain stats --store dir:store -i acme.key").out, HasSubstr("TENANT  APP"));
}

TEST_F(Tool, LabelsListsWhatASelectorCanAskFor) {
    put_example();
    EXPECT_EQ(run("boatswain labels app --store dir:store -i acme.key").out, "shop/cart\nshop/db\n");
    EXPECT_EQ(run("boatswain labels stream --store dir:store -i acme.key").out, "stderr\nstdout\n");
    EXPECT_THAT(run("boatswain labels --store dir:store -i acme.key").out, HasSubstr("container (2 values)\n"));
    EXPECT_EQ(run("boatswain labels container --app shop/db --store dir:store -i acme.key --json").out,
              "{\"label\":\"container\",\"value\":\"db-1\"}\n");
    EXPECT_THAT(run("boatswain stats --app shop/db --store dir:store -i acme.key").out, Not(HasSubstr("shop/cart")));
    EXPECT_THAT(run("boatswain labels --app shop/bd --store dir:store -i acme.key").err,
                HasSubstr("did you mean \"shop/db\"?"));
    EXPECT_EQ(run("boatswain labels nope --store dir:store -i acme.key").out, "");
}

TEST_F(Tool, LogsFindsTextAndExpressionsWithTheExitCodesOfGrep) {
    put_example();
    auto ran = logs("-i acme.key --tenant acme --output raw --app shop/cart --grep 'article 7'");
    EXPECT_EQ(ran.out, "no stock of article 7\n");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(logs("-i acme.key --app shop/cart --output raw --regex 'st(art|opp)ed$'").out, "started\nstopped\n");
    EXPECT_EQ(logs("-i acme.key --app shop/cart --output raw --regex 'st(art|opp)ed$' --tail 1").out, "stopped\n");
    EXPECT_EQ(logs("-i acme.key --app shop/cart --grep nothing").code, 1);
    ran = logs("-i acme.key --regex '('");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr("--regex: "));
    EXPECT_EQ(logs("-i acme.key --regex x --grep y").code, 2) << "one of both";
}

}  // namespace
}  // namespace boatswain::tool
