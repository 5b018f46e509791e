// What a daemon sets of its own process: how many descriptors it may have.
#pragma once

namespace boatswain::boatswaind {

// As many descriptors as we may have: each container's log is held open, and the files that follow it; a client of the
// guard takes two.
void raise_descriptor_limit();

}  // namespace boatswain::boatswaind
