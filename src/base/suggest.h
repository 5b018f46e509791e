// "Did you mean ...?": the known name that a misspelt one most likely stands for.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace boatswain {

// The one of `known` that is fewest edits away from `given` (an edit is a letter inserted, left out, replaced, or two
// neighbours swapped; case does not count), or nothing when none is near: at most one edit per three letters of
// `given`, and at least one. Text over 64 bytes is near nothing.
std::optional<std::string_view> closest(std::string_view given, std::span<const std::string_view> known);

}  // namespace boatswain
