#include "net/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "net/error.h"
#include "net/peer_names.h"
#include "net/socket_place.h"
#include "net/tls_context.h"

namespace boatswain::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
// Unix sockets and TCP alike, so that what is written below is compiled once for both.
using Socket = asio::generic::stream_protocol::socket;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Closes a socket when an operation outlives its deadline.
//
// The timer's handler may already be queued when the connection dies, so what it touches is shared: between the Watch
// and the handler.
class Watch {
  public:
    explicit Watch(Socket::lowest_layer_type& socket)
        : timer_(socket.get_executor()), shared_(std::make_shared<Shared>(&socket)) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { shared_->socket = nullptr; }

    void start(Deadline until) {
        ++shared_->round;
        if (until == no_deadline) return;
        timer_.expires_at(until);
        timer_.async_wait([shared = shared_, round = shared_->round](const error_code& code) {
            if (code || shared->round != round || !shared->socket) return;
            shared->expired = true;
            error_code ignored;
            shared->socket->close(ignored);
        });
    }
    void end() {
        ++shared_->round;
        timer_.cancel();
    }
    bool expired() const { return shared_->expired; }

  private:
    struct Shared {
        Socket::lowest_layer_type* socket;
        std::uint64_t round = 0;
        bool expired = false;
    };
    asio::steady_timer timer_;
    std::shared_ptr<Shared> shared_;
};

// Out of the reactor's sight while it lives. The socket stays open, unless somebody closed it meanwhile.
class Unwatched {
  public:
    Unwatched(Socket& socket, const asio::generic::stream_protocol& protocol, const bool& closed)
        : socket_(socket), protocol_(protocol), closed_(closed) {
        error_code problem;
        handle_ = socket.release(problem);
        if (problem) handle_ = -1;
    }
    Unwatched(const Unwatched&) = delete;
    Unwatched& operator=(const Unwatched&) = delete;
    ~Unwatched() { (void)end(); }

    error_code end() {
        int handle = std::exchange(handle_, -1);
        if (handle < 0) return {};
        error_code problem;
        if (!closed_) socket_.assign(protocol_, handle, problem);
        if (closed_ || problem) ::close(handle);
        return closed_ ? asio::error::operation_aborted : problem;
    }

  private:
    Socket& socket_;
    const asio::generic::stream_protocol protocol_;
    const bool& closed_;
    int handle_;
};

std::string network_of(const sockaddr_storage& peer) {
    if (peer.ss_family == AF_INET) {
        auto number = ntohl(reinterpret_cast<const sockaddr_in&>(peer).sin_addr.s_addr);
        return asio::ip::address_v4{number}.to_string();
    }
    if (peer.ss_family != AF_INET6) return {};
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, bytes.size());
    asio::ip::address_v6 address{bytes};
    if (address.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address).to_string();
    return asio::ip::network_v6{address, 64}.canonical().to_string();  // one host may have all of it
}

// `Stream` is Socket, or TLS over it.
template <class Stream>
class StreamConnection final : public Connection {
  public:
    template <class... Arguments>
    explicit StreamConnection(std::string peer, Arguments&&... arguments)
        : peer_(std::move(peer)), stream_(std::forward<Arguments>(arguments)...), watch_(stream_.lowest_layer()) {}

    Stream& stream() { return stream_; }
    Watch& watch() { return watch_; }

    std::unexpected<Error> trouble(const error_code& code, std::string_view doing) {
        auto said = std::string{doing} + " " + peer_;
        return watch_.expired() ? fail_timeout(said) : fail_with(code, said);
    }

    Task<std::size_t> read_some(std::span<char> into, Deadline until) override {
        watch_.start(until);
        auto [code, size] = co_await stream_.async_read_some(asio::buffer(into.data(), into.size()), as_result);
        watch_.end();
        if (code == asio::error::eof) co_return 0;
        if (code) co_return trouble(code, "read from");
        co_return size;
    }

