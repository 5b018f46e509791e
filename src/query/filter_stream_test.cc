#include "query/filter_stream.h"

#include <gtest/gtest.h>

#include "query/filter_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;

TEST(StreamFilter, TakesLinesOfItsStreamAlone) {
    EXPECT_EQ(ask(*stream_is(Stream::err), line_of("x", Stream::err)), Match::all);
    EXPECT_EQ(ask(*stream_is(Stream::err), line_of("x", Stream::out)), Match::none);
}

TEST(StreamFilter, TakesEveryGapNegatedToo) {
    EXPECT_EQ(ask(*stream_is(Stream::err), Gap{}), Match::some);
    EXPECT_EQ(ask(*none_of(stream_is(Stream::err)), Gap{}), Match::some);
}

}  // namespace
}  // namespace boatswain::query
