// Reads HTTP/1.1 requests without a body (RFC 9112) out of bytes as they come, one after the other. Pure: no socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace boatswain::serve {

// Request line and fields; a longer request is answered with 431.
inline constexpr std::size_t http_request_bytes_max = 16U << 10;

struct HttpRequest {
    std::string method;
    std::string path;           // as sent, not decoded: "/metrics"
    std::string query;          // behind '?', as sent
    std::string authorization;  // of that field, as sent; empty without one
    bool keep_alive = false;    // the client wants to send another request on this connection

    bool is_head() const { return method == "HEAD"; }
};

class HttpRequestReader {
  public:
    struct Outcome {
        std::optional<HttpRequest> request;  // a whole request
        int refusal = 0;  // or the status to refuse with, after which nothing more can be read; or neither: more bytes
    };

    void feed(std::string_view bytes) { pending_ += bytes; }
    // The next request in what was fed.
    Outcome next();
    // A request has begun: some of its bytes are there.
    bool in_request() const { return !pending_.empty(); }

  private:
    std::string pending_;  // bounded: the caller feeds only after next() asked for more
};

}  // namespace boatswain::serve
