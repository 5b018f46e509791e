// What the daemon does with `sandbox`: which files each of its commands may reach once it runs (sandbox/sandbox.h).
#pragma once

#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "sandbox/broker.h"
#include "sandbox/sandbox.h"
#include "store/store.h"

namespace boatswain::boatswaind {

// Why `sandbox = "on"` does not let the agent reach what is at engine.socket.
inline constexpr std::string_view not_through_a_guard =
    "engine.socket is not a guard's: whoever reaches the engine itself is root on the host, whatever confines the "
    "agent "
    "(docs/operate/guard.md)";

// The agent: read and write what it owns (state, a directory store, the control socket's directory); read the engine's
// containers directory, the configuration's and the keyring's directories, and what the C library and TLS need.
// `containers` is the engine's directory of them; empty: nobody knows where that is, and files can be read everywhere.
sandbox::Rules agent_rules(const config::Config& config, const Path& containers);
// `boatswaind driver`: read and write the directory of holds, the plugin's socket, the engine's FIFOs; read the state
// (what key files said last), the configuration's and the keyring's directories.
sandbox::Rules driver_rules(const config::Config& config);
// The guard: read the configuration's directory; remove its socket. No connection over TCP.
sandbox::Rules guard_rules(const config::Config& config);

// How the agent opens its store: confined, it starts no program for credentials.
store::OpenOptions store_options(const config::Config& config);

// Called before any thread is started, after the state directory was made, and after every unix socket that is to be
// listened at was opened. Logs what holds. With `sandbox = "on"` an error when not all of it does, or when the engine
// is not reached through a guard (Remedy::stop). The agent asks the engine for its data directory when the
// configuration does not say where it is.
//
// What opens unix sockets from then on; nothing with `sandbox = "off"`, where we do.
Result<std::optional<sandbox::Broker>> confine_agent(const config::Config& config, Log& log);
// The same for `boatswaind driver`, which asks the engine about images alone.
Result<std::optional<sandbox::Broker>> confine_driver(const config::Config& config, Log& log);
Result<void> confine_guard(const config::Config& config, Log& log);

}  // namespace boatswain::boatswaind
