// Containers whose lines come another way than the engine keeps them: through our own log driver (intake/driver/).
//
// This intake still finds them and tells of them, but reads nothing. Empty functions: there is no such way.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "intake/source/description.h"

namespace boatswain::intake::docker {

struct LogDriverHooks {
    std::string driver;                                      // the log driver of such containers; empty: there are none
    std::function<bool(const std::string& id)> reads;        // its lines come that way, whatever else is known
    std::function<void(Description& description)> describe;  // adds what is known there
    // What one of them is called now: told when it is found, and at each `docker rename`.
    std::function<void(const std::string& id, const std::string& name)> named;
    // News of any container.
    std::function<void(const std::string& id, std::optional<int> exit_code)> died;
    std::function<void(const std::string& id)> vanished;
    std::function<void(const std::set<std::string>& there)> listed;
};

}  // namespace boatswain::intake::docker
