// Small words that the sentences of this folder share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace boatswain::config {

inline std::string in_quotes(std::string_view text) { return "\"" + printable(text, 80) + "\""; }

template <class Range>
bool is_among(std::string_view text, const Range& range) {
    return std::ranges::find(range, text) != std::ranges::end(range);
}

}  // namespace boatswain::config
