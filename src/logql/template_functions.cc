#include "logql/template_functions.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "logql/units.h"
#include "query/regex.h"

namespace boatswain::logql {

namespace {

using Arguments = std::span<const TemplateValue>;
using Answer = Result<TemplateValue>;

// No function makes more text than this.
constexpr std::size_t made_bytes_max = 1U << 20;

std::string text_at(Arguments arguments, std::size_t at) { return text_of(arguments[at]); }

Result<double> number_at(Arguments arguments, std::size_t at) {
    if (const auto* number = std::get_if<double>(&arguments[at])) return *number;
    if (auto number = parse_number(text_at(arguments, at))) return *number;
    return fail(Remedy::stop, "a value is no number");
}

Answer lower(Arguments a) { return lower_case(text_at(a, 0)); }
Answer upper(Arguments a) {
    auto text = text_at(a, 0);
    for (char& c : text) c = upper_case(c);
    return text;
}
Answer title(Arguments a) {
    auto text = text_at(a, 0);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i == 0 || text[i - 1] == ' ') text[i] = upper_case(text[i]);
    return text;
}

std::string_view without(std::string_view text, std::string_view characters, bool left, bool right) {
    while (left && !text.empty() && characters.contains(text.front())) text.remove_prefix(1);
    while (right && !text.empty() && characters.contains(text.back())) text.remove_suffix(1);
    return text;
}
constexpr std::string_view blanks = " \t\r\n\v\f";

Answer trim(Arguments a) { return std::string{without(text_at(a, 0), blanks, true, true)}; }
// Loki's Trim has the text first, sprig's trimAll the characters.
Answer trim_go(Arguments a) { return std::string{without(text_at(a, 0), text_at(a, 1), true, true)}; }
Answer trim_left(Arguments a) { return std::string{without(text_at(a, 0), text_at(a, 1), true, false)}; }
Answer trim_right(Arguments a) { return std::string{without(text_at(a, 0), text_at(a, 1), false, true)}; }
Answer trim_all(Arguments a) { return std::string{without(text_at(a, 1), text_at(a, 0), true, true)}; }
std::string without_prefix(std::string text, const std::string& prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}
std::string without_suffix(std::string text, const std::string& suffix) {
    return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}
Answer trim_prefix_go(Arguments a) { return without_prefix(text_at(a, 0), text_at(a, 1)); }
Answer trim_suffix_go(Arguments a) { return without_suffix(text_at(a, 0), text_at(a, 1)); }
Answer trim_prefix(Arguments a) { return without_prefix(text_at(a, 1), text_at(a, 0)); }
Answer trim_suffix(Arguments a) { return without_suffix(text_at(a, 1), text_at(a, 0)); }

Answer replaced(std::string_view text, std::string_view old, std::string_view with, std::size_t times) {
    std::string result;
    if (old.empty()) return std::string{text};
    for (; times > 0; --times) {
        auto at = text.find(old);
        if (at == std::string_view::npos) break;
        result += text.substr(0, at);
        result += with;
        if (result.size() > made_bytes_max) return fail(Remedy::stop, "a text grows too long");
        text.remove_prefix(at + old.size());
    }
    return result + std::string{text};
}
Answer replace(Arguments a) { return replaced(text_at(a, 2), text_at(a, 0), text_at(a, 1), SIZE_MAX); }
Answer replace_go(Arguments a) {
    TRY(auto times, number_at(a, 3));
    return replaced(text_at(a, 0), text_at(a, 1), text_at(a, 2),
                    times < 0 ? SIZE_MAX : static_cast<std::size_t>(times));
}

// In characters, not bytes: a UTF-8 sequence is never cut.
std::size_t bytes_of_characters(std::string_view text, std::size_t characters) {
    std::size_t at = 0;
    while (at < text.size() && characters > 0) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
        --characters;
    }
    return at;
}
std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
Answer trunc(Arguments a) {
    TRY(auto length, number_at(a, 0));
    auto text = text_at(a, 1);
    auto characters = characters_of(text);
    auto wanted = static_cast<std::size_t>(std::min(std::fabs(length), 1e9));
    if (wanted >= characters) return text;
    if (length >= 0) return text.substr(0, bytes_of_characters(text, wanted));
    return text.substr(bytes_of_characters(text, characters - wanted));
}
Answer substring(Arguments a) {
    TRY(auto from, number_at(a, 0));
    TRY(auto to, number_at(a, 1));
    auto text = text_at(a, 2);
    auto first = bytes_of_characters(text, static_cast<std::size_t>(std::clamp(from, 0.0, 1e9)));
    auto last = to < 0 ? text.size() : bytes_of_characters(text, static_cast<std::size_t>(std::min(to, 1e9)));
    return first < last ? text.substr(first, last - first) : std::string{};
}
Result<std::string> padding(double count, std::size_t have) {
    auto wanted = static_cast<std::size_t>(std::clamp(count, 0.0, 1e9));
    if (wanted > made_bytes_max) return fail(Remedy::stop, "a width is too large");
    return std::string(wanted > have ? wanted - have : 0, ' ');
}
Answer align_left(Arguments a) {
    TRY(auto width, number_at(a, 0));
    auto text = text_at(a, 1);
    TRY(auto blank, padding(width, characters_of(text)));
    return blank.empty() ? text.substr(0, bytes_of_characters(text, static_cast<std::size_t>(std::max(width, 0.0))))
                         : text + blank;
}
Answer align_right(Arguments a) {
    TRY(auto width, number_at(a, 0));
    auto text = text_at(a, 1);
    auto characters = characters_of(text);
    TRY(auto blank, padding(width, characters));
    auto wanted = static_cast<std::size_t>(std::clamp(width, 0.0, 1e9));
    return blank.empty() ? text.substr(bytes_of_characters(text, characters - std::min(characters, wanted)))
                         : blank + text;
}
Answer repeat(Arguments a) {
    TRY(auto times, number_at(a, 0));
    auto text = text_at(a, 1);
    std::string result;
    for (double i = 0; i < times; ++i) {
        if (result.size() + text.size() > made_bytes_max) return fail(Remedy::stop, "a text grows too long");
        if (text.empty()) break;
        result += text;
    }
    return result;
}
Answer or_default(Arguments a) { return is_true(a[1]) ? a[1] : a[0]; }
Answer contains(Arguments a) { return text_at(a, 1).contains(text_at(a, 0)); }
Answer has_prefix(Arguments a) { return text_at(a, 1).starts_with(text_at(a, 0)); }
Answer has_suffix(Arguments a) { return text_at(a, 1).ends_with(text_at(a, 0)); }

