// A byte stream to a peer, whatever carries it: unix socket, TCP or TLS.
//
// Invariants
//   - Every operation ends by its deadline. One that missed it has closed the connection: drop it.
//   - One reader and one writer at a time; cancelling the coroutine (asio cancellation, terminal) ends an operation at
//   once and
//     leaves the connection only fit to be dropped.
//   - Asio's sockets stay in connection.cc: this header costs its includers awaitable<> alone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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

// Connects, with TLS when `tls` is set (borrowed until connect() is done). Names are resolved and their addresses tried
// in turn.
Task<std::unique_ptr<Connection>> connect(boost::asio::any_io_executor executor, Address address, Tls* tls,
                                          Deadline until);

}  // namespace boatswain::net
