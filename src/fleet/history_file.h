// A History as a file, so that `fleet sync --once`, a new process each time, is as careful as the loop.
//
// JSON: {"version":1,"gone_since":{"TASK":"TIME"},"deployment_since":{"ID":"TIME"},"surplus_since":"TIME"}. Nothing in
// it is secret. A file that is missing or not understood is an empty history, which only makes sync wait longer.
#pragma once

#include "base/file.h"
#include "fleet/plan.h"

namespace boatswain::fleet {

inline constexpr std::uint64_t history_bytes_max = 64ULL << 20;

std::string history_text(const History& history);
Result<History> parse_history(std::string_view text);

Result<History> load_history(const Path& path);  // a missing file is an empty history
Result<void> save_history(const Path& path, const History& history);

}  // namespace boatswain::fleet
