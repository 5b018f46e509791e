// What a record holds once it is opened: a row of items (docs/formats/live.md, "A stream").
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "record/source.h"

namespace boatswain::live {

// A record's plaintext is about this large at most, but for a line that is longer.
inline constexpr std::size_t record_bytes = 256U << 10;
// Sources of one part, and of a mark.
inline constexpr std::size_t sources_max = 10'000;

struct MarkedSource {
    std::uint32_t source = 0;  // its index
    std::uint64_t next = 0;    // the ordinal of its next line
    bool again = true;         // its lines can be read again
};
struct Mark {
    std::uint32_t mark = 0;
    std::vector<MarkedSource> sources;
};
struct LinesItem {
    std::uint32_t source = 0;
    std::uint64_t first_ordinal = 0;
    std::string_view text;  // without a heading
};
using Item = std::variant<Source, LinesItem, Mark>;

void append_item(std::string& record, const Source& source);
void append_item(std::string& record, const LinesItem& lines);
void append_item(std::string& record, const Mark& mark);

// In their order. Texts of lines are borrowed of `record`; a source has no tenant yet. Remedy::quarantine for what is
// no record, or of which a number or a name is out of bounds.
Result<std::vector<Item>> parse_record(std::string_view record);

// The nonce of the record with this counter.
std::array<std::uint8_t, 12> record_nonce(std::uint64_t counter);

}  // namespace boatswain::live
