#include "boatswaind/privileges.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>

namespace boatswain::boatswaind {
namespace {

constexpr cap_value_t kept = CAP_DAC_READ_SEARCH;

struct Free {
    void operator()(cap_t capabilities) const { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, Free>;

}  // namespace

Result<void> drop_privileges(Log& log, bool keep_reading) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(Remedy::stop, "set no_new_privs");
    Capabilities now{cap_get_proc()};
    if (!now) return fail_errno(Remedy::stop, "ask for our capabilities");
    cap_flag_value_t have = CAP_CLEAR;
    if (keep_reading) cap_get_flag(now.get(), kept, CAP_PERMITTED, &have);

    for (cap_value_t capability = 0; cap_get_bound(capability) >= 0; ++capability)
        if (capability != kept || !keep_reading)
            (void)cap_drop_bound(capability);  // needs CAP_SETPCAP; without it the bound is not ours to change
    Capabilities reduced{cap_init()};
    if (have == CAP_SET) {
        cap_set_flag(reduced.get(), CAP_PERMITTED, 1, &kept, CAP_SET);
        cap_set_flag(reduced.get(), CAP_EFFECTIVE, 1, &kept, CAP_SET);
    }
    if (cap_set_proc(reduced.get()) != 0) return fail_errno(Remedy::stop, "give up capabilities");
    log.debug("privileges given up", {{"uid", ::getuid()}, {"kept", have == CAP_SET ? "cap_dac_read_search" : "none"}});
    return {};
}

Result<void> drop_all_capabilities() {
    Capabilities none{cap_init()};
    if (!none || cap_set_proc(none.get()) != 0) return fail_errno(Remedy::stop, "give up capabilities");
    return {};
}

}  // namespace boatswain::boatswaind
