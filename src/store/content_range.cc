#include "store/content_range.h"

#include <charconv>
#include <system_error>

namespace boatswain::store {
namespace {

// Takes a number and the text behind it off the front of `rest`.
std::optional<std::uint64_t> take_number(std::string_view& rest, std::string_view then) {
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{}) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.starts_with(then)) return std::nullopt;
    rest.remove_prefix(then.size());
    return number;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view value) {
    if (!value.starts_with("bytes ")) return std::nullopt;
    value.remove_prefix(6);
    auto first = take_number(value, "-");
    auto last = first ? take_number(value, "/") : std::nullopt;
    auto size = last ? take_number(value, "") : std::nullopt;
    if (!size || !value.empty() || *first > *last || *last >= *size) return std::nullopt;
    return ContentRange{*first, *last, *size};
}

}  // namespace boatswain::store
