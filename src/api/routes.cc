#include "api/routes.h"

#include <array>
#include <span>

#include "base/bytes.h"

namespace boatswain::api {
namespace {

constexpr std::array loki_routes{
    Route{.path = "query_range", .answer = query_range},
    Route{.path = "query", .answer = query_instant},
    Route{.path = "format_query", .answer = format_query, .reads_store = false},
    Route{.path = "labels", .answer = labels},
    Route{.path = "label", .answer = labels},
    Route{.path = "label/*/values", .answer = label_values},
    Route{.path = "series", .answer = series},
    Route{.path = "index/stats", .answer = index_stats},
    Route{.path = "index/volume", .answer = volume},
    Route{.path = "index/volume_range", .answer = volume_range},
    Route{.path = "detected_labels", .answer = detected_labels},
    Route{.path = "detected_fields", .answer = detected_fields},
    Route{.path = "detected_field/*/values", .answer = detected_field_values},
    Route{.path = "tail", .answer = tail, .takes_posts = false, .streams = true, .follows = true, .is_socket = true},
    Route{.path = "patterns", .answer = patterns, .reads_store = false},
    Route{.path = "drilldown-limits", .answer = drilldown_limits, .takes_posts = false, .reads_store = false},
    Route{.path = "status/buildinfo", .answer = build_info, .takes_posts = false, .reads_store = false},
};

constexpr std::array own_routes{
    Route{.path = "lines", .answer = lines, .streams = true},
    Route{.path = "follow", .answer = follow_lines, .streams = true, .follows = true},
    Route{.path = "containers", .answer = containers},
    Route{.path = "session", .answer = session, .takes_posts = false, .reads_store = false},
    Route{.path = "objects", .answer = objects, .takes_posts = false, .is_sealed = true},
    Route{.path = "object", .answer = object, .takes_posts = false, .is_sealed = true},
};

// What stands for '*'; nothing where the path is another one.
std::optional<std::string> matched(std::string_view pattern, std::string_view path) {
    auto star = pattern.find('*');
    if (star == pattern.npos) return pattern == path ? std::optional{std::string{}} : std::nullopt;
    auto before = pattern.substr(0, star), behind = pattern.substr(star + 1);
    if (path.size() <= before.size() + behind.size() || !path.starts_with(before) || !path.ends_with(behind))
        return std::nullopt;
    path.remove_prefix(before.size());
    path.remove_suffix(behind.size());
    return path.contains('/') ? std::nullopt : percent_decode(path);
}

template <std::size_t size>
std::optional<Found> found_in(const std::array<Route, size>& routes, std::string_view prefix, std::string_view path) {
    if (!path.starts_with(prefix)) return std::nullopt;
    path.remove_prefix(prefix.size());
    for (const auto& route : routes)
        if (auto name = matched(route.path, path)) return Found{.route = route, .name = std::move(*name)};
    return std::nullopt;
}

}  // namespace

std::optional<Found> route_of(std::string_view path) {
    auto found = found_in(loki_routes, loki_prefix, path);
    return found ? std::move(found) : found_in(own_routes, own_prefix, path);
}

const Route* route_named(std::string_view path) {
    for (auto routes : {std::span<const Route>{loki_routes}, std::span<const Route>{own_routes}})
        for (const auto& route : routes)
            if (route.path == path) return &route;
    return nullptr;
}

}  // namespace boatswain::api
