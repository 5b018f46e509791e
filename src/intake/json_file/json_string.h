// Unescaping a JSON string at memory speed.
#pragma once

#include <cstddef>

namespace boatswain::intake {

// Where unescaping stopped.
struct Unescaped {
    const char* input_end;  // behind the closing quote; nullptr: no closing quote before `end`, or a broken escape
    char* output_end;
};

// Unescapes the string whose first character (after its opening quote) is at `at`, up to its closing quote, into `out`.
// Reads nothing at or past `end`; writes at most (end - at) + 16 bytes. Lone surrogates become U+FFFD; raw bytes are
// copied as they are.
Unescaped unescape_json_string(const char* at, const char* end, char* out);

}  // namespace boatswain::intake
