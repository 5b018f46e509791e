#include <random>

#include "base/seed_for_test.h"
#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

TEST_F(Tool, LogsPrintsLinesAroundThoseThatWereFound) {
    put_example();
    auto ran = logs("-i acme.key --tenant acme --grep article -B 1 -A 1");
    EXPECT_EQ(ran.out,
              "2026-11-23T10:00:00.000Z shop/cart started\n"
              "2026-11-23T10:00:02.000Z shop/cart [stderr] no stock of article 7\n"
              "2026-11-23T12:00:00.000Z shop/cart stopped\n"
              "--\n"
              "2026-11-23T10:00:03.000Z shop/db --- gap: rotated-away from 2026-11-23T10:00:03.000000000Z to "
              "2026-11-23T10:00:03.000000000Z, at least 3 lines\n");
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(logs("-i acme.key --tenant acme --regex 'start|stop' -C 1 --output raw --tail 1").out,
              "no stock of article 7\nstopped\n")
        << "the line before lies in an earlier hour";
    EXPECT_EQ(logs("-i acme.key --tenant acme --regex 'start|stop' -A 1 --output raw --limit 1").out,
              "started\nno stock of article 7\n");
    EXPECT_EQ(logs("-i acme.key --tenant acme --app shop/cart --grep nowhere -C 1").code, 1);
}

TEST_F(Tool, LogsMarksHitsAndTheirGroupsForPrograms) {
    put_example();
    auto ran = logs("-i acme.key --tenant acme --grep ready -C 1 --output json");
    EXPECT_THAT(ran.out, HasSubstr(R"("message":"ready","group":1,"hit":true})"));
    EXPECT_THAT(ran.out, HasSubstr(R"("lines_min":3,"bytes_min":0},"group":1,"hit":false})"));
    ran = logs("-i acme.key --app shop/cart --grep article -B 1 --output csv");
    EXPECT_THAT(ran.out, AllOf(HasSubstr(",stream,message,group,hit\n"), HasSubstr(",started,1,false\n"),
                               HasSubstr(",no stock of article 7,1,true\n")));
}

TEST_F(Tool, LogsRefusesContextOfNothing) {
    EXPECT_THAT(logs("-i acme.key -A 1").err, HasSubstr("give one of the two"));
    EXPECT_EQ(logs("-i acme.key --grep x -A 1001").code, 2);
    EXPECT_EQ(logs("-i acme.key --grep x -C -1").code, 2);
}

// Of one source: grep on the same lines prints the same, "--" included.
TEST_F(Tool, LogsPrintsContextAsGrepDoes) {
    auto seed = ::boatswain::testing::test_seed();
    SCOPED_TRACE("BOATSWAIN_TEST_SEED=" + std::to_string(seed));
    std::mt19937 random{seed};
    std::vector<TestEntry> entries;
    std::string plain;
    for (int i = 0; i < 400; ++i) {
        auto bytes = std::to_string(i) + (random() % 12 == 0 ? " hit" : " line");
        plain += bytes + "\n";
        entries.push_back({.time = ten + seconds{20 * i}, .bytes = bytes});
    }
    write("plain", plain);
    auto half = entries.begin() + 200;
    put(key("acme", ten, 1), {{source("acme", "app", "app-1"), {entries.begin(), half}}}, acme_);
    put(key("acme", half->time, 2), {{source("acme", "app", "app-1"), {half, entries.end()}}}, acme_);
    for (std::string options : {"-A 1", "-B 1", "-C 2", "-A 3 -B 1", "-C 1 -A 5", "-B 1000", "-C 1 -m 3"}) {
        auto grep = run("grep " + options + " hit plain");
        if (auto at = options.find("-m"); at != options.npos) options.replace(at, 2, "--limit");
        auto ours = run("boatswain logs --store dir:store -i acme.key --grep hit " + options +
                        " | sed 's/^[^ ]* app //'; exit ${PIPESTATUS[0]}");
        EXPECT_EQ(ours.out, grep.out) << options;
        EXPECT_EQ(ours.code, grep.code) << options;
        auto last = run("grep " + options.substr(0, options.find(" --limit")) +
                        " hit plain | tail -n 30 > expected; "
                        "boatswain logs --store dir:store -i acme.key --grep hit --tail 100 " +
                        options.substr(0, options.find(" --limit")) +
                        " | sed 's/^[^ ]* app //' | tail -n 30 | diff - expected");
        EXPECT_EQ(last.out, "") << options;
    }
}

}  // namespace
}  // namespace boatswain::tool
