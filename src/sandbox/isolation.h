// Confines the process for good to memory, threads, clocks and the descriptors that it has: for one that does nothing
// but compute. Stricter than confine() (sandbox.h), which is for daemons.
//
// System calls are a list of what is allowed: what is not on it fails with EPERM. No file is opened, none that is open
// is changed, no socket is made, no descriptor is sent, no program or process is started, no other process gets a
// signal, and no memory is made executable. Where the kernel has Landlock, no file could be opened either.
//
// Call it before the first thread is started.
#pragma once

#include "sandbox/sandbox.h"

namespace boatswain::sandbox {

// An error: the kernel has no seccomp, or one of the two refused. Remedy::stop; nothing is promised then.
Result<Confinement> isolate();

}  // namespace boatswain::sandbox