Answer equal(Arguments a) {
    for (std::size_t i = 1; i < a.size(); ++i)
        if (text_at(a, 0) == text_at(a, i)) return true;
    return false;
}
Answer not_equal(Arguments a) { return text_at(a, 0) != text_at(a, 1); }
// Numbers where both are, otherwise text.
int order_of(Arguments a) {
    auto left = number_at(a, 0), right = number_at(a, 1);
    if (left && right) return *left < *right ? -1 : *left > *right ? 1 : 0;
    return text_at(a, 0).compare(text_at(a, 1));
}
Answer less(Arguments a) { return order_of(a) < 0; }
Answer less_equal(Arguments a) { return order_of(a) <= 0; }
Answer greater(Arguments a) { return order_of(a) > 0; }
Answer greater_equal(Arguments a) { return order_of(a) >= 0; }
Answer both(Arguments a) {
    auto found = std::ranges::find_if_not(a, is_true);
    return found == a.end() ? a.back() : *found;
}
Answer either(Arguments a) {
    auto found = std::ranges::find_if(a, is_true);
    return found == a.end() ? a.back() : *found;
}
Answer negated(Arguments a) { return !is_true(a[0]); }

template <class Operation>
Answer folded(Arguments a, const Operation& operation) {
    TRY(auto result, number_at(a, 0));
    for (std::size_t i = 1; i < a.size(); ++i) {
        TRY(auto next, number_at(a, i));
        TRY(result, operation(result, next));
    }
    return result;
}
using Number = Result<double>;
Number quotient(double l, double r, bool whole) {
    if (r == 0 && whole) return fail(Remedy::stop, "a division by zero");
    return whole ? std::trunc(l / r) : l / r;
}
Answer add(Arguments a) {
    return folded(a, [](double l, double r) -> Number { return l + r; });
}
Answer subtract(Arguments a) {
    return folded(a, [](double l, double r) -> Number { return l - r; });
}
Answer multiply(Arguments a) {
    return folded(a, [](double l, double r) -> Number { return l * r; });
}
Answer divide(Arguments a) {
    return folded(a, [](double l, double r) { return quotient(l, r, true); });
}
Answer divide_float(Arguments a) {
    return folded(a, [](double l, double r) { return quotient(l, r, false); });
}
Answer modulo(Arguments a) {
    return folded(a, [](double l, double r) -> Number {
        if (r == 0) return fail(Remedy::stop, "a division by zero");
        return std::fmod(l, r);
    });
}
Answer largest(Arguments a) {
    return folded(a, [](double l, double r) -> Number { return std::max(l, r); });
}
Answer smallest(Arguments a) {
    return folded(a, [](double l, double r) -> Number { return std::min(l, r); });
}
Answer as_float(Arguments a) {
    TRY(auto number, number_at(a, 0));
    return number;
}
Answer as_whole(Arguments a) {
    TRY(auto number, number_at(a, 0));
    return std::trunc(number);
}
Answer rounded_up(Arguments a) {
    TRY(auto number, number_at(a, 0));
    return std::ceil(number);
}
Answer rounded_down(Arguments a) {
    TRY(auto number, number_at(a, 0));
    return std::floor(number);
}
Answer rounded(Arguments a) {
    TRY(auto number, number_at(a, 0));
    TRY(auto digits, number_at(a, 1));
    auto scale = std::pow(10.0, std::clamp(digits, 0.0, 15.0));
    return std::round(number * scale) / scale;
}
Answer duration(Arguments a) {
    auto nanoseconds = parse_duration(text_at(a, 0));
    if (!nanoseconds) return fail(Remedy::stop, "a value is no duration");
    return *nanoseconds / 1e9;
}
Answer bytes(Arguments a) {
    auto count = parse_bytes(text_at(a, 0));
    if (!count) return fail(Remedy::stop, "a value is no size");
    return *count;
}
Answer length(Arguments a) { return static_cast<double>(text_at(a, 0).size()); }

