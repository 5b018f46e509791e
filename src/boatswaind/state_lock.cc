#include "boatswaind/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <thread>

#include "boatswaind/state_place.h"

namespace boatswain::boatswaind {

Result<StateLock> StateLock::acquire(const Path& state_dir, Log& log, const std::function<bool()>& give_up) {
    CHECK(check_state_place(state_dir));
    CHECK(make_directories(state_dir, 0750));
    auto path = state_dir / "lock";
    Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)};
    if (!file) return fail_errno(Remedy::stop, "open " + path.string());
    for (bool told = false; ::flock(file.get(), LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno(Remedy::stop, "lock " + path.string());
        if (!std::exchange(told, true))
            log.info("another instance works in the state directory; waiting until it ends",
                     {{"state_dir", state_dir.string()}});
        if (give_up())
            return fail(Remedy::stop, "lock " + path.string() + ": told to end while another instance held it");
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
    return StateLock{std::move(file)};
}

}  // namespace boatswain::boatswaind
