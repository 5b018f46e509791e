#include "base/core_dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace boatswain {

Result<void> forbid_core_dumps() {
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno(Remedy::stop, "forbid core dumps");
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail_errno(Remedy::stop, "set the limit of core dumps to zero");
    return {};
}

}  // namespace boatswain
