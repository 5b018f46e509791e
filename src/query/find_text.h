// Finds a text in a long one: many bytes at a time, where memmem() of the C library takes one or two.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace boatswain::query {

// Where `needle`, which is not empty, first stands in `text` at or behind `from`; npos: nowhere.
std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from);

// The same with ASCII letters of both cases. `folded` is in lower case. It may stop where some other byte differs by
// one bit from what was asked for: what it finds has to be looked at.
std::size_t find_folded(std::string_view text, std::string_view folded, std::size_t from);

// The first place at or behind `from` where any of `folded` stands (none of which is empty), without regard to case as
// find_folded() takes it; npos: there is none. What it costs grows with their number.
std::size_t find_any_folded(std::string_view text, std::span<const std::string> folded, std::size_t from);

}  // namespace boatswain::query
