// `boatswaind guard`: the guard as a daemon, from configuration to signals.
#pragma once

#include "boatswaind/daemon.h"

namespace boatswain::boatswaind {

// Whether the guard would understand its users, its group and its addresses: names are looked up on this host.
Result<void> check_guard(const config::Config& config);

// Serves until SIGTERM or SIGINT. SIGHUP: `reload` gives the configuration again, of which the [tenancy] rules and
// guard.redact are taken over. An error: it could not start.
Result<void> run_guard(config::Config config, const Reload& reload);

}  // namespace boatswain::boatswaind
