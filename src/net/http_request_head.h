// Finds and reads the head of an HTTP/1.1 request (RFC 9112) in bytes as they come. Pure: no socket.
//
// For our own servers. What a request may be (methods, bodies) is theirs to say. Beast reads; no Beast type leaves the
// .cc file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain::net {

struct HttpRequestHead {
    std::string method;         // as sent: "GET"
    std::string target;         // as sent, begins with '/'
    int version = 0;            // 11 for HTTP/1.1
    int hosts = 0;              // how many Host fields
    std::string authorization;  // the first such field's value, as sent
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
    bool keep_alive = false;  // the client wants to send another request on this connection
};

struct HttpHeadOutcome {
    std::optional<HttpRequestHead> head;
    std::size_t bytes = 0;  // that it takes, with the empty line
    int refusal =
        0;  // or the status to refuse with, 400 or 431, after which nothing can be read; or neither: more bytes
};

// The head that `bytes` begin with; one of more than `bytes_max` is refused with 431.
HttpHeadOutcome read_http_request_head(std::string_view bytes, std::size_t bytes_max);

}  // namespace boatswain::net
