#include "logql/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "logql/series.h"
#include "logql/units.h"
#include "query/store_for_test.h"

namespace boatswain::logql {
namespace {

using namespace query::testing;
using namespace std::chrono;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const open::Identity& acme() {
    static const auto identity = open::Identity::generate();
    return identity;
}

const Timestamp ten = at("2026-11-23T10:00:00Z");

class Evaluate : public ::testing::Test, public query::Observer {
  public:
    void damaged(const Error& error) override { damages.push_back(error.what); }

  protected:
    Ground ground() {
        return {
            .store = store, .identities = {&acme(), 1}, .tenant = {}, .limits = {.budget = budget}, .observer = *this};
    }
    // Two apps: web prints a line each 10 s for a minute from ten on, every second one to stderr; db one at half past.
    void SetUp() override {
        TestFrame web{source("acme", "web", "web-1"), {}}, db{source("acme", "db", "db-1"), {}};
        for (int i = 0; i < 6; ++i)
            web.entries.push_back({.time = ten + seconds{10 * i},
                                   .bytes = "n=" + std::to_string(i) + (i % 2 ? " level=error" : " level=info"),
                                   .stream = i % 2 ? Stream::err : Stream::out});
        db.entries.push_back({.time = ten + seconds{30}, .bytes = "checkpoint"});
        add(store, key("acme", ten, 1), {web, db}, acme());
    }
    std::vector<std::string> lines(std::string_view text, query::TimeRange range = {}) {
        auto parsed = parse_query(text).value();
        std::vector<std::string> found;
        auto tally =
            read_lines(ground(), std::get<LogQuery>(parsed), range, [&](const query::Entry&, const Record* record) {
                found.emplace_back(record ? record->line : std::string_view{"gap"});
                return true;
            });
        EXPECT_TRUE(tally) << (tally ? "" : tally.error().what);
        return found;
    }
    // "{labels} value value", "-" where there is none.
    std::vector<std::string> numbers(std::string_view text, const Steps& steps) {
        auto parsed = parse_query(text);
        if (!parsed) return {parsed.error().what};
        auto computed = compute(ground(), *std::get<MetricPtr>(*parsed), steps);
        if (!computed) return {computed.error().what};
        std::vector<std::string> rows;
        for (const auto& series : computed->series) {
            auto row = to_text(series.labels);
            for (std::size_t i = 0; i < series.values.size(); ++i)
                row += " " + (series.present[i] ? number_text(series.values[i]) : "-");
            rows.push_back(std::move(row));
        }
        return rows;
    }
    std::vector<std::string> at_once(std::string_view text) { return numbers(text, Steps::instant(ten + minutes{1})); }

