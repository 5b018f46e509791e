// How many descriptors this process may have.
#pragma once

namespace boatswain {

// As many as we may have: each container's log is held open, and the files that follow it; a client of the guard takes
// two, and one of `boatswain serve` one, beside what its question takes.
void raise_descriptor_limit();

}  // namespace boatswain
