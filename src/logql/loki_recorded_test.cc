// What Loki 2.8.11 answered, on the same lines: asked on loopback, and written down here as our own cases. Where our
// answer is another one, the case says why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "logql/evaluate.h"
#include "logql/series.h"
#include "logql/units.h"
#include "query/store_for_test.h"

namespace boatswain::logql {
namespace {

using namespace query::testing;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Timestamp unix_time(std::int64_t nanoseconds) { return Timestamp{Nanoseconds{nanoseconds}}; }
Timestamp unix_seconds(std::int64_t whole) { return Timestamp{seconds{whole}}; }

const Timestamp start = unix_seconds(1795950613), end = unix_seconds(1795950793);

class LokiRecorded : public ::testing::Test, public query::Observer {
  public:
    void damaged(const Error& error) override { ADD_FAILURE() << error.what; }

  protected:
    static std::string order(int number) {
        bool bad = number % 4 == 0;
        auto text = std::to_string(number);
        return std::string{R"({"level": ")"} + (bad ? "error" : "info") + R"(", "status": )" + (bad ? "500" : "200") +
               R"(, "msg": "order )" + text + R"( <b>&", "took": ")" + std::to_string(10 * number) +
               R"(ms", "user": {"id": )" + text + R"(}, "tags": ["x"], "host": "inner"})";
    }
    // An order a second on node-7, every second one with a slow query; on node-8 two lines of one time, and no JSON.
    void SetUp() override {
        TestFrame cart{.source = source("acme", "shop/cart", "cart-1"), .entries = {}};
        TestFrame db{.source = source("acme", "shop/db", "db-1"), .entries = {}};
        for (int i = 0; i < 40; ++i) {
            auto time = unix_seconds(1795950673 + i);
            cart.entries.push_back({.time = time, .bytes = order(i)});
            auto n = std::to_string(i);
            if (i % 2 == 0)
                db.entries.push_back(
                    {.time = time + Nanoseconds{5},
                     .bytes = "level=warn msg=\"slow query\" took=" + n + "ms n=" + n + " size=" + n + "KB",
                     .stream = Stream::err});
        }
        add(store, key("acme", start, 1, "node-7"), {cart, db}, reader);
        TestFrame other{.source = source("acme", "shop/db", "db-2"), .entries = {}};
        other.entries = {{unix_seconds(1795950678), "same time a"},
                         {unix_seconds(1795950678), "same time b"},
                         {unix_seconds(1795950679), "bad {json"}};
        add(store, key("acme", start, 1, "node-8"), {other}, reader);
    }
    Ground ground() {
        return {.store = store,
                .identities = {&reader, 1},
                .tenant = tenant("acme"),
                .limits = {.budget = budget},
                .observer = *this};
    }
    // "NANOSECONDS LINE", as many as `most`.
    std::vector<std::string> lines(std::string_view text, std::size_t most, bool backward) {
        auto parsed = std::get<LogQuery>(parse_query(text).value());
        std::vector<std::string> found;
        auto each = [&](const query::Entry& entry, const Record* record) {
            found.push_back(std::to_string(entry.time().time_since_epoch().count()) + " " + std::string{record->line});
            labels.clear();
            for (const auto& label : record->labels.sorted()) labels[label.name] = label.value;
            return found.size() < most;
        };
        auto read = backward ? read_lines_backward(ground(), parsed, {start, end}, most, each)
                             : read_lines(ground(), parsed, {start, end}, each);
        EXPECT_TRUE(read) << read.error().what;
        return found;
    }
    // "{labels} NUMBER ...", "-" where there is none.
    std::vector<std::string> numbers(std::string_view text, const Steps& steps) {
        auto parsed = parse_query(text).value();
        auto computed = compute(ground(), *std::get<MetricPtr>(parsed), steps);
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

    open::Identity reader = open::Identity::generate();
    MemoryStore store;
    query::Budget budget;
    std::map<std::string, std::string> labels;  // of the line that was given last
};

TEST_F(LokiRecorded, GivesTheLastLinesFirst) {
    EXPECT_THAT(lines(R"({app="shop/cart"} |= "error")", 2, true),
                ElementsAre("1795950709000000000 " + order(36), "1795950705000000000 " + order(32)));
    EXPECT_THAT(lines(R"({host="node-7"})", 3, true),
                ElementsAre("1795950712000000000 " + order(39),
                            "1795950711000000005 level=warn msg=\"slow query\" took=38ms n=38 size=38KB",
                            "1795950711000000000 " + order(38)));
    EXPECT_THAT(lines(R"({app="none"})", 10, true), IsEmpty());
}

TEST_F(LokiRecorded, LinesOfOneTimeKeepTheirOrder) {
    EXPECT_THAT(lines(R"({host="node-8"})", 2, false),
                ElementsAre("1795950678000000000 same time a", "1795950678000000000 same time b"));
}

TEST_F(LokiRecorded, JsonGivesLabelsAndRenamesThoseThatAStreamHas) {
    EXPECT_THAT(lines(R"({app="shop/cart"} | json | status>=500)", 1, false),
                ElementsAre("1795950673000000000 " + order(0)));
    const std::map<std::string, std::string> recorded{
        {"app", "shop/cart"}, {"host", "node-7"},      {"host_extracted", "inner"},
        {"level", "error"},   {"msg", "order 0 <b>&"}, {"status", "500"},
        {"stream", "stdout"}, {"took", "0ms"},         {"user_id", "0"}};
    for (const auto& [name, value] : recorded) EXPECT_EQ(labels[name], value) << name;
    EXPECT_FALSE(labels.contains("tags")) << "a list gives nothing";
}

TEST_F(LokiRecorded, WhatIsNoJsonIsKeptWithAnError) {
    EXPECT_THAT(lines(R"({host="node-8"} | json)", 1, true), ElementsAre("1795950679000000000 bad {json"));
    EXPECT_EQ(labels["__error__"], "JSONParserErr");
    EXPECT_THAT(numbers(R"(sum(count_over_time({app="shop/db"} | json [10m])))", Steps::instant(end)),
                ElementsAre("{} 23"));
}

TEST_F(LokiRecorded, CountsOverWindowsThatAreOpenAtTheirStart) {
    auto steps = Steps::of_range(start, end, minutes{1}).value();
    EXPECT_THAT(numbers(R"(sum by (level) (count_over_time({app="shop/cart"} | json [1m])))", steps),
                ElementsAre("{level=\"error\"} - - 10 - -", "{level=\"info\"} - - 30 - -"));
    EXPECT_THAT(numbers(R"(topk(1, sum by (app) (count_over_time({host="node-7"}[10m]))))", Steps::instant(end)),
                ElementsAre("{app=\"shop/cart\"} 40"));
    EXPECT_THAT(numbers(R"(rate({app="none"}[1m]))", Steps::instant(end)), IsEmpty());
}

// Loki reads lines up to, and without, the moment of the last step, and so its last number is 9.
TEST_F(LokiRecorded, MovesUnalignedEndsOutwards) {
    auto steps = Steps::of_range(unix_time(1795950676500000000), unix_time(1795950693500000000), seconds{7}).value();
    EXPECT_EQ(steps.first, unix_seconds(1795950674));
    EXPECT_EQ(steps.last, unix_seconds(1795950695));
    EXPECT_THAT(numbers(R"(sum(count_over_time({app="shop/cart"}[10s])))", steps), ElementsAre("{} 2 9 10 10"));
}

TEST_F(LokiRecorded, ComputesWithNumbersAlone) {
    EXPECT_THAT(numbers("vector(1)+vector(1)", Steps::instant(unix_seconds(4'000'000'000))), ElementsAre("{} 2"));
    EXPECT_THAT(numbers("1+2*3", Steps::instant(end)), ElementsAre("{} 7")) << "Loki 2.8 answers 500";
}

TEST_F(LokiRecorded, RefusesInTheSameWords) {
    auto error_of = [](std::string_view text) { return parse_query(text).error().what; };
    EXPECT_EQ(error_of(R"({app="shop/cart")"),
              "parse error at line 1, col 17: syntax error: unexpected $end, expecting } or ,");
    EXPECT_EQ(error_of("{host="), "parse error at line 1, col 7: syntax error: unexpected $end, expecting STRING");
    EXPECT_THAT(error_of(R"({app!="x"})"),
                ::testing::HasSubstr("queries require at least one regexp or equality matcher that does not have an "
                                     "empty-compatible value"));
}

}  // namespace
}  // namespace boatswain::logql
