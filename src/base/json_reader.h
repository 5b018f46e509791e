// Reads JSON that others wrote. Every document is checked as a whole first (syntax and UTF-8); then a field that is
// missing, null or of another type than asked for reads as "nothing". Of repeated keys the first counts.
//
// How long a document may be is for the caller to bound. A part that includes this links simdjson.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace boatswain::json {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;
using simdjson::dom::parser;

// simdjson keeps what it parsed in the parser, which must outlive what is read. Remedy::quarantine.
inline Result<element> parse(parser& parser, std::string_view text, std::string_view what) {
    element root;
    if (auto error = parser.parse(text.data(), text.size()).get(root))
        return fail(Remedy::quarantine, std::string{what} + ": not JSON: " + simdjson::error_message(error));
    return root;
}

inline Result<object> parse_object(parser& parser, std::string_view text, std::string_view what) {
    TRY(auto root, parse(parser, text, what));
    object fields;
    if (root.get(fields)) return fail(Remedy::quarantine, std::string{what} + ": not a JSON object");
    return fields;
}

template <class T>
std::optional<T> as(const element& value) {
    T wanted;
    return value.get(wanted) ? std::nullopt : std::optional{wanted};
}
inline std::optional<object> as_object(const element& value) { return as<object>(value); }
inline std::optional<std::string_view> as_text(const element& value) { return as<std::string_view>(value); }

inline std::optional<element> field(const std::optional<object>& fields, std::string_view key) {
    element value;
    if (!fields || fields->at_key(key).get(value)) return std::nullopt;
    return value;
}
template <class T>
std::optional<T> get(const std::optional<object>& fields, std::string_view key) {
    auto value = field(fields, key);
    return value ? as<T>(*value) : std::nullopt;
}

inline std::optional<object> object_of(const std::optional<object>& fields, std::string_view key) {
    return get<object>(fields, key);
}
// Empty when there is none. The text of view_of() is the parser's.
inline std::string_view view_of(const std::optional<object>& fields, std::string_view key) {
    return get<std::string_view>(fields, key).value_or("");
}
inline std::string text_of(const std::optional<object>& fields, std::string_view key) {
    return std::string{view_of(fields, key)};
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
// In RFC 3339, as parse_time() reads it.
inline std::optional<Timestamp> time_of(const std::optional<object>& fields, std::string_view key) {
    return parse_time(view_of(fields, key));
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

// Calls `each` with the texts of an array; with name and text of an object's members. Other values are left out.
template <class Each>
void for_each_text(const std::optional<object>& fields, std::string_view key, const Each& each) {
    if (auto map = object_of(fields, key)) {
        for (auto [name, value] : *map)
            if (auto text = as_text(value))
                if constexpr (requires { each(name, *text); }) each(name, *text);
    } else if (auto list = get<array>(fields, key)) {
        for (auto value : *list)
            if (auto text = as_text(value))
                if constexpr (requires { each(*text); }) each(*text);
    }
}
inline std::map<std::string, std::string> texts_of(const std::optional<object>& fields, std::string_view key) {
    std::map<std::string, std::string> texts;
    for_each_text(fields, key, [&](std::string_view name, std::string_view text) { texts.emplace(name, text); });
    return texts;
}

}  // namespace boatswain::json
