// TOML text taken apart into what it says, with the line of everything. The only unit that includes toml++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value.h"

namespace boatswain::config {

// One `key = value`, or one section that should not be one.
struct TomlEntry {
    std::string section;  // empty at the top of the file
    std::string
        key;  // empty: this stands for the section itself (an empty one, or `batch = 5` where a section is meant)
    std::uint32_t line = 0;
    Given given;
};

// In the order of their lines. A section nested in another arrives as a key whose value is Other. The error names line
// and column: "boatswain.toml:4:9: ...".
Result<std::vector<TomlEntry>> parse_toml(std::string_view text, std::string_view path);

// A TOML array of texts: ["a", "b"].
Result<std::vector<std::string>> parse_toml_list(std::string_view text);

}  // namespace boatswain::config
