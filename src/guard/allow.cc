#include "guard/allow.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/text.h"
#include "guard/query.h"

namespace boatswain::guard {
namespace {

constexpr int forbidden = 403;
constexpr int content_too_large = 413;

constexpr std::array<Parameter, 3> events_parameters{
    {{"since", Shape::time}, {"until", Shape::time}, {"filters", Shape::event_filters}}};
// `size` makes the engine walk through a container's files.
constexpr std::array<Parameter, 4> list_parameters{
    {{"all", Shape::truth}, {"limit", Shape::number}, {"size", Shape::never}, {"filters", Shape::list_filters}}};
constexpr std::array<Parameter, 1> inspect_parameters{{{"size", Shape::never}}};
// `details` tells environment values and labels with each line.
constexpr std::array<Parameter, 8> logs_parameters{{{"follow", Shape::truth},
                                                    {"stdout", Shape::truth},
                                                    {"stderr", Shape::truth},
                                                    {"timestamps", Shape::truth},
                                                    {"since", Shape::time},
                                                    {"until", Shape::time},
                                                    {"tail", Shape::tail},
                                                    {"details", Shape::never}}};
constexpr std::array<Parameter, 5> attach_parameters{{{"stream", Shape::truth},
                                                      {"stdout", Shape::truth},
                                                      {"stderr", Shape::truth},
                                                      {"logs", Shape::truth},
                                                      {"stdin", Shape::never}}};

std::span<const Parameter> parameters_of(Call call) {
    switch (call) {
        case Call::events: return events_parameters;
        case Call::list: return list_parameters;
        case Call::inspect: return inspect_parameters;
        case Call::logs: return logs_parameters;
        case Call::attach: return attach_parameters;
        case Call::ping:
        case Call::version:
        case Call::info:
        case Call::image: return {};
    }
    return {};
}

// Takes "/v1.NN" off the path; what it was.
std::string take_version(std::string_view& path) {
    constexpr std::string_view before = "/v1.";
    constexpr std::size_t digits_max = 3;
    if (!path.starts_with(before)) return {};
    auto end = path.find('/', 1);
    if (end == path.npos) return {};
    auto digits = path.substr(before.size(), end - before.size());
    if (digits.empty() || digits.size() > digits_max ||
        !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
        return {};
    std::string version{path.substr(0, end)};
    path.remove_prefix(end);
    return version;
}

bool is_container_name(std::string_view text) {
    return !text.empty() && text.size() <= container_name_bytes_max && is_letter_or_digit(text.front()) &&
           std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

// "sha256:" and 64 hex digits: what a container's description gives as its image. No names, so no registry's paths.
bool is_image_id(std::string_view text) {
    constexpr std::string_view before = "sha256:";
    constexpr std::size_t digits = 64;
    if (!text.starts_with(before) || text.size() != before.size() + digits) return false;
    return std::ranges::all_of(text.substr(before.size()),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<std::string> find_image(std::string_view path) {
    constexpr std::string_view before = "/images/", after = "/json";
    if (!path.starts_with(before) || !path.ends_with(after) || path.size() < before.size() + after.size())
        return std::nullopt;
    auto id = path.substr(before.size(), path.size() - before.size() - after.size());
    if (!is_image_id(id)) return std::nullopt;
    return std::string{before} + std::string{id} + std::string{after};
}

struct Route {
    Call call;
    std::string path;  // without version
};

std::optional<Route> find_route(std::string_view path) {
    if (path == "/_ping") return Route{Call::ping, "/_ping"};
    if (path == "/version") return Route{Call::version, "/version"};
    if (path == "/info") return Route{Call::info, "/info"};
    if (path == "/events") return Route{Call::events, "/events"};
    if (path == "/containers/json") return Route{Call::list, "/containers/json"};
    if (auto image = find_image(path)) return Route{Call::image, std::move(*image)};
    constexpr std::string_view before = "/containers/";
    if (!path.starts_with(before)) return std::nullopt;
    path.remove_prefix(before.size());
    auto slash = path.find('/');
    if (slash == path.npos || !is_container_name(path.substr(0, slash))) return std::nullopt;
    auto container = std::string{before} + std::string{path.substr(0, slash)};
    auto what = path.substr(slash + 1);
    if (what == "json") return Route{Call::inspect, container + "/json"};
    if (what == "logs") return Route{Call::logs, container + "/logs"};
    if (what == "attach") return Route{Call::attach, container + "/attach"};
    return std::nullopt;
}

bool fits(Call call, std::string_view method) {
    if (call == Call::attach) return method == "POST";
    return method == "GET" || method == "HEAD";
}

}  // namespace

std::string_view to_string(Call call) {
    switch (call) {
        case Call::ping: return "ping";
        case Call::version: return "version";
        case Call::info: return "info";
        case Call::events: return "events";
        case Call::list: return "list";
        case Call::inspect: return "inspect";
        case Call::image: return "image";
        case Call::logs: return "logs";
        case Call::attach: return "attach";
    }
    return "ping";
}

Judged<Allowed> judge(const Request& request, const Policy& policy) {
    auto shown = request.method + " " + printable(request.path, 120);
    std::string_view path = request.path;
    auto version = take_version(path);
    auto route = find_route(path);
    if (!route || !fits(route->call, request.method)) return refuse(forbidden, shown + " is not allowed here");
    bool attach = route->call == Call::attach;
    if (attach && !policy.attach) return refuse(forbidden, shown + " is not allowed here (guard.attach is off)");
    // None of these calls has one; what is behind the head would be another request for somebody who reads it
    // otherwise.
    if (request.body) return refuse(content_too_large, "requests have no body here");
    // A client may offer another protocol with any request (h2c, TLS/1.0); the offer is only taken where it means
    // something, and no other than the engine's own ever is.
    if (!request.upgrade.empty() && !(attach && request.upgrade == "tcp"))
        return refuse(forbidden, "an upgrade to another protocol is not allowed here");

    auto query = rewrite_query(request.query, parameters_of(route->call));
    if (!query) return std::unexpected{query.error()};
    // The engine takes an attach without stdin for one that gives none; said all the same.
    if (attach && !query->contains("stdin=0")) *query += query->empty() ? "stdin=0" : "&stdin=0";
    auto target = version + route->path;
    if (!query->empty()) target += "?" + *query;
    return Allowed{.call = route->call,
                   .method = request.method,
                   .target = std::move(target),
                   .upgrade = attach && !request.upgrade.empty()};
}

}  // namespace boatswain::guard
