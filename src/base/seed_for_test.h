// For tests: the seed of random choices. A test shows it (SCOPED_TRACE); BOATSWAIN_TEST_SEED runs it again.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace boatswain::testing {

inline std::uint32_t test_seed() {
    const char* given = std::getenv("BOATSWAIN_TEST_SEED");
    return given ? static_cast<std::uint32_t>(std::stoul(given)) : std::random_device{}();
}

}  // namespace boatswain::testing
