// A query as Loki's formatter writes a short one: one line, one blank where there are some, strings as they were
// written, comments left out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::logql {

// Errors are parse_query()'s.
Result<std::string> format_query(std::string_view text);

}  // namespace boatswain::logql
