#include "intake/driver/hold_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "intake/driver/hold.h"

namespace boatswain::intake::driver {

Result<HoldLock> HoldLock::take(const Path& hold_dir) {
    CHECK(check_in_memory(hold_dir));
    auto path = hold_dir / "lock";
    Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return fail_errno(Remedy::stop, "open " + path.string());
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
        return fail(Remedy::back_off, "lock " + path.string() + ": another holder works in this directory");
    return HoldLock{std::move(file)};
}

}  // namespace boatswain::intake::driver
