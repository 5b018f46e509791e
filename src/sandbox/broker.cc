#include "sandbox/broker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <utility>

#include "sandbox/sandbox.h"

namespace boatswain::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_behind_max{3000};  // a guard refuses at once, whether its engine is there or not
constexpr milliseconds notify_max{1000};
constexpr std::size_t look_behind_bytes_max = 4096;
constexpr std::size_t notify_bytes_max = 4096;
constexpr std::string_view guard_says = "boatswaind guard:";
constexpr std::string_view question = "GET /boatswain-guard HTTP/1.1\r\nHost: guard\r\nConnection: close\r\n\r\n";

// '@' stands for the zero byte that begins an abstract name; such a name has no closing zero.
std::optional<std::pair<sockaddr_un, socklen_t>> address_of(std::string_view name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.empty() || name.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, name.data(), name.size());
    bool abstract = name[0] == '@';
    if (abstract) address.sun_path[0] = '\0';
    auto size = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
    return std::pair{address, static_cast<socklen_t>(size)};
}

// A connection, or errno is set. Never waits: a listener whose queue is full is EAGAIN.
Fd connect_to(std::string_view name, int type) {
    auto address = address_of(name);
    if (!address) {
        errno = ENAMETOOLONG;
        return Fd{};
    }
    Fd socket{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return Fd{};
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address->first), address->second) == 0)
        return socket;
    int trouble = errno;
    socket = Fd{};
    errno = trouble;
    return Fd{};
}

bool wait_readable(int descriptor, steady_clock::time_point until) {
    auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    return left.count() > 0 && ::poll(&waiting, 1, static_cast<int>(left.count())) > 0;
}

// One byte, and a descriptor with it when there is one.
bool send_byte(int channel, unsigned char byte, int descriptor) {
    iovec bytes{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return ::sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

struct Request {
    char what = 0;
    Fd reply;
};

// Waits for ever; nothing: the parent has ended.
std::optional<Request> next_request(int channel) {
    Request request;
    iovec bytes{.iov_base = &request.what, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    for (;;) {
        msghdr message{};
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto size = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return std::nullopt;
        auto* header = CMSG_FIRSTHDR(&message);
        if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
            int descriptor = -1;
            std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
            request.reply = Fd{descriptor};
        }
        return request;
    }
}

class Serving {
  public:
    Serving(int channel, const BrokerOptions& options) : channel_(channel), options_(options) {}

    void run() {
        while (auto request = next_request(channel_)) {
            if (!request->reply) continue;
            if (request->what == 'E') connect_engine(request->reply.get());
            if (request->what == 'N') tell_manager(request->reply.get());
        }
    }

  private:
    void connect_engine(int reply) {
        const auto& path = options_.engine.native();
        auto connection = connect_to(path, SOCK_STREAM);
        if (!connection) {
            send_byte(reply, static_cast<unsigned char>(errno), -1);
            return;
        }
        if (options_.only_guard && !is_guard_) is_guard_ = look_behind(path) == Behind::guard;
        if (options_.only_guard && !is_guard_)
            send_byte(reply, not_a_guard, -1);
        else
            send_byte(reply, 0, connection.get());
    }

    void tell_manager(int reply) {
        std::array<char, notify_bytes_max> text{};
        std::size_t used = 0;
        auto until = steady_clock::now() + notify_max;
        while (used < text.size() && wait_readable(reply, until)) {
            auto size = ::read(reply, text.data() + used, text.size() - used);
            if (size <= 0) break;
            used += static_cast<std::size_t>(size);
        }
        auto manager = connect_to(options_.manager, SOCK_DGRAM);
        bool told = manager && ::send(manager.get(), text.data(), used, MSG_NOSIGNAL) == static_cast<ssize_t>(used);
        send_byte(reply, told ? 0 : static_cast<unsigned char>(errno), -1);
    }

    int channel_;
    const BrokerOptions& options_;
    bool is_guard_ = false;
};

[[noreturn]] void be_the_broker(int channel, pid_t parent, const BrokerOptions& options) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    ::prctl(PR_SET_NAME, "boatswain-brok");
    constexpr int kept = 3;  // beside standard error
    if (channel != kept) {
        if (::dup2(channel, kept) < 0) ::_exit(1);
        channel = kept;
    }
    ::syscall(SYS_close_range, kept + 1, ~0U, 0);
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
    if (options.give_up_privileges) options.give_up_privileges();
    // It reads, writes and starts nothing. What the kernel lacks of this the parent says of itself.
    (void)confine({.connect_tcp = false, .unix_sockets = true, .abstract_sockets = options.manager.starts_with('@')});
    Serving{channel, options}.run();
    ::_exit(0);
}

}  // namespace

Behind look_behind(const Path& socket) {
    auto connection = connect_to(socket.native(), SOCK_STREAM);
    if (!connection) return Behind::nobody;
    auto until = steady_clock::now() + look_behind_max;
    if (::send(connection.get(), question.data(), question.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(question.size()))
        return Behind::something_else;
    std::string answer;
    std::array<char, 1024> buffer{};
    while (answer.size() < look_behind_bytes_max && wait_readable(connection.get(), until)) {
        auto size = ::read(connection.get(), buffer.data(), buffer.size());
        if (size <= 0) break;
        answer.append(buffer.data(), static_cast<std::size_t>(size));
        if (answer.contains(guard_says)) return Behind::guard;
    }
    return Behind::something_else;
}

Result<Broker> Broker::start(const BrokerOptions& options) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return fail_errno(Remedy::stop, "make a channel to the broker");
    Fd ours{ends[0]}, its{ends[1]};
    auto parent = ::getpid();
    auto child = ::fork();
    if (child < 0) return fail_errno(Remedy::stop, "start the broker");
    if (child == 0) be_the_broker(its.get(), parent, options);
    return Broker{std::move(ours), child};
}

Result<Fd> Broker::ask(char what) const {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fail_errno(Remedy::back_off, "make a channel to the broker");
    Fd ours{ends[0]}, its{ends[1]};
    // A packet waits in the channel's buffer; a full one is the broker's trouble, and no reason to stand still.
    if (!send_byte(channel_.get(), static_cast<unsigned char>(what), its.get()))
        return fail_errno(Remedy::back_off, "ask the broker");
    return ours;
}

Result<Fd> Broker::ask_engine() const { return ask('E'); }

Result<void> Broker::notify(std::string_view text) const {
    TRY(auto reply, ask('N'));
    if (::send(reply.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()) ||
        ::shutdown(reply.get(), SHUT_WR) != 0)
        return fail_errno(Remedy::stop, "tell the service manager");
    unsigned char told = 0;
    if (!wait_readable(reply.get(), steady_clock::now() + notify_max) || ::read(reply.get(), &told, 1) != 1)
        return fail(Remedy::stop, "tell the service manager: the broker does not answer");
    errno = told;
    if (told != 0) return fail_errno(Remedy::stop, "tell the service manager");
    return {};
}

}  // namespace boatswain::sandbox
