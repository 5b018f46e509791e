// How grave a line says it is, as Loki finds it when a line comes in: a field of that name, else a word.
#pragma once

#include <string_view>

#include "logql/record.h"

namespace boatswain::logql {

// Every line can be asked for it, as for a label of metadata; it is computed where a query names it.
inline constexpr std::string_view level_label = "detected_level";

// What lies behind is not looked at.
inline constexpr std::size_t level_bytes_max = 16U << 10;

// One of trace, debug, info, warn, error, critical, fatal, unknown. By a label of the source that is named like a level
// (level, severity, lvl, severity_text); else by such a field of a line that is JSON or logfmt; else by the first of
// these that stands in the line as a word: trace, debug, fatal, critical, error, err, warning, warn, info.
std::string_view detected_level(const Labels& labels, std::string_view line);

}  // namespace boatswain::logql
