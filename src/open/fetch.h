// How the reading side gets at an object: by ranges, from wherever it rests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace boatswain::open {

// Fetches bytes [first, first + length) of the object; exactly those, or an error.
using FetchRange = std::function<Result<std::string>(std::uint64_t first, std::uint64_t length)>;

}  // namespace boatswain::open
