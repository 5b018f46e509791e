// The header of an age v1 file (https://c2sp.org/age), parsed as strictly as that specification says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "open/identity.h"

namespace boatswain::open {

inline constexpr std::size_t age_header_bytes_max = 64U << 10;
inline constexpr std::size_t age_stanzas_max = 64;

struct AgeStanza {
    std::vector<std::string> arguments;  // the first is the type: "X25519"
    std::string body;                    // decoded
};

struct AgeHeader {
    std::vector<AgeStanza> stanzas;
    std::string authenticated;  // what the MAC covers: up to and with "---"
    std::string mac;            // 32 bytes
    std::size_t bytes = 0;      // of the header; the payload starts here
};

// Parses the header at the start of `file`. Nothing when `file` ends before the header does and is shorter than
// age_header_bytes_max: more bytes are needed. Remedy::quarantine for what is no header.
Result<std::optional<AgeHeader>> parse_age_header(std::string_view file);

// The file key (16 bytes), by the first identity that fits, after checking the MAC. None fits: Remedy::stop, and
// is_for_others(). A malformed X25519 stanza or a wrong MAC: Remedy::quarantine.
Result<std::string> unwrap_file_key(const AgeHeader& header, std::span<const Identity> identities);

// Whether an error says that an object is sound so far, and sealed for none of the identities given.
bool is_for_others(const Error& error);

}  // namespace boatswain::open
