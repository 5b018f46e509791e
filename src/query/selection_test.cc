#include "query/selection.h"

#include <gtest/gtest.h>

#include "query/filter_for_test.h"
#include "query/filter_stream.h"

namespace boatswain::query {
namespace {

using namespace testing;

bool wants(const Selection& selection, const Gap& gap) {
    open::TextEntry text;
    text.kind = open::TextEntry::Kind::gap;
    text.gap = gap;
    return selection.wants(Entry{.segment = some_key(), .source = some_source(), .text = text});
}

bool wants(const Selection& selection, const Line& line) {
    open::TextEntry text;
    text.line = line;
    return selection.wants(Entry{.segment = some_key(), .source = some_source(), .text = text});
}

TEST(Selection, WantsEverythingWhenNothingIsAskedFor) {
    EXPECT_TRUE(Selection{}.wants(Origin{some_key(), some_source()}));
    EXPECT_TRUE(wants(Selection{}, line_of("x", Stream::err)));
}

TEST(Selection, WantsLinesOfItsRange) {
    Selection hour{.range = {at("2026-11-23T10:00:00Z"), at("2026-11-23T11:00:00Z")}};
    EXPECT_TRUE(wants(hour, Line{.time = at("2026-11-23T10:00:00Z")}));
    EXPECT_FALSE(wants(hour, Line{.time = at("2026-11-23T11:00:00Z")}));
}

TEST(Selection, WantsGapsOfEitherStreamWhereTheyTouchTheRange) {
    Selection errors{.range = {at("2026-11-23T10:00:00Z"), at("2026-11-23T11:00:00Z")},
                     .filter = stream_is(Stream::err)};
    EXPECT_FALSE(wants(errors, Line{.time = at("2026-11-23T10:30:00Z"), .stream = Stream::out}));
    EXPECT_TRUE(wants(errors, Gap{.from = at("2026-11-23T09:00:00Z"), .to = at("2026-11-23T10:00:00Z")}));
    EXPECT_FALSE(wants(errors, Gap{.from = at("2026-11-23T09:00:00Z"), .to = at("2026-11-23T09:59:59Z")}));
    EXPECT_FALSE(wants(errors, Gap{.from = at("2026-11-23T11:00:00Z"), .to = at("2026-11-23T12:00:00Z")}));
}

}  // namespace
}  // namespace boatswain::query
