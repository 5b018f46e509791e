// What is behind net::Tls: for connection.cc and tls.cc alone.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "net/connection.h"

namespace boatswain::net {

class TlsContext final : public Tls {
  public:
    explicit TlsContext(boost::asio::ssl::context::method side);

    // Replaced as a whole when the files are read again: a connection has its own hold on what it began with.
    std::shared_ptr<boost::asio::ssl::context> context;
};

}  // namespace boatswain::net