    Task<void> write(std::string_view bytes, Deadline until) override {
        // What the peer has room for at once needs no deadline: setting one costs more than sending. Errors are told by
        // what follows.
        if constexpr (std::is_same_v<Stream, Socket>) {
            auto sent = ::send(stream_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
            if (sent >= 0 && bytes.empty()) co_return Result<void>{};
        }
        watch_.start(until);
        auto [code, size] = co_await asio::async_write(stream_, asio::buffer(bytes), as_result);
        watch_.end();
        if (code) co_return trouble(code, "write to");
        co_return Result<void>{};
    }

    Task<void> pause(std::chrono::microseconds time) override {
        asio::steady_timer timer(stream_.get_executor(), time);
        if constexpr (std::is_same_v<Stream, Socket>) {
            if (!protocol_) {
                error_code problem;
                protocol_ = stream_.local_endpoint(problem).protocol();
                if (problem) co_return trouble(problem, "wait for");
            }
            Unwatched unwatched{stream_, *protocol_, closed_};
            auto [code] = co_await timer.async_wait(as_result);
            auto problem = unwatched.end();
            if (code || problem) co_return trouble(code ? code : problem, "wait for");
        } else {
            auto [code] = co_await timer.async_wait(as_result);
            if (code) co_return trouble(code, "wait for");
        }
        co_return Result<void>{};
    }

    void close() override {
        closed_ = true;
        error_code ignored;
        stream_.lowest_layer().close(ignored);
    }

    Task<void> handshake(Deadline until) override {
        if constexpr (!std::is_same_v<Stream, Socket>) {
            watch_.start(until);
            auto [shaken] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
            watch_.end();
            if (shaken) co_return trouble(shaken, "TLS with");
        }
        co_return Result<void>{};
    }

    bool peer_gone() const override {
        if (closed_) return true;
        pollfd asked{.fd = const_cast<Stream&>(stream_).lowest_layer().native_handle(), .events = POLLRDHUP};
        return ::poll(&asked, 1, 0) > 0;
    }

    Task<void> finish(std::size_t bytes_max, Deadline until) override {
        error_code ignored;
        if constexpr (!std::is_same_v<Stream, Socket>) {
            // Says that what was sent is whole; what the peer still sends is dropped on the way.
            watch_.start(until);
            co_await stream_.async_shutdown(as_result);
            watch_.end();
            if (watch_.expired() || closed_) co_return fail_timeout("finish with " + peer_);
        }
        stream_.lowest_layer().shutdown(Socket::shutdown_send, ignored);
        char dropped[4096];
        for (std::size_t seen = 0; seen < bytes_max;) {
            CO_TRY(auto size, co_await read_some(dropped, until));
            if (size == 0) break;
            seen += size;
        }
        close();
        co_return Result<void>{};
    }

    asio::awaitable<void> wait_gone() override {
        // Of a socket nothing counts as an error but EPOLLERR and EPOLLHUP; a peer that only shut down its sending is
        // EPOLLRDHUP. Urgent data wakes it too, which is as good as gone: nobody here sends any. And the wait may end for
        // nothing, as below in receive().
        for (pollfd asked{}; asked.revents == 0;) {
            auto [code] = co_await stream_.lowest_layer().async_wait(Socket::wait_error, as_result);
            if (code || closed_) co_return;
            asked = {.fd = stream_.lowest_layer().native_handle(), .events = POLLPRI, .revents = 0};
            (void)::poll(&asked, 1, 0);
        }
    }

    std::optional<unsigned> peer_uid() const override {
        ucred who{};
        socklen_t size = sizeof who;
        auto handle = const_cast<Stream&>(stream_).lowest_layer().native_handle();  // reads only
        if (::getsockopt(handle, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
        if (who.uid == static_cast<uid_t>(-1)) return std::nullopt;  // not a unix socket
        return who.uid;
    }

    std::optional<std::vector<std::string>> certificate_names() const override {
        if constexpr (!std::is_same_v<Stream, Socket>)
            return names_of_peer(const_cast<Stream&>(stream_).native_handle());  // reads only
        return std::nullopt;
    }

    std::string peer_network() const override {
        if (auto uid = peer_uid()) return "uid " + std::to_string(*uid);
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        auto handle = const_cast<Stream&>(stream_).lowest_layer().native_handle();  // reads only
        if (::getpeername(handle, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
        return network_of(peer);
    }

  private:
    std::string peer_;
    Stream stream_;
    Watch watch_;
    bool closed_ = false;
    std::optional<asio::generic::stream_protocol> protocol_;  // once it was asked for
};

using PlainConnection = StreamConnection<Socket>;
using TlsConnection = StreamConnection<asio::ssl::stream<Socket>>;

// getaddrinfo(3) cannot be interrupted. Its answer, when it comes after the deadline or after a cancellation, finds
// nobody waiting: this is shared between the coroutine and the resolver's handler.
struct Resolving {
    explicit Resolving(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
    tcp::resolver resolver;
    asio::steady_timer done;  // cancelled when the answer is there
    std::optional<error_code> code;
    std::vector<tcp::endpoint> endpoints;
};

Task<std::vector<tcp::endpoint>> resolve(asio::any_io_executor executor, Address address, Deadline until) {
    error_code numeric_error;
    auto numeric = asio::ip::make_address(address.host, numeric_error);
    if (!numeric_error) co_return std::vector<tcp::endpoint>{tcp::endpoint{numeric, address.port}};

    auto resolving = std::make_shared<Resolving>(executor);
    resolving->done.expires_at(until);
    resolving->resolver.async_resolve(address.host, std::to_string(address.port),
                                      [resolving](const error_code& code, const tcp::resolver::results_type& found) {
                                          resolving->code = code;
                                          for (const auto& one : found) resolving->endpoints.push_back(one.endpoint());
                                          resolving->done.cancel();
                                      });
    co_await resolving->done.async_wait(as_result);
    auto doing = "resolve " + address.host;
    if (!resolving->code && std::chrono::steady_clock::now() < until)
        co_return fail_with(asio::error::operation_aborted, doing);
    if (!resolving->code) co_return fail_timeout(doing);
    if (*resolving->code) co_return fail_with(*resolving->code, doing);
    co_return std::move(resolving->endpoints);
}

// Half-open TCP connections would otherwise hold a follow stream for ever.
void keep_alive(Socket& socket) {
    error_code ignored;
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    for (auto [name, value] : {std::pair{TCP_KEEPIDLE, 30}, {TCP_KEEPINTVL, 10}, {TCP_KEEPCNT, 3}, {TCP_NODELAY, 1}})
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
}

using Endpoint = asio::generic::stream_protocol::endpoint;

Task<std::unique_ptr<PlainConnection>> connect_to(asio::any_io_executor executor, Endpoint endpoint, std::string peer,
                                                  Deadline until) {
    auto connection = std::make_unique<PlainConnection>(peer, executor);
    connection->watch().start(until);
    auto [code] = co_await connection->stream().async_connect(endpoint, as_result);
    connection->watch().end();
    if (code) co_return connection->trouble(code, "connect to");
    co_return connection;
}

Task<std::unique_ptr<PlainConnection>> connect_plain(asio::any_io_executor executor, Address address, Deadline until) {
    auto peer = to_text(address);
    if (address.is_unix()) {
        Endpoint endpoint{asio::local::stream_protocol::endpoint{address.unix_path}};
        co_return co_await connect_to(executor, endpoint, peer, until);
    }
    CO_TRY(auto endpoints, co_await resolve(executor, address, until));
    std::optional<Error> last;
    for (const auto& one : endpoints) {
        Endpoint endpoint{one};
        auto connection = co_await connect_to(executor, endpoint, peer, until);
        if (connection) {
            keep_alive((*connection)->stream());
            co_return std::move(*connection);
        }
        last = std::move(connection).error();
        if (is_cancelled(*last)) break;
    }
    if (!last) co_return fail(Remedy::back_off, "connect to " + peer + ": the name has no address");
    co_return std::unexpected(std::move(*last));
}

Task<std::unique_ptr<Connection>> shake_hands(std::unique_ptr<PlainConnection> plain, Address address, TlsContext& tls,
                                              Deadline until) {
    auto connection = std::make_unique<TlsConnection>(to_text(address), std::move(plain->stream()), *tls.context);
    plain.reset();
    auto& stream = connection->stream();
    // Errors of these two only tell of no memory; without the name a handshake would verify nothing, so they count.
    error_code code;
    stream.set_verify_callback(asio::ssl::host_name_verification(address.host), code);
    if (code) co_return fail_with(code, "TLS with " + to_text(address));
    error_code not_numeric;
    asio::ip::make_address(address.host, not_numeric);
    if (not_numeric) SSL_set_tlsext_host_name(stream.native_handle(), address.host.c_str());

    connection->watch().start(until);
    auto [shaken] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
    connection->watch().end();
    if (shaken) co_return connection->trouble(shaken, "TLS with");
    co_return connection;
}

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

class SocketListener final : public Listener {
  public:
    SocketListener(Acceptor acceptor, Address address, std::optional<SocketPlace> place)
        : acceptor_(std::move(acceptor)), address_(std::move(address)), place_(std::move(place)) {}
    SocketListener(const SocketListener&) = delete;
    SocketListener& operator=(const SocketListener&) = delete;
    // While the place is ours.
    ~SocketListener() override {
        if (address_.is_unix()) ::unlink(address_.unix_path.c_str());
    }

    Task<std::unique_ptr<Connection>> accept() override {
        auto [code, socket] = co_await acceptor_.async_accept(as_result);
        if (code) co_return fail_with(code, "accept at " + to_text(address_));
        if (!address_.is_unix()) keep_alive(socket);
        co_return std::make_unique<PlainConnection>("client", std::move(socket));
    }

    Address address() const override { return address_; }

    void close() override {
        error_code ignored;
        acceptor_.close(ignored);
    }

  private:
    Acceptor acceptor_;
    Address address_;
    std::optional<SocketPlace> place_;  // of a unix socket
};

// Once the place is ours: the file is removed when it is a socket and nobody answers there.
void remove_stale(const asio::any_io_executor& executor, const std::string& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    asio::local::stream_protocol::socket probe{executor};
    error_code code;
    probe.connect(asio::local::stream_protocol::endpoint{path}, code);
    if (code == asio::error::connection_refused) ::unlink(path.c_str());
}

Result<void> set_file(const std::string& path, const SocketFile& file) {
    if (file.group && ::lchown(path.c_str(), static_cast<uid_t>(-1), *file.group) != 0)
        return fail_errno(Remedy::stop, "give " + path + " to the group " + std::to_string(*file.group));
    if (::chmod(path.c_str(), file.mode) != 0) return fail_errno(Remedy::stop, "set the mode of " + path);
    return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> listen(asio::any_io_executor executor, const Address& address, SocketFile file) {
    auto doing = "listen at " + to_text(address);
    Endpoint endpoint;
    error_code code;
    std::optional<SocketPlace> place;
    if (address.is_unix()) {
        auto taken = SocketPlace::take(address.unix_path);
        if (!taken) return std::unexpected(std::move(taken).error().within(doing));
        place.emplace(std::move(*taken));
        remove_stale(executor, address.unix_path);
        endpoint = asio::local::stream_protocol::endpoint{address.unix_path};
    } else {
        auto ip = asio::ip::make_address(address.host, code);
        if (code) return fail(Remedy::stop, doing + ": not an IP address");
        endpoint = tcp::endpoint{ip, address.port};
    }
    Acceptor acceptor{executor};
    acceptor.open(endpoint.protocol(), code);
    if (!code && !address.is_unix()) acceptor.set_option(asio::socket_base::reuse_address(true), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code && address.is_unix()) CHECK(set_file(address.unix_path, file));
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) return fail_with(code, doing);

    auto bound = address;
    if (!address.is_unix()) {
        auto local = acceptor.local_endpoint(code);
        // sin_port and sin6_port lie at the same place.
        bound.port = ntohs(reinterpret_cast<const sockaddr_in*>(local.data())->sin_port);
    }
    return std::make_unique<SocketListener>(std::move(acceptor), std::move(bound), std::move(place));
}

std::unique_ptr<Connection> over_tls(std::unique_ptr<Connection> plain, Tls& tls) {
    return std::make_unique<TlsConnection>("client", std::move(static_cast<PlainConnection&>(*plain).stream()),
                                           *static_cast<TlsContext&>(tls).context);
}

namespace {

struct Received {
    unsigned char said = EPIPE;  // the other process ended without a word
    Fd connection;
};

// Nothing: there is nothing to read yet.
std::optional<Received> take(int reply) {
    Received received;
    iovec bytes{.iov_base = &received.said, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto size = ::recvmsg(reply, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size != 1) return Received{};
    auto* header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
        received.connection = Fd{descriptor};
    }
    return received;
}

}  // namespace

Task<std::unique_ptr<Connection>> receive(asio::any_io_executor executor, Fd reply, std::string peer,
                                          std::string refusal, Deadline until) {
    constexpr unsigned char refused = 255;
    const asio::generic::stream_protocol protocol{AF_UNIX, 0};
    PlainConnection waiting{peer, executor};
    error_code code;
    waiting.stream().assign(protocol, reply.get(), code);
    if (code) co_return fail_with(code, "connect to " + peer);
    (void)reply.release();
    // The wait may end for nothing: Asio hands news of a descriptor that is closed to the next one of its number.
    std::optional<Received> taken;
    while (!taken) {
        waiting.watch().start(until);
        auto [waited] = co_await waiting.stream().async_wait(Socket::wait_read, as_result);
        waiting.watch().end();
        if (waited) co_return waiting.trouble(waited, "connect to");
        taken = take(waiting.stream().native_handle());
    }
    auto received = std::move(*taken);
    if (received.said == refused) co_return fail(Remedy::stop, "connect to " + peer + ": " + refusal);
    if (received.said != 0 || !received.connection)
        co_return fail_with(error_code{received.said != 0 ? received.said : EPIPE, boost::system::system_category()},
                            "connect to " + peer);
    auto connection = std::make_unique<PlainConnection>(peer, executor);
    connection->stream().assign(protocol, received.connection.get(), code);
    if (code) co_return fail_with(code, "connect to " + peer);
    (void)received.connection.release();
    co_return connection;
}

Task<std::unique_ptr<Connection>> connect(asio::any_io_executor executor, Address address, Tls* tls, Deadline until) {
    CO_TRY(auto plain, co_await connect_plain(executor, address, until));
    if (!tls) co_return plain;
    co_return co_await shake_hands(std::move(plain), address, static_cast<TlsContext&>(*tls), until);
}

}  // namespace boatswain::net
