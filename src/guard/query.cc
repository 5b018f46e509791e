#include "guard/query.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace boatswain::guard {
namespace {

constexpr int bad_request = 400;
constexpr int forbidden = 403;

using Filters = std::map<std::string, std::vector<std::string>, std::less<>>;

constexpr std::array<std::string_view, 15> list_filter_names{"ancestor", "before",  "exited",    "expose", "health",
                                                             "id",       "is-task", "isolation", "label",  "name",
                                                             "network",  "publish", "since",     "status", "volume"};
constexpr std::array<std::string_view, 5> event_filter_names{"container", "event", "image", "label", "type"};

// As forms are encoded: '+' is a blank.
std::optional<std::string> decode(std::string_view text) {
    std::string plain{text};
    std::ranges::replace(plain, '+', ' ');
    return percent_decode(plain);
}

bool all_digits(std::string_view text, std::size_t digits_max) {
    return !text.empty() && text.size() <= digits_max &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// 1.24 and later: what is not one of these words is true.
bool to_truth(std::string_view text) {
    static constexpr std::array<std::string_view, 5> falsehoods{"", "0", "no", "false", "none"};
    return std::ranges::find(falsehoods, lower_case(text)) == falsehoods.end();
}

bool is_time(std::string_view text) {
    constexpr std::size_t second_digits_max = 12, fraction_digits_max = 9;
    auto dot = text.find('.');
    return all_digits(text.substr(0, dot), second_digits_max) &&
           (dot == text.npos || all_digits(text.substr(dot + 1), fraction_digits_max));
}

// The values of one filter; nothing when they are in neither of the two forms.
std::optional<std::vector<std::string>> filter_values(simdjson::dom::element given) {
    std::vector<std::string> values;
    std::string_view text;
    if (simdjson::dom::array list; !given.get(list)) {
        for (auto each : list) {
            if (each.get(text)) return std::nullopt;
            values.emplace_back(text);
        }
    } else if (simdjson::dom::object set; !given.get(set)) {
        for (auto [name, chosen] : set) {
            bool is_chosen = false;
            if (chosen.get(is_chosen) || !is_chosen) return std::nullopt;
            values.emplace_back(name);
        }
    } else {
        return std::nullopt;
    }
    return values;
}

Judged<Filters> parse_filters(std::string_view json, std::span<const std::string_view> allowed) {
    if (json.size() > filters_bytes_max) return refuse(bad_request, "the filters are too long");
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::object object;
    if (parser.parse(json.data(), json.size()).get(root) || root.get(object))
        return refuse(bad_request, "the filters are not a JSON object");
    Filters filters;
    std::size_t count = 0;
    for (auto [name, given] : object) {
        if (std::ranges::find(allowed, name) == allowed.end())
            return refuse(forbidden, "the filter " + printable(name, 40) + " is not allowed here");
        auto values = filter_values(given);
        if (!values)
            return refuse(bad_request, "the filter " + std::string{name} + " is neither a list nor a set of texts");
        count += values->size();
        if (count > filter_values_max) return refuse(bad_request, "the filters have too many values");
        if (!filters.emplace(name, std::move(*values)).second)
            return refuse(bad_request, "the filter " + std::string{name} + " is repeated");
    }
    return filters;
}

Judged<std::string> rewrite_filters(std::string_view json, Shape shape) {
    bool of_events = shape == Shape::event_filters;
    if (json.empty()) json = "{}";
    auto filters = of_events ? parse_filters(json, event_filter_names) : parse_filters(json, list_filter_names);
    if (!filters) return std::unexpected{filters.error()};
    if (of_events) {
        auto& types = (*filters)["type"];
        if (std::ranges::any_of(types, [](const auto& type) { return type != "container"; }))
            return refuse(forbidden, "only events of containers are given out here");
        types = {"container"};
    }
    return JsonWriter{}.value(*filters).take();
}

Judged<std::string> rewrite_value(const Parameter& parameter, std::string_view value) {
    auto misshapen = [&](std::string_view wanted) {
        return refuse(bad_request, "the parameter " + std::string{parameter.name} + " is not " + std::string{wanted});
    };
    constexpr std::size_t number_digits_max = 9;
    switch (parameter.shape) {
        case Shape::truth: return to_truth(value) ? "1" : "0";
        case Shape::never:
            if (to_truth(value))
                return refuse(forbidden, "the parameter " + std::string{parameter.name} + " is not allowed here");
            return "0";
        case Shape::time:
            if (!is_time(value)) return misshapen("a time in seconds since 1970");
            return std::string{value};
        case Shape::number:
            if (!all_digits(value, number_digits_max)) return misshapen("a whole number");
            return std::string{value};
        case Shape::tail:
            if (value != "all" && !all_digits(value, number_digits_max)) return misshapen("a whole number or all");
            return std::string{value};
        case Shape::list_filters:
        case Shape::event_filters: break;
    }
    auto filters = rewrite_filters(value, parameter.shape);
    if (!filters) return filters;
    return percent_encode(*filters);
}

}  // namespace

Judged<std::string> rewrite_query(std::string_view query, std::span<const Parameter> allowed) {
    std::map<std::string_view, std::string, std::less<>> given;
    for (std::size_t count = 0; !query.empty();) {
        auto end = query.find('&');
        auto pair = query.substr(0, end);
        query.remove_prefix(end == query.npos ? query.size() : end + 1);
        if (++count > parameters_max) return refuse(bad_request, "the request has too many parameters");
        if (pair.empty()) continue;
        auto equals = pair.find('=');
        // Not decoded: a name that is written in any other way than plainly is none that we know.
        auto name = pair.substr(0, equals);
        if (std::ranges::find(allowed, name, &Parameter::name) == allowed.end())
            return refuse(forbidden, "the parameter " + printable(name, 40) + " is not allowed here");
        auto value = decode(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1));
        if (!value) return refuse(bad_request, "the parameter " + std::string{name} + " is not percent-encoded well");
        if (!given.emplace(name, std::move(*value)).second)
            return refuse(bad_request, "the parameter " + std::string{name} + " is repeated");
    }
    // Events are filtered whether the client asks for it or not.
    for (const auto& parameter : allowed)
        if (parameter.shape == Shape::event_filters) given.try_emplace(parameter.name);

    std::string rewritten;
    for (const auto& parameter : allowed) {
        auto found = given.find(parameter.name);
        if (found == given.end()) continue;
        auto value = rewrite_value(parameter, found->second);
        if (!value) return value;
        rewritten += (rewritten.empty() ? "" : "&") + std::string{parameter.name} + "=" + *value;
    }
    return rewritten;
}

}  // namespace boatswain::guard
