// Filters on what a line says. A gap may be what was asked for.
#pragma once

#include <string>

#include "base/result.h"
#include "query/filter.h"

namespace boatswain::query {

// The bytes of a line hold these bytes; empty: every line does.
FilterPtr line_has(std::string bytes);

// A part of the line matches the regular expression (RE2's syntax, with (?<name>...) as well). Lines are UTF-8 to it;
// of a line that is not, it finds what does not need the bytes that are none. Remedy::stop says what is wrong with it.
Result<FilterPtr> line_matches(const std::string& regex);

}  // namespace boatswain::query
