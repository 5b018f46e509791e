// The parameters of an allowed call: checked one by one, and written again.
//
// What is sent to the engine is made of values that were understood (a truth, a time, a number, filters), never of the
// client's text. An unknown, repeated or misshapen parameter is refused rather than dropped: a client that asks for
// something else than it gets should know.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "guard/refusal.h"

namespace boatswain::guard {

inline constexpr std::size_t parameters_max = 32;
inline constexpr std::size_t filters_bytes_max = 8U << 10;  // decoded
inline constexpr std::size_t filter_values_max = 64;

enum class Shape {
    truth,         // as the engine reads it: "", 0, no, false, none are false. Written as 0 or 1
    never,         // a truth that must be false
    time,          // seconds since 1970, with up to nine digits of fraction
    number,        // a whole number of up to nine digits
    tail,          // such a number, or "all"
    list_filters,  // JSON, {"name":["a"]} or {"name":{"a":true}}, as /containers/json knows it
    event_filters  // the same for /events; only events of containers are given out
};

struct Parameter {
    std::string_view name;
    Shape shape = Shape::never;
};

// "all=1&limit=5" for the engine: in the order of `allowed`. `query` is the client's, undecoded.
Judged<std::string> rewrite_query(std::string_view query, std::span<const Parameter> allowed);

}  // namespace boatswain::guard
