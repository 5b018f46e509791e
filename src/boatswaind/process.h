// What a daemon sets of its own process: which signals wait, how many descriptors it may have.
#pragma once

namespace boatswain::boatswaind {

// SIGTERM, SIGINT and SIGHUP wait, in this thread and those that it starts from now on, or come.
void block_signals(bool block);
// The same of one, for the thread that has done with listening to it; all others were started with it blocked.
void block_signal(int signal);
// Whether SIGTERM or SIGINT waits: it came before anybody listened, as while another instance holds the lock.
bool told_to_end();

// As many descriptors as we may have: each container's log is held open, and the files that follow it; a client of the
// guard takes two.
void raise_descriptor_limit();

}  // namespace boatswain::boatswaind
