// The certificate of `boatswain serve`, and what its clients' certificates are checked with; read again when the files
// change, and on SIGHUP.
//
// Invariants
//   - Connections that are open are not disturbed.
//   - While the files are wrong (half of a pair was replaced, say) those of before hold, and the log says why.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "net/connection.h"

namespace boatswain::tool {

inline constexpr std::chrono::seconds certificate_look_every{5};

class ServingTls {
  public:
    explicit ServingTls(net::ServerTlsFiles files);
    ~ServingTls();

    // Reads the files. Called first.
    Result<void> open();
    net::Tls* tls() const { return tls_.get(); }  // outlives every server that uses it

    // Looks after the files until stop(). `log` is borrowed.
    void watch(boost::asio::any_io_executor executor, Log& log);
    void stop();

  private:
    struct Watch;
    std::string stamp() const;
    void look(Log& log, bool at_any_rate);
    void wait(Log& log);

    const net::ServerTlsFiles files_;
    std::string stamp_;      // of the files that were read, or tried
    bool is_wrong_ = false;  // they could not be read: tried again, since want of descriptors passes, too
    std::unique_ptr<net::Tls> tls_;
    std::unique_ptr<Watch> watch_;
};

}  // namespace boatswain::tool
