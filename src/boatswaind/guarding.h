// `boatswaind guard`: the guard as a daemon, from configuration to signals.
#pragma once

#include <functional>

#include "config/config.h"

namespace boatswain::boatswaind {

// Serves until SIGTERM or SIGINT. SIGHUP: `reload` gives the configuration again, of which the [tenancy] rules and
// guard.redact are taken over. An error: it could not start.
Result<void> run_guard(config::Config config, const std::function<Result<config::Config>()>& reload);

}  // namespace boatswain::boatswaind
