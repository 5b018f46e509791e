// Reads an HTTP/1.1 answer (RFC 9112) out of bytes as they come, in any pieces. Pure: no socket.
//
// Beast's parser does the reading; this wraps it so that no Beast type leaves http_answer.cc, and adds bounds.
// Invariants
//   - At most http_head_bytes_max plus one piece is buffered: a body is handed on, never gathered.
//   - An answer that breaks off is an error, never an end.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::http {

inline constexpr std::size_t http_head_bytes_max = 64U << 10;   // status line and fields
inline constexpr std::size_t http_chunk_head_bytes_max = 4096;  // a chunk's size with extensions; the trailer

class AnswerReader {
  public:
    // `head_only`: the head is the whole answer, whatever its fields say of a body: that of a HEAD request, or one
    // whose body is taken as it comes.
    explicit AnswerReader(bool head_only = false);
    ~AnswerReader();
    AnswerReader(AnswerReader&&) noexcept;
    AnswerReader& operator=(AnswerReader&&) noexcept;

    // Takes bytes and appends what they hold of the body to `body`. Nonsense is Remedy::quarantine. Bytes after the
    // answer's end are kept for rest().
    Result<void> feed(std::string_view bytes, std::string& body);

    // The peer closed. An error (Remedy::back_off) unless the answer is complete by now.
    Result<void> end();

    bool head_complete() const;
    bool complete() const;  // head and body; after "101 Switching Protocols" the head is all
    unsigned status() const;
    std::string_view reason() const;
    // The first field of that name (in any case); empty when there is none.
    std::string_view field(std::string_view name) const;
    // What followed the answer: the first bytes of the other protocol after 101, or of a body that is taken as it
    // comes.
    std::string& rest();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::http
