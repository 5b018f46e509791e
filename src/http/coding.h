// Answers in fewer bytes (RFC 9110 section 8.4): gzip and zstd, by what a client accepts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace boatswain::http {

enum class Coding { none, gzip, zstd };

// The one of "Accept-Encoding: gzip, zstd;q=0.5" that its client wants most; zstd where it wants both alike.
Coding coding_of(std::string_view accept_encoding);

// What a body is written through. Not for several threads at once.
class Encoder {
  public:
    explicit Encoder(Coding coding);
    ~Encoder();
    Encoder(Encoder&&) noexcept;
    Encoder& operator=(Encoder&&) noexcept;

    // `bytes`, coded so that a reader who has this and all before can read all of it. `is_last`: nothing follows.
    std::string encode(std::string_view bytes, bool is_last);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// The fields that say so.
void name_coding(Answer& answer, Coding coding);
// The whole of an answer, where that saves something.
void encode_whole(Answer& answer, Coding coding);

}  // namespace boatswain::http
