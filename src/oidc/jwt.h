// What all our tokens of JWT's form (RFC 7519) have in common: three parts, and claims that say when they hold.
//
// Nothing here trusts anything: whoever calls has checked the signature before he looks at a claim.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/json_reader.h"
#include "base/time.h"

namespace boatswain::jwt {

inline constexpr std::size_t token_bytes_max = 8192;
// By how much the clock of whoever signs may differ from ours.
inline constexpr std::chrono::seconds skew_max{60};
inline constexpr std::size_t audiences_max = 100;

// As they stand there, in base64url.
struct Parts {
    std::string_view head, payload, signature;
    std::string_view is_signed;  // head and payload with the dot between them
};
// Nothing: not three parts, or more than token_bytes_max.
std::optional<Parts> split(std::string_view text);

// Seconds since 1970, with a fraction or without, until 2200. Nothing: there is no such claim, or it is no moment.
std::optional<Timestamp> moment_of(const json::object& claims, std::string_view name);
// Absent is fine; there, it has to be a moment that has come.
bool has_come(const json::object& claims, std::string_view name, Timestamp now);
// Whether `aud` is that audience, or a list with it.
bool is_for(const json::object& claims, std::string_view audience);
// Whether a name comes twice at its top: two readers could take it for two different tokens (RFC 7519 section 4).
bool has_a_name_twice(const json::object& fields);

}  // namespace boatswain::jwt
