#include "logql/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace boatswain::logql {

namespace {

constexpr double second = 1e9;

// A number without a sign at the start of `text`, and what is behind it.
std::optional<std::pair<double, std::string_view>> leading_number(std::string_view text, bool fraction) {
    std::size_t end = 0;
    while (end < text.size() && (is_digit(text[end]) || (fraction && text[end] == '.'))) ++end;
    double value = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + end, value, std::chars_format::fixed);
    if (end == 0 || error != std::errc{} || stop != text.data() + end) return std::nullopt;
    return std::pair{value, text.substr(end)};
}

struct Unit {
    std::string_view name;
    double nanoseconds;
};

// Longer names first, so that "ms" is not taken for "m".
constexpr std::array range_units{Unit{"ms", 1e6},
                                 Unit{"s", second},
                                 Unit{"m", 60 * second},
                                 Unit{"h", 3600 * second},
                                 Unit{"d", 86400 * second},
                                 Unit{"w", 7 * 86400 * second},
                                 Unit{"y", 365 * 86400 * second}};
constexpr std::array go_units{Unit{"ns", 1},   Unit{"us", 1e3},   Unit{"\xc2\xb5s", 1e3}, Unit{"\xce\xbcs", 1e3},
                              Unit{"ms", 1e6}, Unit{"s", second}, Unit{"m", 60 * second}, Unit{"h", 3600 * second}};

template <class Units>
std::optional<double> sum_of_units(std::string_view text, const Units& units, bool fraction, bool from_large) {
    double sum = 0, last = std::numeric_limits<double>::infinity();
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        auto number = leading_number(text, fraction);
        if (!number) return std::nullopt;
        auto unit = std::ranges::find_if(units, [&](const Unit& u) { return number->second.starts_with(u.name); });
        if (unit == units.end() || (from_large && unit->nanoseconds >= last)) return std::nullopt;
        last = unit->nanoseconds;
        sum += number->first * unit->nanoseconds;
        text = number->second.substr(unit->name.size());
    }
    return sum;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
    constexpr auto infinity = std::numeric_limits<double>::infinity();
    auto bare = text;
    double sign = 1;
    if (!bare.empty() && (bare.front() == '+' || bare.front() == '-')) {
        if (bare.front() == '-') sign = -1;
        bare.remove_prefix(1);
    }
    if (bare == "Inf" || bare == "inf") return sign * infinity;
    if (bare == "NaN" || bare == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (bare.empty() || !(is_digit(bare.front()) || bare.front() == '.')) return std::nullopt;
    double value = 0;
    auto [stop, error] = std::from_chars(bare.data(), bare.data() + bare.size(), value);
    if (error != std::errc{} || stop != bare.data() + bare.size()) return std::nullopt;
    return sign * value;
}

std::optional<double> parse_range_duration(std::string_view text) {
    if (text == "0") return 0.0;
    return sum_of_units(text, range_units, false, true);
}

std::optional<double> parse_duration(std::string_view text) {
    double sign = 1;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        if (text.front() == '-') sign = -1;
        text.remove_prefix(1);
    }
    auto sum = parse_range_duration(text);
    if (!sum) sum = sum_of_units(text, go_units, true, false);
    return sum ? std::optional{sign * *sum} : std::nullopt;
}

std::optional<double> parse_bytes(std::string_view text) {
    auto number = leading_number(text, true);
    if (!number) return std::nullopt;
    auto unit = number->second;
    if (unit.starts_with(' ')) unit.remove_prefix(1);
    if (unit.empty() || unit == "B") return number->first;
    auto power = std::string_view{"kMGTPE"}.find(unit.front());
    if (unit.front() == 'K') power = 0;
    if (power == std::string_view::npos) return std::nullopt;
    unit.remove_prefix(1);
    double base = 1000;
    if (unit.starts_with('i')) {
        base = 1024;
        unit.remove_prefix(1);
    }
    if (!unit.empty() && unit != "B") return std::nullopt;
    return number->first * std::pow(base, static_cast<double>(power + 1));
}

std::string number_text(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
    if (number == std::floor(number) && std::fabs(number) < 1e15) return fmt::format("{:.0f}", number);
    return fmt::format("{}", number);
}

}  // namespace boatswain::logql
