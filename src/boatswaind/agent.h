// The agent: everything that runs on a host, built in the order in which data flows, and taken down in the order in
// which nothing is lost.
//
//   engine and its files -> intake -> batcher -> sealing -> spool -> shipper -> store
//
// Ends on SIGTERM or SIGINT: stops finding, reads what is on disk, seals it, and ships for as long as shutdown_timeout
// allows; what the store did not take by then waits in the spool for the next start. A second signal ends at once; so
// does kill -9, and neither loses what the engine has recorded. SIGHUP reads rules and keyring again.
#pragma once

#include "boatswaind/daemon.h"

namespace boatswain::boatswaind {

// `reload` gives the configuration again, for SIGHUP. Returns when told to end; an error says why it could not start.
Result<void> run_agent(config::Config config, const Reload& reload);

}  // namespace boatswain::boatswaind
