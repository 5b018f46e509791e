#include "boatswaind/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace boatswain::boatswaind {

Result<LaterNotice> LaterNotice::open() {
    LaterNotice notice;
    const char* named = std::getenv("NOTIFY_SOCKET");
    std::string_view path = named ? named : "";
    if (path.empty()) return notice;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if ((path[0] != '/' && path[0] != '@') || path.size() >= sizeof address.sun_path)
        return fail(Remedy::stop, "tell the service manager: NOTIFY_SOCKET is not the path of a socket");
    std::memcpy(address.sun_path, path.data(), path.size());
    // '@' stands for the zero byte that begins an abstract name; such a name has no closing zero.
    if (path[0] == '@') address.sun_path[0] = '\0';
    auto size = offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '@' ? 0 : 1);

    notice.socket_ = Fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!notice.socket_ ||
        ::connect(notice.socket_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) != 0)
        return fail_errno(Remedy::stop, "tell the service manager");
    return notice;
}

Result<void> LaterNotice::send(std::string_view state) {
    if (!socket_) return {};
    auto sent = ::send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL);
    auto done = sent < 0 ? Result<void>{fail_errno(Remedy::stop, "tell the service manager")} : Result<void>{};
    socket_ = Fd{};
    return done;
}

Result<void> notify_manager(std::string_view state) {
    TRY(auto notice, LaterNotice::open());
    return notice.send(state);
}

}  // namespace boatswain::boatswaind
