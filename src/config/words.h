// Small words that the sentences of this folder share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/url_text.h"

namespace boatswain::config {

// A value in a message. It may be an URL, or hold one, wherever somebody has put it.
inline std::string in_quotes(std::string_view text) { return "\"" + printable(without_url_secrets(text), 80) + "\""; }

template <class Range>
bool is_among(std::string_view text, const Range& range) {
    return std::ranges::find(range, text) != std::ranges::end(range);
}

}  // namespace boatswain::config
