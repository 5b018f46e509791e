// Gives up what root may do and the agent need not: of all capabilities only the reading of other users' files stays
// (the engine's containers directory is readable for root alone), and nothing can be gained again by running another
// program. The guard needs none at all.
#pragma once

#include "base/log.h"
#include "base/result.h"

namespace boatswain::boatswaind {

// Called before any thread is started: capabilities belong to threads. As an ordinary user it only sets no_new_privs.
Result<void> drop_privileges(Log& log, bool keep_reading = true);

// Every capability, of this process alone. For one that was forked, and before any thread.
Result<void> drop_all_capabilities();

}  // namespace boatswain::boatswaind
