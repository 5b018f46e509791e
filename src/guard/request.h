// Reads the head of an HTTP/1.1 request (RFC 9112), as narrowly as a guard should. Pure: no socket.
//
// A server is lenient, because refusing costs it clients. Here everything that two readers of a request might
// understand differently is refused: a bare CR or LF, folded fields, a repeated Host or Upgrade, a target that is not a
// plain path; a body, however announced, goes to allow.h, which refuses it. Nothing of the bytes read here is ever
// sent on: the engine's request is composed from what was understood.
#pragma once

#include <string>
#include <string_view>

#include "guard/refusal.h"

namespace boatswain::guard {

inline constexpr std::size_t request_bytes_max = 16U << 10;  // request line and fields
inline constexpr std::size_t request_fields_max = 100;

struct Request {
    std::string method;   // upper-case letters
    std::string path;     // as sent, not decoded; visible ASCII, begins with '/'
    std::string query;    // behind '?', as sent
    std::string upgrade;  // the field's value in lower case; empty: none
    bool http_1_0 = false;
    bool body =
        false;  // a body is announced, in whatever way: any Transfer-Encoding, any length but one plain 0, Expect
};

// `head` ends with the empty line, and that is its only one.
Judged<Request> parse_request(std::string_view head);

}  // namespace boatswain::guard
