// Writes JSON in the order of the calls, without blanks, into one string.
//
//   json_object().member("id", id).object("held").member("lines", n).end().member("ok", true).take()
//
// The writer adds commas, quotes and the brackets that are still open when the text is taken. It keeps nothing but
// the text: how large that may be is for the caller to bound. Objects and arrays nest at most json_depth_max deep
// (std::logic_error beyond: no text from outside decides how deep we write).
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/time.h"

namespace boatswain {

inline constexpr std::size_t json_depth_max = 32;

// `text` as a JSON string, with its quotes. Bytes that are not UTF-8 become U+FFFD; characters that act on a terminal
// or a page (base/characters.h) are written as \uNNNN.
std::string json_quote(std::string_view text);
void append_json_quoted(std::string& out, std::string_view text);

class JsonWriter {
  public:
    // What is written follows `before`, whose memory is used.
    explicit JsonWriter(std::string before = {}) : text_(std::move(before)), start_(text_.size()) {}

    JsonWriter& object() { return open('{'); }
    JsonWriter& object(std::string_view its_name) { return name(its_name).open('{'); }
    JsonWriter& array() { return open('['); }
    JsonWriter& array(std::string_view its_name) { return name(its_name).open('['); }
    // Closes the innermost object or array.
    JsonWriter& end();

    JsonWriter& name(std::string_view name) {
        comma();
        append_json_quoted(text_, name);
        text_ += ':';
        return *this;
    }
    // A text, truth, whole number or time; null for an empty optional or pointer; an array, or an object where elements are
    // pairs of name and value.
    template <class T>
    JsonWriter& value(const T& value);
    // JSON that was written elsewhere.
    JsonWriter& raw(std::string_view json) {
        comma();
        text_ += json;
        return *this;
    }

    template <class T>
    JsonWriter& member(std::string_view its_name, const T& its_value) {
        return name(its_name).value(its_value);
    }
    JsonWriter& raw_member(std::string_view its_name, std::string_view json) { return name(its_name).raw(json); }
    // Leaves the member out when there is nothing to say: an empty text, or no value.
    JsonWriter& member_unless_empty(std::string_view its_name, std::string_view text) {
        return text.empty() ? *this : member(its_name, text);
    }
    template <class T>
    JsonWriter& member_if_there(std::string_view its_name, const std::optional<T>& its_value) {
        return its_value ? member(its_name, *its_value) : *this;
    }

    // Closes what is open and hands over the text.
    std::string take();
    std::string take_line() { return take() + "\n"; }

  private:
    JsonWriter& open(char bracket);
    // Before a name or a value: none at the start, and none after what it belongs to.
    void comma() {
        if (text_.size() == start_) return;
        char last = text_.back();
        if (last != '{' && last != '[' && last != ':') text_ += ',';
    }

    std::string text_;
    std::size_t start_;
    std::size_t depth_ = 0;
    std::uint32_t arrays_ = 0;  // a bit for each level: set for an array
    static_assert(json_depth_max <= 32);
};

inline JsonWriter json_object() {
    JsonWriter json;
    json.object();
    return json;
}
inline JsonWriter json_array() {
    JsonWriter json;
    json.array();
    return json;
}

template <class T>
JsonWriter& JsonWriter::value(const T& value) {
    static_assert(!std::is_same_v<T, char> && !std::is_floating_point_v<T>, "say in which form: raw()");
    if constexpr (std::is_same_v<T, bool>) {
        return raw(value ? "true" : "false");
    } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
        return raw("null");
    } else if constexpr (std::is_integral_v<T>) {
        char digits[24];
        return raw({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        comma();
        append_json_quoted(text_, value);
        return *this;
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return this->value(to_text(value));
    } else if constexpr (requires { value.has_value(); }) {
        return value ? this->value(*value) : raw("null");
    } else if constexpr (requires { value.begin()->first; }) {
        object();
        for (const auto& [its_name, its_value] : value) member(its_name, its_value);
        return end();
    } else {
        static_assert(std::ranges::range<T>);
        array();
        for (const auto& element : value) this->value(element);
        return end();
    }
}

}  // namespace boatswain
