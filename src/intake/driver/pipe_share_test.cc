#include "intake/driver/pipe_share.h"

#include <gtest/gtest.h>

#include "intake/driver/fifo.h"

namespace boatswain::intake::driver {
namespace {

TEST(PipeShare, IsHalfOfWhatOneUserMayHave) {
    EXPECT_EQ(wide_fifos_max(16384, fifo_bytes), 128U);
    EXPECT_EQ(wide_fifos_max(1024, fifo_bytes), 8U);
    EXPECT_EQ(wide_fifos_max(100, fifo_bytes), 0U);
    EXPECT_GT(wide_fifos_max(0, fifo_bytes), 1U << 20);
}

}  // namespace
}  // namespace boatswain::intake::driver