    MemoryStore store;
    query::Budget budget;
    std::vector<std::string> damages;
};

TEST_F(Evaluate, GivesLinesInTheirOrder) {
    EXPECT_THAT(lines(R"({app="db"})"), ElementsAre("checkpoint"));
    EXPECT_THAT(lines(R"({app=~"web|db"} |= "error" | logfmt | n > 1 | line_format "{{.n}}")"), ElementsAre("3", "5"));
    EXPECT_THAT(lines(R"({app="web",stream="stderr"})", {ten, ten + seconds{30}}), ElementsAre("n=1 level=error"));
    EXPECT_THAT(lines(R"({app="web"} | stream="stdout" | logfmt | n="4")"), ElementsAre("n=4 level=info"));
    EXPECT_THAT(lines(R"({host="node-1",nope="x"})"), IsEmpty());
    EXPECT_THAT(lines(R"({service_name="web"} | line_format "x" |= "n=")"), IsEmpty());
}

TEST_F(Evaluate, ReadsNoFrameThatTheSelectorRulesOut) {
    (void)lines(R"({app="nothing"})");
    auto before = store.bytes_read;
    (void)lines(R"({app="nothing"})");
    auto none = store.bytes_read - before;
    before = store.bytes_read;
    (void)lines(R"({app=~".+"})");
    EXPECT_LE(none, store.bytes_read - before);
}

TEST_F(Evaluate, CountsLinesOfAWindowThatIsOpenAtItsBeginning) {
    EXPECT_THAT(at_once(R"(sum(count_over_time({app=~".+"}[1m])))"), ElementsAre("{} 6")) << "ten itself is outside";
    EXPECT_THAT(at_once(R"(sum by (app) (count_over_time({app=~".+"}[2m])))"),
                ElementsAre(R"({app="db"} 1)", R"({app="web"} 6)"));
    EXPECT_THAT(at_once(R"(sum by (level) (rate({app="web"} | logfmt [1m])))"),
                ElementsAre(R"({level="error"} 0.05)", R"({level="info"} 0.03333333333333333)"));
    EXPECT_THAT(at_once(R"(sum(bytes_over_time({app="db"}[5m])))"), ElementsAre("{} 10"));
}

TEST_F(Evaluate, AlignsStepsAndLeavesOutEmptyOnes) {
    auto steps = Steps::of_range(ten + seconds{1}, ten + seconds{59}, seconds{20}).value();
    EXPECT_EQ(steps.count(), 4U);
    EXPECT_THAT(numbers(R"(sum(count_over_time({app="db"}[20s])))", steps), ElementsAre("{} - - 1 -"));
    EXPECT_THAT(numbers(R"(sum(count_over_time({app="web"}[20s])) or vector(0))", steps), ElementsAre("{} 1 2 2 1"));
    EXPECT_THAT(numbers(R"(sum(count_over_time({app="db"}[20s] offset -20s)))", steps), ElementsAre("{} - 1 - -"));
    EXPECT_FALSE(Steps::of_range(ten, ten + hours{10}, seconds{1}));
    EXPECT_FALSE(Steps::of_range(ten, ten, seconds{0}));
}

TEST_F(Evaluate, UnwrapsNumbers) {
    auto of = [&](const std::string& function) {
        return at_once(function + R"({app="web"} | logfmt | unwrap n [2m]) by (app))");
    };
    EXPECT_THAT(of("avg_over_time("), ElementsAre(R"({app="web"} 2.5)"));
    EXPECT_THAT(of("max_over_time("), ElementsAre(R"({app="web"} 5)"));
    EXPECT_THAT(of("first_over_time("), ElementsAre(R"({app="web"} 0)"));
    EXPECT_THAT(of("last_over_time("), ElementsAre(R"({app="web"} 5)"));
    EXPECT_THAT(of("quantile_over_time(0.5, "), ElementsAre(R"({app="web"} 2.5)"));
    EXPECT_THAT(at_once(R"(sum(sum_over_time({app="web"} | logfmt | unwrap n [2m])))"), ElementsAre("{} 15"));
    EXPECT_THAT(at_once(R"(sum(sum_over_time({app="web"} | logfmt | unwrap level [2m])))"),
                ElementsAre(HasSubstr("SampleExtractionErr")));
    EXPECT_THAT(at_once(R"(sum(sum_over_time({app="web"} | logfmt | unwrap level | __error__="" [2m])))"), IsEmpty());
}

TEST_F(Evaluate, FailsOverLinesThatDidNotParseWhereSomebodyNeedsThem) {
    EXPECT_THAT(at_once(R"(sum by (level) (count_over_time({app="db"} | json [1m])))"),
                ElementsAre(HasSubstr("pipeline error: 'JSONParserErr'")));
    EXPECT_THAT(at_once(R"(sum(count_over_time({app="db"} | json [1m])))"), ElementsAre("{} 1"));
    EXPECT_THAT(at_once(R"(sum by (level) (count_over_time({app="db"} | json | __error__="" [1m])))"), IsEmpty());
}

TEST_F(Evaluate, AggregatesSeries) {
    const std::string by_app = R"(sum by (app) (count_over_time({app=~".+"}[2m])))";
    EXPECT_THAT(at_once("topk(1, " + by_app + ")"), ElementsAre(R"({app="web"} 6)"));
    EXPECT_THAT(at_once("bottomk(1, " + by_app + ")"), ElementsAre(R"({app="db"} 1)"));
    EXPECT_THAT(at_once("avg(" + by_app + ")"), ElementsAre("{} 3.5"));
    EXPECT_THAT(at_once("count(" + by_app + ")"), ElementsAre("{} 2"));
    EXPECT_THAT(at_once("sort_desc(" + by_app + ")"), ElementsAre(R"({app="web"} 6)", R"({app="db"} 1)"));
    EXPECT_THAT(at_once("sum without (app) (" + by_app + ")"), ElementsAre("{} 7"));
}

TEST_F(Evaluate, JoinsSeriesByTheirLabels) {
    const std::string by_app = R"(sum by (app) (count_over_time({app=~".+"}[2m])))";
    const std::string web = R"(sum by (app) (count_over_time({app="web"}[2m])))";
    EXPECT_THAT(at_once("vector(1)+vector(1)"), ElementsAre("{} 2"));
    EXPECT_THAT(at_once(by_app + " / " + web), ElementsAre(R"({app="web"} 1)"));
    EXPECT_THAT(at_once(by_app + " > 3"), ElementsAre(R"({app="db"} -)", R"({app="web"} 6)"));
    EXPECT_THAT(at_once(by_app + " > bool 3"), ElementsAre(R"({app="db"} 0)", R"({app="web"} 1)"));
    EXPECT_THAT(at_once("10 - " + by_app), ElementsAre(R"({app="db"} 9)", R"({app="web"} 4)"));
    EXPECT_THAT(at_once(by_app + " unless " + web), ElementsAre(R"({app="db"} 1)"));
    EXPECT_THAT(at_once(web + " or " + by_app), ElementsAre(R"({app="web"} 6)", R"({app="db"} 1)"));
    EXPECT_THAT(at_once(by_app + " + on () " + by_app), ElementsAre(HasSubstr("multiple matches")));
    EXPECT_THAT(at_once(by_app + R"( * on () group_left sum(count_over_time({app="db"}[2m])))"),
                ElementsAre(R"({app="db"} 1)", R"({app="web"} 6)"));
    EXPECT_THAT(at_once("label_replace(" + web + R"(, "svc", "$1", "app", "(w).*"))"),
                ElementsAre(R"({app="web", svc="w"} 6)"));
}

TEST_F(Evaluate, SaysWhereNothingWas) {
    EXPECT_THAT(at_once(R"(absent_over_time({app="nope",host=~".+"}[1m]))"), ElementsAre(R"({app="nope"} 1)"));
    EXPECT_THAT(at_once(R"(absent_over_time({app="db"}[1m]))"), ElementsAre(R"({app="db"} -)"));
}

TEST_F(Evaluate, RefusesMoreSeriesThanItsBound) {
    TestFrame many{source("acme", "many", "many-1"), {}};
    for (std::size_t i = 0; i <= series_max; ++i)
        many.entries.push_back({.time = ten + seconds{1}, .bytes = "id=" + std::to_string(i)});
    add(store, key("acme", ten, 2), {many}, acme());
    EXPECT_THAT(at_once(R"(count_over_time({app="many"} | logfmt [1m]))"),
                ElementsAre(HasSubstr("maximum number of series (10000) reached")));
    EXPECT_THAT(at_once(R"(sum(count_over_time({app="many"} | logfmt [1m])))"), ElementsAre("{} 10001"));
}

}  // namespace
}  // namespace boatswain::logql
