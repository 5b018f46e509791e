// A byte stream to a peer, whatever carries it: unix socket, TCP or TLS.
//
// Invariants
//   - Every operation ends by its deadline. One that missed it has closed the connection: drop it.
//   - One reader and one writer at a time; cancelling the coroutine (asio cancellation, terminal) ends an operation at
//     once and leaves the connection only fit to be dropped.
//   - Asio's sockets stay in connection.cc: this header costs its includers awaitable<> alone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "net/address.h"
#include "net/task.h"

namespace boatswain::net {

class Connection {
  public:
    virtual ~Connection() = default;
    // At least one byte into `into`; 0: the peer closed its side in an orderly way.
    virtual Task<std::size_t> read_some(std::span<char> into, Deadline until) = 0;
    // All of `bytes`, which must live until then.
    virtual Task<void> write(std::string_view bytes, Deadline until) = 0;
    // Leaves the peer alone for so long: what it sends meanwhile waits, and wakes nobody. (Else each piece that arrives
    // wakes this thread, whether anybody reads or not.) Nothing may be read or written beside it.
    virtual Task<void> pause(std::chrono::microseconds time) = 0;
    // Ends at once what is being read or written (it returns an error); nothing can be read or written any more.
    virtual void close() = 0;
    // Tells the peer that nothing more will come, then reads and drops what it still sends, `bytes_max` at most.
    // Closing with unread bytes would reset the connection, and a peer may then lose what was written last (RFC 9112
    // section 9.6).
    virtual Task<void> finish(std::size_t bytes_max, Deadline until) = 0;
    // Until the peer is gone altogether (not merely done with sending) or close() was called. May wait beside one
    // reader and one writer.
    virtual boost::asio::awaitable<void> wait_gone() = 0;
    // The peer closed its connection or said that it sends no more, or close() was called. Asks the kernel, does not
    // wait: over TCP nothing else tells of a client that left while nothing is read.
    virtual bool peer_gone() const = 0;
    // Of a connection from over_tls(), before anything is read or written; of all others nothing.
    virtual Task<void> handshake(Deadline until) = 0;
    // The user whose process connected, as the kernel says (SO_PEERCRED); nothing unless it is a unix socket.
    virtual std::optional<unsigned> peer_uid() const = 0;
    // Who connected, as far as one party alone can choose it: an IPv4 address, the /64 of an IPv6 address
    // ("fd00::/64"), the user of a unix socket ("uid 0"). Empty when that is not known.
    virtual std::string peer_network() const = 0;
    // The names in the certificate that the peer showed and that was found good, as peer_names.h says; nothing: it
    // showed none.
    virtual std::optional<std::vector<std::string>> certificate_names() const = 0;
};

// What TLS needs. Empty: the system's own CAs, no certificate of ours.
struct TlsFiles {
    std::string ca_file;           // PEM: the peer must be signed by one of these
    std::string certificate_file;  // PEM, chain: shown to the peer
    std::string key_file;          // PEM

    bool any() const { return !ca_file.empty() || !certificate_file.empty() || !key_file.empty(); }
};

// TLS 1.2 or later; the peer's certificate and name are always verified. Opaque: OpenSSL stays in connection.cc.
class Tls {
  public:
    virtual ~Tls() = default;
};

// Reads the files. A missing or broken one is Remedy::stop and named.
Result<std::unique_ptr<Tls>> make_tls(const TlsFiles& files);

// What a server needs to speak TLS, all PEM.
struct ServerTlsFiles {
    std::string certificate;   // with those that lead to a CA
    std::string key;           // its key
    std::string client_ca{};   // empty: clients are asked for no certificate
    std::string client_crl{};  // lists of revoked ones, one of each CA; empty: nothing is looked up
};

// With client_ca, clients are asked for a certificate: one that is signed by another CA, out of its time, revoked, or
// not for clients ends the handshake, and so does a list that is out of its time. None at all is for the caller to
// judge: certificate_names(). No session is resumed then, so that each connection is judged by itself.
Result<std::unique_ptr<Tls>> make_server_tls(const ServerTlsFiles& files);
// Reads the files again: connections that begin from now on use what they hold. On an error all stays as it was.
Result<void> renew_server_tls(Tls& tls, const ServerTlsFiles& files);

// What a client of a TLS server sent, decrypted. `plain` comes from a listener; `tls` from make_server_tls() and
// outlives what is returned. Its handshake() comes first.
std::unique_ptr<Connection> over_tls(std::unique_ptr<Connection> plain, Tls& tls);

// Connects, with TLS when `tls` is set (borrowed until connect() is done). Names are resolved and their addresses tried
// in turn.
Task<std::unique_ptr<Connection>> connect(boost::asio::any_io_executor executor, Address address, Tls* tls,
                                          Deadline until);

// A connection that another process makes for us. Over `reply` comes one byte and, when that is 0, the descriptor of a
// unix socket (SCM_RIGHTS); else the byte is the errno of the attempt, told as connect() would tell it, or 255:
// `refusal` says what that means. `peer` stands in errors.
Task<std::unique_ptr<Connection>> receive(boost::asio::any_io_executor executor, Fd reply, std::string peer,
                                          std::string refusal, Deadline until);

// Accepts connections.
class Listener {
  public:
    virtual ~Listener() = default;  // removes a unix socket's file
    virtual Task<std::unique_ptr<Connection>> accept() = 0;
    virtual Address address() const = 0;  // with the port that was chosen when 0 was asked for
    virtual void close() = 0;             // ends accept(): is_cancelled()
};

// Of a unix socket's file. The group is set before the mode lets it in.
struct SocketFile {
    unsigned mode = 0660;
    std::optional<unsigned> group = {};  // nothing: our own
};

// Listens at a unix socket (the file of a listener that is gone is replaced) or at an IP address (no name:
// nothing is resolved). An address in use is Remedy::back_off.
Result<std::unique_ptr<Listener>> listen(boost::asio::any_io_executor executor, const Address& address,
                                         SocketFile file = {});

}  // namespace boatswain::net
