#include "query/selection.h"

#include <gtest/gtest.h>

#include "query/test_store.h"

namespace boatswain::query {
namespace {

using namespace testing;

TEST(Selection, HoldsEverythingWhenNothingIsAskedFor) {
    Selection all;
    EXPECT_TRUE(all.holds(source("acme", "shop", "shop-1")));
    EXPECT_TRUE(all.holds(Line{.time = at("2026-11-23T10:00:00Z"), .stream = Stream::err}));
}

TEST(Selection, HoldsAContainerByItsNameOrTheStartOfItsId) {
    auto web = source("acme", "web", "web-1", "abcdef0123456789");
    auto holds = [&](std::string wanted) { return Selection{.containers = {"other", wanted}}.holds(web); };
    EXPECT_TRUE(holds("web-1"));
    EXPECT_TRUE(holds("abcd"));
    EXPECT_TRUE(holds("abcdef0123456789"));
    EXPECT_FALSE(holds("abc")) << "shorter than engines accept";
    EXPECT_FALSE(holds("web"));
    EXPECT_FALSE(holds("bcde"));
    EXPECT_FALSE(holds(""));
}

TEST(Selection, HoldsAnAppByItsWholeNameOnly) {
    auto web = source("acme", "web", "web-1");
    EXPECT_TRUE((Selection{.apps = {"web", "db"}}.holds(web)));
    EXPECT_FALSE((Selection{.apps = {"we"}}.holds(web)));
    EXPECT_FALSE((Selection{.apps = {"web"}, .containers = {"db-1"}}.holds(web))) << "both must match";
}

TEST(Selection, HoldsGapsOfEitherStreamWhereTheyTouchTheRange) {
    Selection errors{.stream = Stream::err, .range = {at("2026-11-23T10:00:00Z"), at("2026-11-23T11:00:00Z")}};
    EXPECT_FALSE(errors.holds(Line{.time = at("2026-11-23T10:30:00Z"), .stream = Stream::out}));
    EXPECT_TRUE(errors.holds(Gap{.from = at("2026-11-23T09:00:00Z"), .to = at("2026-11-23T10:00:00Z")}));
    EXPECT_FALSE(errors.holds(Gap{.from = at("2026-11-23T09:00:00Z"), .to = at("2026-11-23T09:59:59Z")}));
    EXPECT_FALSE(errors.holds(Gap{.from = at("2026-11-23T11:00:00Z"), .to = at("2026-11-23T12:00:00Z")}));
}

}  // namespace
}  // namespace boatswain::query
