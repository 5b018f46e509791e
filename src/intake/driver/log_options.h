// What --log-opt may say to our driver. What is misspelt must not be taken for not said: a container that asked for a
// key by a wrong word would run without one.
//
// The engine hands all options on that it does not refuse itself, its own ones too: those are passed over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::intake::driver {

struct LogOptions {
    bool require_key = false;
    bool cache_disabled = false;
};

// Remedy::quarantine with a sentence for whoever starts the container: an unknown option (and the one that may have
// been meant), or a value that is neither true nor false.
Result<LogOptions> parse_log_options(const std::map<std::string, std::string>& options);

// As the engine reads its own options (Go, strconv.ParseBool): 1, t, T, TRUE, true, True, and their opposites.
std::optional<bool> parse_go_bool(std::string_view text);

}  // namespace boatswain::intake::driver