Answer regex_replace(Arguments a) {
    TRY(auto regex, query::Regex::parse(text_at(a, 0)));
    return regex.replace_all(text_at(a, 1), text_at(a, 2));
}
Answer regex_replace_literal(Arguments a) {
    TRY(auto regex, query::Regex::parse(text_at(a, 0)));
    TRY(auto with, replaced(text_at(a, 2), "$", "$$", SIZE_MAX));
    return regex.replace_all(text_at(a, 1), text_of(with));
}

constexpr std::array functions{TemplateFunction{"ToLower", 1, 1, lower},
                               TemplateFunction{"ToUpper", 1, 1, upper},
                               TemplateFunction{"lower", 1, 1, lower},
                               TemplateFunction{"upper", 1, 1, upper},
                               TemplateFunction{"title", 1, 1, title},
                               TemplateFunction{"trim", 1, 1, trim},
                               TemplateFunction{"TrimSpace", 1, 1, trim},
                               TemplateFunction{"Trim", 2, 2, trim_go},
                               TemplateFunction{"TrimLeft", 2, 2, trim_left},
                               TemplateFunction{"TrimRight", 2, 2, trim_right},
                               TemplateFunction{"TrimPrefix", 2, 2, trim_prefix_go},
                               TemplateFunction{"TrimSuffix", 2, 2, trim_suffix_go},
                               TemplateFunction{"trimAll", 2, 2, trim_all},
                               TemplateFunction{"trimPrefix", 2, 2, trim_prefix},
                               TemplateFunction{"trimSuffix", 2, 2, trim_suffix},
                               TemplateFunction{"replace", 3, 3, replace},
                               TemplateFunction{"Replace", 4, 4, replace_go},
                               TemplateFunction{"trunc", 2, 2, trunc},
                               TemplateFunction{"substr", 3, 3, substring},
                               TemplateFunction{"alignLeft", 2, 2, align_left},
                               TemplateFunction{"alignRight", 2, 2, align_right},
                               TemplateFunction{"repeat", 2, 2, repeat},
                               TemplateFunction{"default", 2, 2, or_default},
                               TemplateFunction{"contains", 2, 2, contains},
                               TemplateFunction{"hasPrefix", 2, 2, has_prefix},
                               TemplateFunction{"hasSuffix", 2, 2, has_suffix},
                               TemplateFunction{"eq", 2, 8, equal},
                               TemplateFunction{"ne", 2, 2, not_equal},
                               TemplateFunction{"lt", 2, 2, less},
                               TemplateFunction{"le", 2, 2, less_equal},
                               TemplateFunction{"gt", 2, 2, greater},
                               TemplateFunction{"ge", 2, 2, greater_equal},
                               TemplateFunction{"and", 1, 8, both},
                               TemplateFunction{"or", 1, 8, either},
                               TemplateFunction{"not", 1, 1, negated},
                               TemplateFunction{"add", 2, 8, add},
                               TemplateFunction{"addf", 2, 8, add},
                               TemplateFunction{"sub", 2, 2, subtract},
                               TemplateFunction{"subf", 2, 8, subtract},
                               TemplateFunction{"mul", 2, 8, multiply},
                               TemplateFunction{"mulf", 2, 8, multiply},
                               TemplateFunction{"div", 2, 2, divide},
                               TemplateFunction{"divf", 2, 8, divide_float},
                               TemplateFunction{"mod", 2, 2, modulo},
                               TemplateFunction{"max", 2, 8, largest},
                               TemplateFunction{"min", 2, 8, smallest},
                               TemplateFunction{"maxf", 2, 8, largest},
                               TemplateFunction{"minf", 2, 8, smallest},
                               TemplateFunction{"float64", 1, 1, as_float},
                               TemplateFunction{"int", 1, 1, as_whole},
                               TemplateFunction{"ceil", 1, 1, rounded_up},
                               TemplateFunction{"floor", 1, 1, rounded_down},
                               TemplateFunction{"round", 2, 2, rounded},
                               TemplateFunction{"duration", 1, 1, duration},
                               TemplateFunction{"duration_seconds", 1, 1, duration},
                               TemplateFunction{"bytes", 1, 1, bytes},
                               TemplateFunction{"len", 1, 1, length},
                               TemplateFunction{"regexReplaceAll", 3, 3, regex_replace},
                               TemplateFunction{"regexReplaceAllLiteral", 3, 3, regex_replace_literal}};

}  // namespace

std::string text_of(const TemplateValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<double>(&value)) return number_text(*number);
    return std::get<bool>(value) ? "true" : "false";
}

bool is_true(const TemplateValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
    if (const auto* number = std::get_if<double>(&value)) return *number != 0;
    return std::get<bool>(value);
}

const TemplateFunction* find_template_function(std::string_view name) {
    auto found = std::ranges::find(functions, name, &TemplateFunction::name);
    return found == functions.end() ? nullptr : &*found;
}

}  // namespace boatswain::logql
