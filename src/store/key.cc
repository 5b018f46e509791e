#include "store/key.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "store/store.h"

namespace boatswain::store {
namespace {

bool may_be_in_a_key(char c) {
    return is_letter_or_digit(c) || std::string_view{"._~=%/-"}.find(c) != std::string_view::npos;
}

}  // namespace

std::optional<std::string> key_problem(std::string_view key) {
    if (key.empty()) return "a key is empty";
    auto named = "key \"" + printable(key) + "\"";
    if (key.size() > key_bytes_max) return named + " is longer than " + std::to_string(key_bytes_max) + " bytes";
    auto bad = std::ranges::find_if_not(key, may_be_in_a_key);
    if (bad != key.end())
        return named + " holds '" + printable(std::string_view{bad, bad + 1}) + "', which must be percent-encoded";
    for (std::size_t at = 0; at <= key.size();) {
        auto part = key.substr(at, key.find('/', at) - at);
        if (part.empty()) return named + " has an empty part";
        if (part == "." || part == "..") return named + " has a part \"" + std::string{part} + "\"";
        at += part.size() + 1;
    }
    return std::nullopt;
}

std::optional<std::string> prefix_problem(std::string_view prefix) {
    return prefix.empty() ? std::nullopt : key_problem(std::string{prefix} + "x");
}

}  // namespace boatswain::store
