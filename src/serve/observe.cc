#include "serve/observe.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"

namespace boatswain::serve {
namespace {

bool carries(std::string_view authorization, const Secret& token) {
    constexpr std::string_view scheme = "bearer ";
    if (!starts_in_any_case(authorization, scheme)) return false;
    return Secret{authorization.substr(scheme.size())} == token;
}

http::Answer to_answer(const Health& health) {
    auto json = json_object();
    json.member("ok", health.ok())
        .raw_member("reasons", to_json(health.reasons))
        .raw_member("notes", to_json(health.notes))
        .object("detail");
    for (const auto& [name, value] : health.detail) json.member(name, value);
    return {.status = health.ok() ? 200 : 503, .content_type = "application/json", .body = json.take_line()};
}

}  // namespace

std::string to_json(const std::vector<Health::Reason>& reasons) {
    auto json = json_array();
    for (const auto& reason : reasons) json.object().member("part", reason.part).member("what", reason.what).end();
    return json.take();
}

http::Routes health_routes(ObserveSources sources) {
    auto without_names = [](std::function<Health()> ask) {
        return [ask = std::move(ask)] {
            Health brief;
            auto whole = ask();
            for (auto& reason : whole.reasons) brief.reasons.push_back({.part = std::move(reason.part), .what = ""});
            for (auto& note : whole.notes) brief.notes.push_back({.part = std::move(note.part), .what = ""});
            return brief;
        };
    };
    sources.alive = without_names(std::move(sources.alive));
    sources.ready = without_names(std::move(sources.ready));
    auto routes = observe_routes(std::move(sources));
    routes.erase("/metrics");
    return routes;
}

Result<Secret> read_token(const Path& path) {
    TRY(auto text, read_file(path, token_bytes_max));
    WipeAtEnd wiped{text};
    std::string_view token = text;
    while (token.ends_with('\n') || token.ends_with('\r') || token.ends_with(' ')) token.remove_suffix(1);
    bool plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F; });
    if (!plain || token.size() < token_bytes_min)
        return fail(Remedy::stop, path.string() + " holds no token: one line of at least " +
                                      std::to_string(token_bytes_min) + " characters, without blanks");
    return Secret{token};
}

http::Routes observe_routes(ObserveSources sources) {
    http::Routes routes;
    routes["/metrics"] = [metrics = std::move(sources.metrics),
                          token = std::move(sources.metrics_token)](const http::Request& request) {
        if (token && !carries(request.field("authorization"), *token))
            return http::Answer{.status = 401, .body = "Unauthorized\n"};
        return http::Answer{.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics()};
    };
    routes["/healthz"] = [alive = std::move(sources.alive)](const http::Request&) { return to_answer(alive()); };
    routes["/readyz"] = [ready = std::move(sources.ready)](const http::Request&) { return to_answer(ready()); };
    routes["/version"] = [version = std::move(sources.version)](const http::Request&) {
        return http::Answer{.content_type = "application/json",
                            .body = json_object().member("version", version).take_line()};
    };
    return routes;
}

}  // namespace boatswain::serve
