#include "store/retry.h"

#include <gtest/gtest.h>

namespace boatswain::store {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToABoundWithJitterBelow) {
    SimulatedClock clock{Timestamp{}};
    Backoff backoff{{.first_delay = 100ms, .delay_max = 1000ms, .deadline = 1h}, clock, 7};
    for (auto longest : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        auto delay = backoff.next({});
        ASSERT_TRUE(delay);
        EXPECT_LE(*delay, longest);
        EXPECT_GE(*delay, longest / 2);
    }
}

TEST(Backoff, EndsAtTheDeadlineEvenWhenTheClockStandsStill) {
    SimulatedClock clock{Timestamp{}};
    Backoff backoff{{.first_delay = 100ms, .delay_max = 1000ms, .deadline = 5s}, clock, 7};
    std::chrono::milliseconds sum{0};
    while (auto delay = backoff.next({})) sum += *delay;
    EXPECT_LE(sum, 5s);
    EXPECT_GE(sum, 3s);
}

TEST(Backoff, CountsTheTimeThatAttemptsTook) {
    SimulatedClock clock{Timestamp{}};
    Backoff backoff{{.deadline = 5s}, clock, 7};
    EXPECT_TRUE(backoff.next({}));
    clock.advance(5s);
    EXPECT_FALSE(backoff.next({}));
}

TEST(Backoff, WaitsAsLongAsTheServerAsks) {
    SimulatedClock clock{Timestamp{}};
    Backoff backoff{{.deadline = 60s}, clock, 7};
    EXPECT_EQ(backoff.next(20s), 20s);
    EXPECT_FALSE(backoff.next(50s)) << "the server asked for more than the deadline leaves";
}

TEST(Backoff, DiffersBetweenHosts) {
    SimulatedClock clock{Timestamp{}};
    Backoff one{{.first_delay = 10'000ms}, clock, 1}, other{{.first_delay = 10'000ms}, clock, 2};
    EXPECT_NE(one.next({}), other.next({}));
}

TEST(RetryAfter, IsANumberOfSeconds) {
    EXPECT_EQ(parse_retry_after("3"), 3s);
    for (auto other : {"", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT", "99999999999", "90000"})
        EXPECT_FALSE(parse_retry_after(other)) << other;
}

}  // namespace
}  // namespace boatswain::store
