#include "query/ordered_parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>

namespace boatswain::query {
namespace {

TEST(InOrder, HandsOnEveryResultInOrderHoweverLongEachTakes) {
    std::vector<std::size_t> taken;
    std::atomic<std::size_t> begun{0};
    auto done = ordered_parallel<std::size_t>(
        200, 4, 8,
        [&](std::size_t at) -> Result<std::size_t> {
            ++begun;
            std::minstd_rand random{static_cast<unsigned>(at + 1)};
            std::this_thread::sleep_for(std::chrono::microseconds{random() % 500});
            return at;
        },
        [&](std::size_t at, std::size_t result) -> Result<void> {
            EXPECT_EQ(at, result);
            EXPECT_LE(begun, at + 8) << "no more is held than was allowed";
            taken.push_back(result);
            return {};
        });
    EXPECT_TRUE(done);
    EXPECT_EQ(taken.size(), 200U);
    EXPECT_TRUE(std::ranges::is_sorted(taken));
}

TEST(InOrder, EndsAtTheFirstErrorOfTheWorkAndOfTheTaker) {
    auto work = [](std::size_t at) -> Result<std::size_t> {
        if (at == 7) return fail(Remedy::back_off, "seven");
        return at;
    };
    std::size_t last = 0;
    auto failed = ordered_parallel<std::size_t>(100, 3, 6, work, [&](std::size_t at, std::size_t) -> Result<void> {
        last = at;
        return {};
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().what, "seven");
    EXPECT_EQ(last, 6U);
    auto refused = ordered_parallel<std::size_t>(
        100, 3, 6, work, [](std::size_t, std::size_t) -> Result<void> { return fail(Remedy::stop, "enough"); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, "enough");
}

TEST(InOrder, DoesNothingOfNothing) {
    EXPECT_TRUE(ordered_parallel<int>(
        0, 4, 8, [](std::size_t) -> Result<int> { return 1; }, [](std::size_t, int) -> Result<void> { return {}; }));
}

}  // namespace
}  // namespace boatswain::query
