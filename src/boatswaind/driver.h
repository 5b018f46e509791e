// The log driver as the daemon runs it: options from the configuration, and the process of its own.
#pragma once

#include "boatswaind/daemon.h"
#include "boatswaind/tenant_resolver.h"
#include "config/config.h"
#include "intake/driver/driver_intake.h"
#include "intake/driver/holder.h"

namespace boatswain::boatswaind {

intake::driver::HolderOptions holder_options(const config::Config& config);

// What the holder asks of `tenants` and `selection`, which outlive it.
intake::driver::HolderAsks holder_asks(TenantResolver& tenants, const intake::docker::Selection& selection);

// Whether a container may run that asks for a key (--log-opt require-key=true): only if its lines are sealed for its
// own tenant.
intake::driver::KeyAnswer key_for(TenantResolver& tenants, const SourceFacts& facts);

// `boatswaind driver`: the holder alone, until SIGTERM. It takes rules and keyring from the same configuration as the
// agent beside it, again on SIGHUP, and waits while another holder has the directory of holds.
Result<void> run_driver(config::Config config, const Reload& reload);

}  // namespace boatswain::boatswaind
