// Finds and reads the head of an HTTP/1.1 request (RFC 9112) in bytes as they come. Pure: no socket.
//
// Strict, because two readers of one request must never see two: a bare CR or LF, a NUL or another control character, a
// folded field, a blank before a colon, a second Host, Content-Length or Transfer-Encoding, both of the last two, and
// any transfer coding but "chunked" are refused with 400. What is left is read by Beast, none of whose types leaves the
// .cc file. Which methods and bodies there may be is the caller's to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace boatswain::http {

inline constexpr std::size_t request_fields_max = 100;

struct RequestHead {
    std::string method;  // as sent: "GET"
    std::string target;  // as sent, begins with '/'
    int version = 0;     // 10 or 11
    Fields fields;       // names in lower case
    bool chunked = false;
    std::uint64_t content_length = 0;
    bool keep_alive = false;  // the client wants to send another request on this connection
};

struct RequestHeadOutcome {
    std::optional<RequestHead> head;
    std::size_t bytes = 0;  // that it takes, with the empty line
    int refusal = 0;        // or the status to refuse with, after which nothing can be read; or neither: more bytes
};

// The head that `bytes` begin with; one of more than `bytes_max` is refused with 431.
RequestHeadOutcome read_request_head(std::string_view bytes, std::size_t bytes_max);

}  // namespace boatswain::http
