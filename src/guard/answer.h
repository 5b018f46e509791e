// What the guard says to its clients: heads that it composes, and refusals in the engine's own form.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"

namespace boatswain::guard {

// How the client finds the end of the body.
enum class Framing {
    length,    // Content-Length
    chunked,   // RFC 9112 section 7.1
    to_close,  // the connection's end
    upgraded   // 101: no HTTP any more
};

// Status line and fields of the engine's answer, as far as clients need them. `length` counts for Framing::length
// alone. `to_upgrade`: of a request to upgrade the connection, whose end is then not announced: told of it, Docker's
// command of 20.10 takes a refusal for the stream that it asked for.
std::string answer_head(const http::Exchange& answer, Framing framing, std::string_view length,
                        bool to_upgrade = false);

// {"message":"..."}, as the engine refuses. `with_body`: false after HEAD. `to_upgrade`: as above.
std::string refusal_answer(int status, std::string_view why, bool with_body = true, bool to_upgrade = false);

}  // namespace boatswain::guard
