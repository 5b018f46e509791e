// LogQL's words: names, strings, numbers with their units, operators.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace boatswain::logql {

enum class Word : std::uint8_t {
    end,
    name,      // also the reserved ones: the parser knows which
    string,    // text: without its quotes and escapes
    number,    // number
    duration,  // number: in nanoseconds
    bytes,     // number
    flag,      // "--strict": text without the dashes
    symbol,    // text: one of the operators and brackets
};

struct Token {
    Word word = Word::end;
    std::string text;  // for people: as it was written, but for strings
    double number = 0;
    bool is_range = false;  // a duration in the form that ranges take (Prometheus's: 1h30m, no fraction)
    std::size_t at = 0;     // in the query, in bytes

    bool is(std::string_view symbol) const { return word == Word::symbol && text == symbol; }
    bool is_name(std::string_view name) const { return word == Word::name && text == name; }
};

// Longer queries are refused, as Loki does.
inline constexpr std::size_t query_bytes_max = 128U << 10;

// "parse error at line 1, col 17: " and `what`, as Loki says it; lines and columns count from 1.
Error parse_error(std::string_view query, std::size_t at, std::string_view what);

// The words of `query`, the last one Word::end. Remedy::stop with parse_error()'s words.
Result<std::vector<Token>> tokens_of(std::string_view query);

}  // namespace boatswain::logql
