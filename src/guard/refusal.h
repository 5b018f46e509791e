// Why a client is not served: a status and a sentence for it.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace boatswain::guard {

struct Refusal {
    int status = 403;
    std::string why;  // goes to the client and into our log: made printable, never with a parameter's value
};

template <class T>
using Judged = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(int status, std::string why) {
    return std::unexpected{Refusal{.status = status, .why = std::move(why)}};
}

}  // namespace boatswain::guard
