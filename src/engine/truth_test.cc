#include "engine/truth.h"

#include <gtest/gtest.h>

namespace boatswain::engine {
namespace {

TEST(Truth, IsReadAsGoReadsIt) {
    for (const auto* text : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_EQ(parse_truth(text), true) << text;
    for (const auto* text : {"0", "f", "F", "FALSE", "false", "False"}) EXPECT_EQ(parse_truth(text), false) << text;
    for (const auto* text : {"", "yes", "no", "on", "tRUE", " true", "true\n", "2", "\"true\""})
        EXPECT_FALSE(parse_truth(text)) << text;
}

}  // namespace
}  // namespace boatswain::engine
