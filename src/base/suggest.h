// "Did you mean ...?": the known name that a misspelt one most likely stands for.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace boatswain {

// How many edits make one of the other: a letter inserted, left out, replaced, or two neighbours swapped; case does not
// count (the optimal string alignment distance). Of longer texts the first 64 bytes count.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The one of `known` that is fewest edits away from `given`, or nothing when none is near: at most one edit per three
// letters of `given`, and at least one. Text over 64 bytes is near nothing.
std::optional<std::string_view> closest(std::string_view given, std::span<const std::string_view> known);

}  // namespace boatswain
