#include "api/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/store_for_test.h"

namespace boatswain::api {
namespace {

using namespace std::chrono;
using query::testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Timestamp now = at("2026-11-29T12:00:00Z");
constexpr hours month{721};

Parameters given(std::string_view text) { return Parameters::parse(text, {}).value(); }

TEST(Parameters, AreDecodedFromUrlAndForm) {
    auto both = Parameters::parse("query=%7Ba%3D%22b+c%22%7D&match[]=x&empty=", "match%5B%5D=y&&flag").value();
    EXPECT_EQ(both.value("query"), "{a=\"b c\"}");
    EXPECT_THAT(both.values("match[]"), ElementsAre("x", "y"));
    EXPECT_EQ(both.value("empty"), "");
    EXPECT_EQ(both.value("flag"), "");
    for (const char* bad : {"a=%", "a=%4", "a=%zz", "%=b"}) EXPECT_FALSE(Parameters::parse(bad, {})) << bad;
    std::string many;
    for (std::size_t i = 0; i <= parameters_max; ++i) many += "a=b&";
    EXPECT_FALSE(Parameters::parse(many, {}));
}

TEST(Parameters, ReadTimesInAllFormsThatClientsSend) {
    auto time = [](std::string text) { return time_of(given("time=" + text), "time", now).value(); };
    EXPECT_EQ(time(""), now);
    EXPECT_EQ(time("1795950613"), Timestamp{seconds{1'795'950'613}});
    EXPECT_EQ(time("4000000000"), Timestamp{seconds{4'000'000'000}});
    EXPECT_EQ(time("1795950613000000001"), Timestamp{nanoseconds{1'795'950'613'000'000'001}});
    EXPECT_EQ(time("1795950676.5"), Timestamp{milliseconds{1'795'950'676'500}});
    EXPECT_EQ(time("2026-11-29T12:00:00.123Z"), now + milliseconds{123});
    EXPECT_EQ(time("2026-11-29T13:00:00%2B01:00"), now);
    for (const char* bad :
         {"yesterday", "-1", "1e400", "nan.0", "99999999999999999999", "9999999999", "1.5.5", "2500-01-01T00:00:00Z"}) {
        auto refused = time_of(given(std::string{"time="} + bad), "time", now);
        ASSERT_FALSE(refused) << bad;
        EXPECT_THAT(refused.error().what, StartsWith("could not parse 'time' parameter")) << bad;
    }
}

TEST(Parameters, ReadARangeThatIsNeitherEmptyNorTooLong) {
    auto range = [](std::string_view text) { return range_of(given(text), now, month); };
    EXPECT_EQ(range("").value(), (query::TimeRange{.since = now - hours{1}, .until = now}));
    EXPECT_EQ(range("since=2h30m").value().since, now - minutes{150});
    EXPECT_EQ(range("end=1795950613").value().since, Timestamp{seconds{1'795'950'613}} - hours{1});
    EXPECT_EQ(range("start=2&end=1").error().what, "end timestamp must not be before or equal to start time");
    EXPECT_EQ(range("start=1&end=1").error().what, "end timestamp must not be before or equal to start time");
    EXPECT_THAT(range("start=0").error().what, HasSubstr("limit: 721h0m0s)"));
    EXPECT_THAT(range("since=soon").error().what, StartsWith("could not parse 'since'"));
    EXPECT_FALSE(range("since=-1h"));
}

TEST(Parameters, ReadALimitAndADirection) {
    EXPECT_EQ(limit_of(given("")).value(), 100U);
    EXPECT_EQ(limit_of(given("limit=5000")).value(), 5000U);
    EXPECT_EQ(limit_of(given("limit=5001")).error().what,
              "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)");
    for (const char* bad : {"limit=0", "limit=-1"})
        EXPECT_EQ(limit_of(given(bad)).error().what, "limit must be a positive value");
    EXPECT_FALSE(limit_of(given("limit=1e3")));
    EXPECT_TRUE(is_backward(given("")).value());
    EXPECT_FALSE(is_backward(given("direction=FORWARD")).value());
    EXPECT_FALSE(is_backward(given("direction=up")));
}

TEST(Parameters, ReadAStep) {
    query::TimeRange range{.since = now - hours{1}, .until = now};
    auto step = [&](std::string_view text) { return step_of(given(text), range); };
    EXPECT_EQ(step("").value(), seconds{14});
    EXPECT_EQ(step("step=60000ms").value(), minutes{1});
    EXPECT_EQ(step("step=7").value(), seconds{7});
    EXPECT_EQ(step("step=0.5").value(), milliseconds{500});
    EXPECT_THAT(step("step=0").error().what, StartsWith("zero or negative query resolution"));
    EXPECT_THAT(step("step=-5").error().what, StartsWith("zero or negative query resolution"));
    EXPECT_THAT(step("step=x").error().what, HasSubstr("to a valid duration"));
    EXPECT_FALSE(step("step=inf"));
}

}  // namespace
}  // namespace boatswain::api
