#include "intake/driver/fifo_table.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/directory_for_test.h"

namespace boatswain::intake::driver {
namespace {

FifoTable::Entry entry(char container, unsigned number) {
    return {.name = {.container = std::string(64, container), .number = number},
            .fifo = std::string("/run/fifo-") + container,
            .gap = {.from = Timestamp{Nanoseconds{5}},
                    .to = Timestamp{Nanoseconds{7}},
                    .reason = {},
                    .lines_min = 3,
                    .bytes_min = 30}};
}

TEST(FifoTable, KeepsWhatTheNextHolderHasToKnow) {
    boatswain::testing::TestDirectory directory;
    {
        auto table = FifoTable::open(directory.path()).value();
        EXPECT_EQ(table.add(entry('a', 1)), 0U);
        EXPECT_EQ(table.add(entry('b', 2)), 1U);
        EXPECT_EQ(table.add(entry('c', 3)), 2U);
        table.remove(1);
    }
    auto table = FifoTable::open(directory.path()).value();
    auto entries = table.entries();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].first, 2U);
    EXPECT_EQ(entries[1].second.name, (HoldName{.container = std::string(64, 'c'), .number = 3}));
    EXPECT_EQ(entries[1].second.fifo, "/run/fifo-c");
    EXPECT_EQ(entries[1].second.gap.to, Timestamp{Nanoseconds{7}});
    EXPECT_EQ(entries[1].second.gap.lines_min, 3U);
    EXPECT_EQ(entries[1].second.gap.bytes_min, 30U);
    EXPECT_EQ(table.add(entry('d', 4)), 1U);
}

TEST(FifoTable, HasAsManySlotsAsAreSaid) {
    boatswain::testing::TestDirectory directory;
    auto table = FifoTable::open(directory.path()).value();
    for (std::size_t i = 0; i < FifoTable::slots; ++i) ASSERT_TRUE(table.add(entry('a', 1)));
    EXPECT_FALSE(table.add(entry('a', 1)));
    table.remove(77);
    EXPECT_EQ(table.add(entry('a', 1)), 77U);
}

TEST(FifoTable, BeginsAgainWhereTheFileMakesNoSense) {
    boatswain::testing::TestDirectory directory;
    std::ofstream{directory / fifo_table_file} << std::string(8192, 'x');
    EXPECT_FALSE(FifoTable::read_figures(directory.path()));
    auto table = FifoTable::open(directory.path()).value();
    EXPECT_TRUE(table.entries().empty());
}

TEST(FifoTable, TellsTheAgentFigures) {
    boatswain::testing::TestDirectory directory;
    EXPECT_FALSE(FifoTable::read_figures(directory.path()));
    auto table = FifoTable::open(directory.path()).value();
    table.publish({.fifos = 5, .narrow = 4, .waiting = 3, .unheld = 2, .memory = 1, .unnamed_lines = 9});
    auto figures = FifoTable::read_figures(directory.path()).value();
    EXPECT_EQ(figures.fifos, 5U);
    EXPECT_EQ(figures.unnamed_lines, 9U);
}

}  // namespace
}  // namespace boatswain::intake::driver
