// Words for reading other people's JSON: every document is checked as a whole first, and a field that is missing, null or
// of another type than documented reads as "nothing".
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace boatswain::fleet::json {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// simdjson keeps what it parsed in the parser, which must outlive what is read. Remedy::quarantine.
inline Result<element> parse(simdjson::dom::parser& parser, std::string_view text, std::string_view what) {
    element root;
    if (auto error = parser.parse(text.data(), text.size()).get(root))
        return fail(Remedy::quarantine, std::string{what} + ": not JSON: " + simdjson::error_message(error));
    return root;
}

inline Result<object> parse_object(simdjson::dom::parser& parser, std::string_view text, std::string_view what) {
    TRY(auto root, parse(parser, text, what));
    object fields;
    if (root.get(fields)) return fail(Remedy::quarantine, std::string{what} + ": not a JSON object");
    return fields;
}

template <class T>
std::optional<T> get(const std::optional<object>& fields, std::string_view key) {
    element value;
    T wanted;
    if (!fields || fields->at_key(key).get(value) || value.get(wanted)) return std::nullopt;
    return wanted;
}

inline std::optional<object> object_of(const std::optional<object>& fields, std::string_view key) {
    return get<object>(fields, key);
}
inline std::optional<object> as_object(const element& value) {
    object fields;
    return value.get(fields) ? std::nullopt : std::optional{fields};
}
inline std::optional<std::string_view> as_text(const element& value) {
    std::string_view text;
    return value.get(text) ? std::nullopt : std::optional{text};
}
// Empty when there is none.
inline std::string text_of(const std::optional<object>& fields, std::string_view key) {
    return std::string{get<std::string_view>(fields, key).value_or("")};
}
inline bool flag_of(const std::optional<object>& fields, std::string_view key) {
    return get<bool>(fields, key).value_or(false);
}
// Whole numbers keep all 64 bits; others read as the number they are, and 0 when there is none.
inline std::int64_t integer_of(const std::optional<object>& fields, std::string_view key) {
    return get<std::int64_t>(fields, key).value_or(0);
}
inline double number_of(const std::optional<object>& fields, std::string_view key) {
    return get<double>(fields, key).value_or(0);
}

// Calls `each` with the elements of an array, at most `most` of them. False when there were more.
template <class Each>
bool for_each(const std::optional<object>& fields, std::string_view key, std::size_t most, const Each& each) {
    auto list = get<array>(fields, key);
    if (!list) return true;
    std::size_t count = 0;
    for (auto value : *list) {
        if (count++ == most) return false;
        each(value);
    }
    return true;
}

}  // namespace boatswain::fleet::json
