#include "api/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/bytes.h"
#include "base/text.h"
#include "logql/units.h"

namespace boatswain::api {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr Nanoseconds step_max = std::chrono::hours{24 * 365};
constexpr std::size_t shown_bytes_max = 60;  // of what is repeated in an error

std::unexpected<Error> refuse(std::string what) { return fail(Remedy::stop, std::move(what)); }

std::string shown(std::string_view text) { return "\"" + printable(text, shown_bytes_max) + "\""; }

std::optional<std::string> form_decode(std::string_view text) {
    std::string blanks{text};
    std::ranges::replace(blanks, '+', ' ');
    return percent_decode(blanks);
}

std::optional<double> to_double(std::string_view text) {
    double number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::optional<std::int64_t> to_integer(std::string_view text) {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<Timestamp> parse_moment(std::string_view text) {
    constexpr std::size_t seconds_digits_max = 10;
    if (text.contains('.'))
        if (auto seconds = to_double(text)) {
            if (*seconds < 0 || *seconds > static_cast<double>(seconds_max)) return std::nullopt;
            return Timestamp{std::chrono::milliseconds{std::llround(*seconds * 1000)}};
        }
    if (auto number = to_integer(text)) {
        bool is_seconds = text.size() <= seconds_digits_max;
        if (*number < 0 || (is_seconds ? *number : *number / second) > seconds_max) return std::nullopt;
        return Timestamp{Nanoseconds{is_seconds ? *number * second : *number}};
    }
    auto time = parse_time(text);
    if (!time || *time < Timestamp{} || *time > Timestamp{std::chrono::seconds{seconds_max}}) return std::nullopt;
    return time;
}

// Seconds, or a duration of Prometheus: "60000ms", "1h30m", "1w".
std::optional<Nanoseconds> parse_length(std::string_view text) {
    constexpr double most = 100.0 * 365 * 24 * 3600 * static_cast<double>(second);
    auto length = to_double(text);
    if (length)
        *length *= static_cast<double>(second);
    else
        length = logql::parse_range_duration(text);
    if (!length || std::abs(*length) > most) return std::nullopt;
    return Nanoseconds{std::llround(*length)};
}

}  // namespace

Result<Parameters> Parameters::parse(std::string_view url_query, std::string_view form) {
    Parameters parameters;
    for (auto text : {url_query, form}) {
        while (!text.empty()) {
            auto pair = text.substr(0, text.find('&'));
            text.remove_prefix(std::min(text.size(), pair.size() + 1));
            if (pair.empty()) continue;
            auto equals = pair.find('=');
            auto name = form_decode(pair.substr(0, equals));
            auto value = form_decode(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1));
            if (!name || !value) return refuse("invalid URL escape in the parameters");
            if (parameters.all_.size() == parameters_max)
                return refuse(fmt::format("more than {} parameters", parameters_max));
            parameters.all_.emplace_back(std::move(*name), std::move(*value));
        }
    }
    return parameters;
}

Result<Parameters> Parameters::of(std::vector<std::pair<std::string, std::string>> all) {
    if (all.size() > parameters_max) return refuse(fmt::format("more than {} parameters", parameters_max));
    Parameters parameters;
    parameters.all_ = std::move(all);
    return parameters;
}

std::string_view Parameters::value(std::string_view name) const {
    for (const auto& [have, value] : all_)
        if (have == name && !value.empty()) return value;
    return {};
}

std::vector<std::string_view> Parameters::values(std::string_view name) const {
    std::vector<std::string_view> found;
    for (const auto& [have, value] : all_)
        if (have == name) found.push_back(value);
    return found;
}

Result<Timestamp> time_of(const Parameters& given, std::string_view name, Timestamp otherwise) {
    auto text = given.value(name);
    if (text.empty()) return otherwise;
    auto time = parse_moment(text);
    if (!time)
        return refuse(
            fmt::format("could not parse '{}' parameter: {} is neither seconds or nanoseconds since 1970 nor "
                        "a time of RFC 3339",
                        name, shown(text)));
    return *time;
}

Result<query::TimeRange> range_of(const Parameters& given, Timestamp now, Nanoseconds length_max) {
    auto length = since_default;
    if (auto since = given.value("since"); !since.empty()) {
        auto parsed = parse_length(since);
        if (!parsed) return refuse("could not parse 'since' parameter: not a valid duration string: " + shown(since));
        length = *parsed;
    }
    TRY(auto end, time_of(given, "end", now));
    TRY(auto start, time_of(given, "start", std::min(now, end) - length));
    if (end <= start) return refuse("end timestamp must not be before or equal to start time");
    if (end - start > length_max) return too_long(end - start, length_max);
    return query::TimeRange{.since = start, .until = end};
}

std::unexpected<Error> too_long(Nanoseconds length, Nanoseconds length_max) {
    return refuse(fmt::format("the query time range exceeds the limit (query length: {}, limit: {})",
                              duration_text(length), duration_text(length_max)));
}

Result<std::uint64_t> count_of(const Parameters& given, std::string_view name, std::uint64_t otherwise,
                               std::uint64_t most) {
    auto text = given.value(name);
    if (text.empty()) return otherwise;
    auto count = to_integer(text);
    if (!count) return refuse(fmt::format("could not parse '{}' parameter: {} is not a number", name, shown(text)));
    if (*count <= 0) return refuse(fmt::format("{} must be a positive value", name));
    if (*count > static_cast<std::int64_t>(most))
        return refuse(fmt::format("max entries limit per query exceeded, {} > max_entries_limit_per_query ({} > {})",
                                  name, *count, most));
    return static_cast<std::uint64_t>(*count);
}

Result<std::uint64_t> limit_of(const Parameters& given) { return count_of(given, "limit", lines_default, lines_max); }

Result<Nanoseconds> interval_of(const Parameters& given) {
    auto text = given.value("interval");
    if (text.empty()) return Nanoseconds{};
    auto interval = parse_length(text);
    if (!interval) return refuse("cannot parse " + shown(text) + " to a valid duration");
    if (*interval < Nanoseconds{}) return refuse("interval must be >= 0");
    return *interval;
}

Result<Nanoseconds> step_of(const Parameters& given, const query::TimeRange& range) {
    auto text = given.value("step");
    if (text.empty())
        return std::max<Nanoseconds>(std::chrono::seconds{1},
                                     std::chrono::floor<std::chrono::seconds>((range.until - range.since) / 250));
    auto step = parse_length(text);
    if (!step) return refuse("cannot parse " + shown(text) + " to a valid duration");
    if (*step <= Nanoseconds{0})
        return refuse("zero or negative query resolution step widths are not accepted. Try a positive integer");
    return std::min(*step, step_max);
}

Result<bool> is_backward(const Parameters& given) {
    auto text = lower_case(given.value("direction"));
    if (text.empty() || text == "backward") return true;
    if (text == "forward") return false;
    return refuse("invalid direction " + shown(text) + ": it is forward or backward");
}

std::string duration_text(Nanoseconds length) {
    auto seconds = std::chrono::floor<std::chrono::seconds>(length).count();
    return fmt::format("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace boatswain::api
