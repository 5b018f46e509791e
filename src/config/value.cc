#include "config/value.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/text.h"
#include "config/toml_file.h"
#include "config/words.h"

namespace boatswain::config {
namespace {

constexpr std::string_view a_duration = R"(a length of time; write for example "60s", "5m" or "1h30m")";
constexpr std::string_view a_size = R"(a size; write for example "8MiB", "64KiB" or "1GB")";

std::string shown(const Given::Value& value) {
    struct Shower {
        std::string operator()(const std::string& text) const { return in_quotes(text); }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(bool truth) const { return truth ? "true" : "false"; }
        std::string operator()(double) const { return "a number with a fraction"; }
        std::string operator()(const std::vector<std::string>&) const { return "a list"; }
        std::string operator()(const Other& other) const { return other.type; }
    };
    return std::visit(Shower{}, value);
}

std::unexpected<Error> not_a(const Given& given, std::string_view what) {
    return fail(Remedy::stop, shown(given.value) + " is not " + std::string{what});
}

// What the file could not say either; a zero byte would also end a path early.
Result<void> check_text(std::string_view text) {
    if (text.contains('\0')) return fail(Remedy::stop, in_quotes(text) + " holds a zero byte");
    if (!is_valid_utf8(text)) return fail(Remedy::stop, in_quotes(text) + " is not UTF-8");
    return {};
}

Result<std::vector<std::string>> check_list(std::vector<std::string> list) {
    for (const auto& text : list) CHECK(check_text(text));
    return list;
}

}  // namespace

Result<std::string> as_text(const Given& given) {
    const auto* text = std::get_if<std::string>(&given.value);
    if (text == nullptr) return not_a(given, "text; write it between quotes");
    CHECK(check_text(*text));
    return *text;
}

Result<bool> as_bool(const Given& given) {
    if (const auto* truth = std::get_if<bool>(&given.value)) return *truth;
    if (const auto* text = std::get_if<std::string>(&given.value); text != nullptr && given.is_text) {
        if (*text == "true" || *text == "1" || *text == "yes") return true;
        if (*text == "false" || *text == "0" || *text == "no") return false;
    }
    return not_a(given, "true or false");
}

Result<std::int64_t> as_number(const Given& given) {
    if (const auto* number = std::get_if<std::int64_t>(&given.value)) return *number;
    if (const auto* text = std::get_if<std::string>(&given.value); text != nullptr && given.is_text) {
        std::int64_t number = 0;
        auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
        if (error == std::errc{} && end == text->data() + text->size()) return number;
    }
    return not_a(given, "a whole number");
}

Result<Nanoseconds> as_duration(const Given& given) {
    if (const auto* text = std::get_if<std::string>(&given.value))
        if (auto duration = parse_duration(*text)) return *duration;
    if (const auto* number = std::get_if<std::int64_t>(&given.value); number != nullptr && *number >= 0)
        return fail(Remedy::stop,
                    std::to_string(*number) + " has no unit; for seconds write \"" + std::to_string(*number) + "s\"");
    return not_a(given, a_duration);
}

Result<std::uint64_t> as_size(const Given& given) {
    if (const auto* text = std::get_if<std::string>(&given.value))
        if (auto size = parse_size(*text)) return *size;
    if (const auto* number = std::get_if<std::int64_t>(&given.value); number != nullptr && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    return not_a(given, a_size);
}

Result<std::vector<std::string>> as_list(const Given& given) {
    if (const auto* list = std::get_if<std::vector<std::string>>(&given.value)) return check_list(*list);
    const auto* text = std::get_if<std::string>(&given.value);
    if (text == nullptr || !given.is_text)
        return not_a(given, R"(a list of texts; write for example ["env:TENANT", "name"])");
    auto rest = trim(*text);
    if (rest.starts_with('[')) {
        TRY(auto parsed, parse_toml_list(rest));
        return check_list(std::move(parsed));
    }
    std::vector<std::string> list;
    while (!rest.empty()) {
        auto end = std::min(rest.find(','), rest.size());
        if (auto part = trim(rest.substr(0, end)); !part.empty()) list.emplace_back(part);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return check_list(std::move(list));
}

std::string toml_quote(std::string_view text) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out = "\"";
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            out += "\\u00";
            out += hex[byte >> 4];
            out += hex[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace boatswain::config
