#include "base/text.h"

namespace boatswain {

std::string lower_case(std::string_view text) {
    std::string lower{text};
    for (char& c : lower) c = lower_case(c);
    return lower;
}

std::string_view trim(std::string_view text, std::string_view characters) {
    auto first = text.find_first_not_of(characters);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

std::string counted(std::uint64_t count, std::string_view noun) {
    return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

}  // namespace boatswain
