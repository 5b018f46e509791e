#include "cell/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "cell/packing.h"

namespace boatswain::cell {
namespace {

constexpr std::size_t read_ahead_bytes = 64U << 10;

std::unexpected<Error> gone() { return fail(Remedy::re_resolve, "the other end of a channel is gone"); }

}  // namespace

Channel::Channel(Fd socket, std::size_t bytes_max, std::chrono::milliseconds stall_max)
    : socket_(std::move(socket)), bytes_max_(bytes_max), stall_max_(stall_max) {
    if (stall_max.count() == 0) return;
    const timeval wait{.tv_sec = stall_max.count() / 1000, .tv_usec = (stall_max.count() % 1000) * 1000};
    for (int side : {SO_SNDTIMEO, SO_RCVTIMEO}) (void)::setsockopt(socket_.get(), SOL_SOCKET, side, &wait, sizeof wait);
}

Result<void> Channel::send(std::string_view message) {
    std::scoped_lock lock{sending_};
    while (!message.empty()) {
        auto sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        // What was sent in part is no message: nothing can follow it.
        if (sent < 0) {
            shut_down(true);
            return gone();
        }
        message.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

// At least `size` bytes are there that were not taken, by `until`: who sends a byte now and then stalls, too.
Result<void> Channel::fill(std::size_t size, std::chrono::steady_clock::time_point until) {
    if (taken_ > 0 && (taken_ == read_.size() || read_.size() - taken_ < size)) {
        read_.erase(0, taken_);
        taken_ = 0;
    }
    while (read_.size() - taken_ < size) {
        auto before = read_.size();
        auto wanted = std::max(read_ahead_bytes, size - (before - taken_));
        ssize_t more = 0;
        read_.resize_and_overwrite(before + wanted, [&](char* bytes, std::size_t) {
            do more = ::recv(socket_.get(), bytes + before, wanted, 0);
            while (more < 0 && errno == EINTR);
            return before + (more > 0 ? static_cast<std::size_t>(more) : 0);
        });
        if (more <= 0) return gone();
        if (read_.size() - taken_ < size && std::chrono::steady_clock::now() >= until)
            return fail(Remedy::quarantine, "a message that does not end");
    }
    return {};
}

Result<std::optional<ChannelMessage>> Channel::receive(std::chrono::milliseconds wait) {
    if (read_.size() == taken_ && wait.count() >= 0) {
        pollfd there{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        auto ready = ::poll(&there, 1, static_cast<int>(wait.count()));
        if (ready == 0 || (ready < 0 && errno == EINTR)) return std::nullopt;
    }
    const auto until = stall_max_.count() == 0 ? std::chrono::steady_clock::time_point::max()
                                               : std::chrono::steady_clock::now() + stall_max_;
    CHECK(fill(message_head_bytes, until));
    std::uint32_t length = 0;
    std::memcpy(&length, read_.data() + taken_, sizeof length);
    if (length == 0 || length - 1 > bytes_max_)
        return fail(Remedy::quarantine, "a message of " + std::to_string(length) + " bytes");
    CHECK(fill(message_head_bytes + length - 1, until));
    ChannelMessage message{.kind = static_cast<MessageKind>(read_[taken_ + message_head_bytes - 1]),
                           .bytes = read_.substr(taken_ + message_head_bytes, length - 1)};
    taken_ += message_head_bytes + length - 1;
    return message;
}

void Channel::shut_down(bool both) { (void)::shutdown(socket_.get(), both ? SHUT_RDWR : SHUT_WR); }

}  // namespace boatswain::cell
