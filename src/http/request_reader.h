// Reads HTTP/1.1 requests (RFC 9112) out of bytes as they come, one after the other. Pure: no socket.
//
// A body has a length that its head names; a chunked one is refused (411, or 413 where no body may be).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace boatswain::http {

// Request line and fields; a longer head is refused with 431.
inline constexpr std::size_t request_head_bytes_max = 16U << 10;

class RequestReader {
  public:
    // A longer body is refused with 413, before any of it is read.
    explicit RequestReader(std::uint64_t body_bytes_max = 0) : body_bytes_max_(body_bytes_max) {}

    struct Outcome {
        std::optional<Request> request;  // a whole request
        int refusal = 0;  // or the status to refuse with, after which nothing more can be read; or neither: more bytes
        bool wants_continue = false;  // more bytes come only after "100 Continue" (RFC 9110 section 10.1.1); said once
    };

    void feed(std::string_view bytes) { pending_ += bytes; }
    // The next request in what was fed.
    Outcome next();
    // A request has begun: some of its bytes are there.
    bool in_request() const { return !pending_.empty() || begun_; }
    // The request whose body has not come yet; nothing before its head has.
    const Request* waiting_for_body() const { return begun_ ? &begun_->request : nullptr; }
    // What was fed and is not read yet: after an upgrade, the other protocol's first bytes.
    std::string take_rest() { return std::exchange(pending_, {}); }

  private:
    struct Begun {
        Request request;
        std::size_t body_bytes = 0;
        bool wants_continue = false;
    };
    int read_head();  // what to refuse with, or 0; begun_ is set when the head has come

    std::string pending_;  // bounded: the caller feeds only after next() asked for more
    std::optional<Begun> begun_;
    std::uint64_t body_bytes_max_;
};

}  // namespace boatswain::http
