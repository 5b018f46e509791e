#include "intake/driver/recent.h"

#include <gtest/gtest.h>

#include "intake/driver/log_entry.h"

namespace boatswain::intake::driver {
namespace {

std::string frame(int number, bool partial = false) {
    return to_frame({.source = "stdout", .time_nano = number, .line = std::to_string(number), .partial = partial});
}

// As it is given back: with its newline, where it had one.
std::string shown(int number, bool partial = false) {
    return to_frame({.source = "stdout",
                     .time_nano = number,
                     .line = std::to_string(number) + (partial ? "" : "\n"),
                     .partial = partial});
}

std::string read(const Recent& recent, std::int64_t tail = -1) {
    ReadRequest request{.container = "c", .tail = tail};
    auto place = recent.begin(request);
    std::string all;
    for (auto frames = recent.next(request, place); !frames.empty(); frames = recent.next(request, place))
        all += frames;
    return all;
}

TEST(Recent, KeepsNothingUnlessItIsToldTo) {
    Recent recent{0};
    recent.append("c", frame(1));
    EXPECT_EQ(read(recent), "");
}

TEST(Recent, KeepsTheLastLinesWithinItsBytes) {
    Recent recent{1000};
    std::string all;
    for (int i = 1000; i < 2000; ++i) {
        recent.append("c", frame(i));
        all += shown(i);
    }
    auto kept = read(recent);
    EXPECT_LE(kept.size(), 1250U);
    EXPECT_GE(kept.size(), 900U);
    EXPECT_TRUE(all.ends_with(kept));
    EXPECT_EQ(read(recent, 2), shown(1998) + shown(1999));
    EXPECT_EQ(read(recent, 0), "");
}

TEST(Recent, CountsThePiecesOfALineOnce) {
    Recent recent{1000};
    recent.append("c", frame(1) + frame(2, true) + frame(3, true) + frame(4));
    EXPECT_EQ(read(recent, 1), shown(2, true) + shown(3, true) + shown(4));
}

TEST(Recent, IsBoundedInContainersAndForgetsThoseThatEndedFirst) {
    Recent recent{1000};
    recent.append("c", frame(1));
    recent.set_running("c", true);
    for (std::size_t i = 0; i < Recent::containers_max + 10; ++i) recent.append("other " + std::to_string(i), frame(2));
    EXPECT_EQ(read(recent), shown(1));
    recent.set_running("c", false);
    for (std::size_t i = 0; i < Recent::containers_max + 10; ++i) recent.append("new " + std::to_string(i), frame(2));
    EXPECT_EQ(read(recent), "");
}

}  // namespace
}  // namespace boatswain::intake::driver
