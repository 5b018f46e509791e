// A crash writes what the process holds in memory to a disk, or hands it to a program that does: lines in clear,
// secrets, identities. So our programs leave no core dump.
//
// Two things are set, since one alone has holes: a process that is not dumpable is never dumped, to no file and to no
// handler behind a pipe (core(5)), but a change of its user makes it dumpable again; a limit of zero holds over such a
// change, but a handler behind a pipe does not ask for it.
//
// Not dumpable has a second meaning: other processes of the same user can neither trace us nor read our memory, and the
// files of /proc/PID belong to root. What a process reads of its own below /proc/self stays readable, /proc/self/mem
// apart.
#pragma once

#include "base/result.h"

namespace boatswain {

// Called first of all, before a line or a secret is read. Remedy::stop when the kernel refuses.
Result<void> forbid_core_dumps();

}  // namespace boatswain
