#include "sandbox/sandbox.h"

#include <sys/prctl.h>

namespace boatswain::sandbox {

Result<Confinement> confine(const Rules& rules) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(Remedy::stop, "set no_new_privs");
    Confinement done;
    // In this order: the filter of system calls refuses nothing that Landlock needs, but why let it come to that.
    TRY(done.landlock, apply_landlock(rules));
    TRY(done.seccomp, apply_seccomp(rules));
    if (done.landlock == 0) done.missing = "this kernel has no Landlock (5.13 or later, and enabled at boot)";
    if (!done.seccomp)
        done.missing += (done.missing.empty() ? "" : "; ") + std::string{"this kernel has no seccomp filters"};
    return done;
}

}  // namespace boatswain::sandbox
