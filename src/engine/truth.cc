#include "engine/truth.h"

#include <algorithm>
#include <array>

namespace boatswain::engine {

std::optional<bool> parse_truth(std::string_view text) {
    static constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "TRUE", "true", "True"};
    static constexpr std::array<std::string_view, 6> no{"0", "f", "F", "FALSE", "false", "False"};
    if (std::ranges::find(yes, text) != yes.end()) return true;
    if (std::ranges::find(no, text) != no.end()) return false;
    return std::nullopt;
}

}  // namespace boatswain::engine
