// Reads the engine's HTTP/1.1 requests with their bodies (RFC 9112) out of bytes as they come. Pure: no socket.
//
// The engine's plugin client says how long a body is (Content-Length); a chunked one is refused with 411.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain::intake::driver {

inline constexpr std::size_t post_head_bytes_max = 16U << 10;
// StartLogging carries the container's whole environment and labels: a megabyte or two at the very most.
inline constexpr std::size_t post_body_bytes_max = 8U << 20;

struct Post {
    std::string path;  // "/LogDriver.StartLogging"
    std::string body;
    bool keep_alive = false;
};

class PostReader {
  public:
    struct Outcome {
        std::optional<Post> post;
        int refusal = 0;  // or the status to refuse with, after which nothing more can be read; or neither: more bytes
    };
    void feed(std::string_view bytes) { pending_ += bytes; }
    Outcome next();
    bool in_request() const { return head_ || !pending_.empty(); }

  private:
    struct Head {
        Post post;
        std::size_t body_bytes = 0;
    };
    int read_head();  // what to refuse with, or 0; head_ is set when it has come

    std::string pending_;  // bounded: the caller feeds only after next() asked for more
    std::optional<Head> head_;
};

}  // namespace boatswain::intake::driver
