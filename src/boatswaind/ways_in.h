// The list of ways in that need no engine. A new one is a row of ways_in.cc (docs/contributing/add-an-intake.md).
//
// Docker and the log driver are no rows: they share one engine, its images and its events (agent_build.cc).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batcher.h"
#include "config/config.h"
#include "intake/source/assigner.h"
#include "intake/source/intake.h"
#include "spool/spool.h"

namespace boatswain::boatswaind {

// What a way in is made with; all of it outlives it.
struct IntakeParts {
    boost::asio::any_io_executor executor;
    const intake::Assigner& assigner;
    batch::Batcher& batcher;
    spool::Spool& spool;
    const Clock& clock;
    Metrics& metrics;
    Log& log;
};

struct WayIn {
    bool (*is_on)(const config::Config&);
    // What is said where everything is off: its setting, and what is missing.
    std::string_view off;
    // What it reads, for the sandbox. A directory may come later.
    std::vector<Path> (*directories)(const config::Config&);
    // What is wrong with its settings, so that no agent starts with them; asked only where it is on.
    std::optional<std::string> (*mistake)(const config::Config&);
    // Why it would read nothing on this host, for `boatswaind check`. Asked only where it is on.
    std::optional<std::string> (*trouble)(const config::Config&);
    std::unique_ptr<intake::Intake> (*make)(const config::Config&, const IntakeParts&);
};

std::span<const WayIn> ways_in();

}  // namespace boatswain::boatswaind
