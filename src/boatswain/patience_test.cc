#include "boatswain/patience.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/directory_for_test.h"
#include "base/file.h"

namespace boatswain::tool {
namespace {

using namespace std::chrono_literals;

TEST(Patience, EndsAfterThreeSecondsAndSaysSoOnlyNowAndThen) {
    boatswain::testing::TestDirectory place;
    auto path = place / "said";
    Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    SimulatedClock clock{*parse_time("2026-11-30T10:00:00Z")};
    Console console{.out = {file.get(), false}, .err = {file.get(), false}, .in = -1, .clock = clock};
    Patience patience{console};
    auto wait_for_so_long = [&](std::chrono::milliseconds time) {
        patience.waiting({.doing = "list s3://logs", .why = "no answer yet", .so_far = time});
    };
    std::string said;
    auto expect_said = [&](std::string_view more) {
        said += more;
        EXPECT_EQ(boatswain::testing::contents(path), said);
    };
    wait_for_so_long(2'999ms);
    expect_said("");
    wait_for_so_long(3'000ms);
    expect_said("boatswain: trying again, 3 s so far: list s3://logs: no answer yet\n");
    clock.advance(14s);
    wait_for_so_long(17s);
    expect_said("");
    clock.advance(1s);
    wait_for_so_long(18s);
    expect_said("boatswain: trying again, 18 s so far: list s3://logs: no answer yet\n");
}

}  // namespace
}  // namespace boatswain::tool
