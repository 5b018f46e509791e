// Small words for bytes. Owned bytes are a std::string, borrowed ones a std::string_view, whatever they hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain {

std::string to_hex(std::string_view bytes);                              // lower case
std::optional<std::string> from_hex(std::string_view text);              // either case; nothing for anything else
std::string to_base64(std::string_view bytes);                           // RFC 4648 section 4, with padding
std::string to_base64_unpadded(std::string_view bytes);                  // as age headers write it
std::optional<std::string> from_base64_unpadded(std::string_view text);  // strict: canonical, no padding
// The same with '-' and '_' for '+' and '/': RFC 4648 section 5, as JWTs have it.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

// Percent-encoding of one part of a path (RFC 3986 section 2.1): everything but A-Z a-z 0-9 - . _ ~ becomes %XX,
// upper-case; a part that is only dots is encoded whole, so that no part is "." or "..".
std::string percent_encode(std::string_view part);
std::optional<std::string> percent_decode(std::string_view part);  // nothing when a % is not followed by two hex digits

// Sizes: "8MiB", "64KiB", "1GiB", "500kB", "1MB", "12" (bytes).
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_to_text(std::uint64_t bytes);  // the shortest form that parse_size reads back to the same value

// Text from outside, made fit for one line of a person's terminal or of our own log: control characters and
// broken UTF-8 become \xNN, and what is longer than `bytes_max` is cut and marked with "...".
std::string printable(std::string_view text, std::size_t bytes_max = 200);

bool is_valid_utf8(std::string_view text);

}  // namespace boatswain
