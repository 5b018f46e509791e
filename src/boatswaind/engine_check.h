// What `boatswaind check` says of the engine: whether it answers, in which version, and whether the logs that it keeps
// can be read from here. All of it may be otherwise when the agent starts: nothing here keeps it from starting.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "engine/container.h"

namespace boatswain::boatswaind {

struct EngineReport {
    std::vector<std::string> facts;     // sentences without a full stop
    std::vector<std::string> warnings;  // likewise, with what to do
};

// Asks the engine that is configured; 20 seconds at most for each of its answers.
EngineReport ask_engine(const config::Config& config);

// The same of its answer.
EngineReport report_engine(const config::Config& config, const Result<engine::EngineInfo>& answer);

}  // namespace boatswain::boatswaind
