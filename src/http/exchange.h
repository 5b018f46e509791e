// One HTTP request and its answer, over a connection of their own.
//
// A connection serves one request ("Connection: close"): a slow answer never holds up another, and there is no state to
// lose step in. Connecting to a unix socket costs microseconds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/answer_reader.h"
#include "net/connection.h"
#include "net/task.h"

namespace boatswain::http {

inline constexpr std::size_t http_read_bytes = 16U << 10;

struct ExchangeRequest {
    std::string method = "GET";
    std::string target;  // "/v1.41/info": what is not a letter, digit or delimiter is percent-encoded by the caller
    std::string host = "localhost";
    std::string upgrade_to = {};  // "tcp": ask for another protocol; the answer may be 101
    // next() gives the body out as it comes, chunk sizes and all, up to where the peer closes: for whoever passes it on
    // under the same framing. Not with HEAD.
    bool framed_body = false;
    std::size_t read_bytes = http_read_bytes;  // how much is read at once; also bounds what next() returns
};

class Exchange {
  public:
    // Sends the request and waits for the head of the answer, of whatever status.
    static net::Task<std::unique_ptr<Exchange>> begin(std::unique_ptr<net::Connection> connection,
                                                      ExchangeRequest request, net::Deadline until);

    unsigned status() const { return answer_.status(); }
    std::string_view reason() const { return answer_.reason(); }
    std::string_view field(std::string_view name) const { return answer_.field(name); }

    // The next bytes of the body (after 101: of the new protocol), borrowed until the next call. Empty: its end, and
    // again whenever asked. A body that breaks off is Remedy::back_off, except a framed one: its framing tells.
    net::Task<std::string_view> next(net::Deadline until);

    // All of it. Longer than `bytes_max` is Remedy::quarantine.
    net::Task<std::string> whole(std::size_t bytes_max, net::Deadline until);

    // Leaves the peer alone for so long: as Connection::pause().
    net::Task<void> pause(std::chrono::microseconds time) { return connection_->pause(time); }

    // Ends at once what is being read.
    void close() { connection_->close(); }

  private:
    Exchange(std::unique_ptr<net::Connection> connection, const ExchangeRequest& request)
        : connection_(std::move(connection)),
          read_bytes_(request.read_bytes),
          buffer_(std::make_unique<char[]>(read_bytes_)),
          answer_(request.framed_body || request.method == "HEAD"),
          as_it_comes_(request.framed_body) {}

    net::Task<bool> read(net::Deadline until);  // false: the peer closed

    std::unique_ptr<net::Connection> connection_;
    const std::size_t read_bytes_;
    std::unique_ptr<char[]> buffer_;
    AnswerReader answer_;
    bool as_it_comes_;   // what follows the head: a framed body, or another protocol
    std::string body_;   // read with what is not yet handed out
    std::string given_;  // what next() lends
    bool ended_ = false;
};

}  // namespace boatswain::http
