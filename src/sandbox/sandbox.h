// Confines the process for good, to what it does anyway: files by Landlock, system calls by seccomp.
//
// It is for the day on which something we read turns out to run as code in us: that code can then neither start a
// program, nor look at other processes, mount, load into the kernel, nor reach files that are not ours. Both
// confinements are what the running kernel offers; what it lacks is logged, and whoever needs it (`sandbox = "on"`)
// refuses to start.
//
// Landlock belongs to threads and is inherited by those made later, so confine() is called before any thread is
// started. Rules hold for the files and directories that are there then, not for their names: what is replaced later,
// by rename, is reached when its directory was named.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::sandbox {

struct Rules {
    std::vector<Path> read;   // files, or directories with all below. What is not there is passed over
    std::vector<Path> write;  // the same: read, written, made, renamed, removed; never executed
    bool read_everything = false;
    bool connect_tcp = true;
    // Make unix sockets, and so reach every process that listens at one: the engine, containerd, the service manager.
    // Without, those that are there stay, connected and listening ones alike; new ones come from a broker
    // (sandbox/broker.h). Pairs of stream sockets can be made anyway: they are connected to each other for good.
    bool unix_sockets = false;
    bool abstract_sockets = false;  // with unix_sockets: those of other processes that have no file, too
};

// What holds from now on.
struct Confinement {
    int landlock = 0;  // the version that the kernel speaks; 0: none
    bool seccomp = false;
    std::string missing;  // why one of them is not in force; empty: both are

    bool whole() const { return landlock > 0 && seccomp; }
};

// Sets no_new_privs, too. An error: the kernel offers it and yet refused (Remedy::stop); then nothing is promised.
Result<Confinement> confine(const Rules& rules);

// The parts, as confine() uses them: the version in force, or 0; whether it is in force.
Result<int> apply_landlock(const Rules& rules);
Result<bool> apply_seccomp(const Rules& rules);

}  // namespace boatswain::sandbox
