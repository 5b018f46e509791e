// A name in a sentence for people: as it is where it is plain, and in quotes where its ends would not be seen.
#pragma once

#include <string>
#include <string_view>

namespace boatswain {

// "acme", but "\"acme \"" with its blank, "\"\"" when empty, and control characters as \xNN. At most `bytes_max` bytes
// of the name are shown.
std::string shown_name(std::string_view name, std::size_t bytes_max = 200);

}  // namespace boatswain
