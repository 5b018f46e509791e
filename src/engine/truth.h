// Yes or no, as the engine and its clients write it: the forms that Go's strconv.ParseBool takes.
#pragma once

#include <optional>
#include <string_view>

namespace boatswain::engine {

// 1, t, T, TRUE, true, True; 0, f, F, FALSE, false, False. Nothing for any other text, white space around included.
std::optional<bool> parse_truth(std::string_view text);

}  // namespace boatswain::engine
