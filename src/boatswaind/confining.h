// What the daemon does with `sandbox`: which files each of its commands may reach once it runs (sandbox/sandbox.h).
#pragma once

#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "sandbox/sandbox.h"

namespace boatswain::boatswaind {

// The agent: read and write what it owns (state, a directory store, the control socket's directory); read the engine's
// containers directory, the configuration's and the keyring's directories, and what the C library and TLS need.
// `containers` is the engine's directory of them; empty: nobody knows where that is, and files can be read everywhere.
sandbox::Rules agent_rules(const config::Config& config, const Path& containers);
// The guard: read the configuration's directory; remove its socket. No connection over TCP.
sandbox::Rules guard_rules(const config::Config& config);

// Called before any thread is started, after the state directory was made. Logs what holds. With `sandbox = "on"` an
// error when not all of it does (Remedy::stop). The agent asks the engine for its data directory when the configuration
// does not say where it is.
Result<void> confine_agent(const config::Config& config, Log& log);
Result<void> confine_guard(const config::Config& config, Log& log);

}  // namespace boatswain::boatswaind
