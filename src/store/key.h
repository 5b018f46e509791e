// What list() may be asked for; what may be a key is in store.h (key_problem).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace boatswain::store {

// S3 keys are at most 1024 bytes of UTF-8 (Amazon S3 user guide, "Naming Amazon S3 objects").
inline constexpr std::size_t key_bytes_max = 1024;

// Nothing when keys may start with `prefix`: "" and "a/.." may go on ("a/..x"), "a/../" may not.
std::optional<std::string> prefix_problem(std::string_view prefix);

}  // namespace boatswain::store
