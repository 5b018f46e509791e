// Bounds of the routes that hand out sealed objects (sealed.cc), and how a part of one is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "store/store.h"

namespace boatswain::api {

// Of one answer.
inline constexpr std::uint64_t object_range_bytes_max = 4U << 20;
inline constexpr std::uint64_t objects_default = 1'000;
inline constexpr std::uint64_t objects_max = 10'000;

// "bytes=FIRST-LAST" or "bytes=-LENGTH" (RFC 9110 section 14.2), one range of at most object_range_bytes_max; nothing
// for anything else.
std::optional<store::Range> object_range(std::string_view field);

}  // namespace boatswain::api
