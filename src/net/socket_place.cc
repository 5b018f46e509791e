#include "net/socket_place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace boatswain::net {

Result<SocketPlace> SocketPlace::take(const std::string& path) {
    auto name = path + ".lock";
    constexpr int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    Fd lock{::open(name.c_str(), flags, 0600)};
    // Of a process with another user. Does that one still run, then the socket answers, and cannot be bound.
    if (!lock && errno == EACCES && ::unlink(name.c_str()) == 0) lock = Fd{::open(name.c_str(), flags, 0600)};
    if (!lock) return fail_errno(Remedy::stop, "open " + name);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? fail_errno(Remedy::back_off, "lock " + name, EADDRINUSE)
                                    : fail_errno(Remedy::stop, "lock " + name);
    return SocketPlace{std::move(lock)};
}

}  // namespace boatswain::net
