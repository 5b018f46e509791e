#include "cell/setup.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "cell/packing.h"

namespace boatswain::cell {
namespace {

constexpr std::size_t text_bytes_max = 1000;
constexpr int handed_descriptors = 2;

std::string_view content_of(std::string_view packet) {
    return packet.substr(std::min(packet.size(), message_head_bytes));
}

}  // namespace

std::string pack(const CellSetup& setup) {
    return Packer{0}
        .text(setup.tenant.str())
        .text(setup.version)
        .number(setup.footer_cache)
        .number(setup.questions_max)
        .number(setup.read_ahead)
        .take();
}

Result<CellSetup> parse_setup(std::string_view bytes) {
    Unpacker from{content_of(bytes)};
    TRY(auto tenant, TenantId::parse_any(from.text(TenantId::bytes_max)));
    CellSetup setup{.tenant = std::move(tenant), .version = from.text(text_bytes_max)};
    setup.footer_cache = from.number<std::uint64_t>();
    setup.questions_max = from.number<std::uint32_t>();
    setup.read_ahead = from.number<std::uint64_t>();
    if (!from.is_whole()) return fail(Remedy::quarantine, "a cell's setup is broken");
    return setup;
}

std::string pack(const CellReady& ready) {
    return Packer{0}
        .number<std::uint8_t>(ready.is_confined)
        .text(std::string_view{ready.missing}.substr(0, text_bytes_max))
        .take();
}

Result<CellReady> parse_ready(std::string_view bytes) {
    Unpacker from{content_of(bytes)};
    CellReady ready{.is_confined = from.flag(), .missing = from.text(text_bytes_max)};
    if (!from.is_whole()) return fail(Remedy::quarantine, "a cell is not ready");
    return ready;
}

Result<void> send_packet(const Fd& control, std::string_view bytes) {
    if (::send(control.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()))
        return {};
    return fail_errno(Remedy::re_resolve, "write to a cell's control socket");
}

Result<std::string> receive_packet(const Fd& control) {
    std::string bytes(packet_bytes_max, '\0');
    ssize_t size = 0;
    do size = ::recv(control.get(), bytes.data(), bytes.size(), 0);
    while (size < 0 && errno == EINTR);
    if (size < 0) return fail_errno(Remedy::re_resolve, "read of a cell's control socket");
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
}

Result<void> hand(const Fd& control, const Handed& handed) {
    const std::array<int, handed_descriptors> descriptors{handed.channel.get(), handed.identities.get()};
    char byte = 'q';
    iovec bytes{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof descriptors)]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    auto* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptors);
    std::memcpy(CMSG_DATA(part), descriptors.data(), sizeof descriptors);
    ssize_t sent = 0;
    do sent = ::sendmsg(control.get(), &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return fail_errno(Remedy::re_resolve, "hand a question to a cell");
    return {};
}

Result<Handed> receive_handed(const Fd& control) {
    std::array<int, handed_descriptors> descriptors{-1, -1};
    char byte = 0;
    iovec bytes{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof descriptors)]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    ssize_t size = 0;
    do size = ::recvmsg(control.get(), &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    auto* part = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (part == nullptr || part->cmsg_type != SCM_RIGHTS || part->cmsg_len != CMSG_LEN(sizeof descriptors))
        return fail(Remedy::re_resolve, "the server is gone");
    std::memcpy(descriptors.data(), CMSG_DATA(part), sizeof descriptors);
    return Handed{.channel = Fd{descriptors[0]}, .identities = Fd{descriptors[1]}};
}

}  // namespace boatswain::cell
