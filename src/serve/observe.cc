#include "serve/observe.h"

#include "base/log.h"

namespace boatswain::serve {
namespace {

HttpAnswer to_answer(const Health& health) {
    std::string body = std::string{"{\"healthy\":"} + (health.healthy ? "true" : "false") + ",\"detail\":{";
    for (const char* comma = ""; const auto& [name, value] : health.detail) {
        body += comma + json_quote(name) + ":" + json_quote(value);
        comma = ",";
    }
    body += "}}\n";
    return {.status = health.healthy ? 200 : 503, .content_type = "application/json", .body = std::move(body)};
}

}  // namespace

HttpRoutes observe_routes(const Metrics& metrics, std::function<Health()> health, std::string version) {
    HttpRoutes routes;
    routes["/metrics"] = [&metrics](const HttpRequest&) {
        return HttpAnswer{.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics.text()};
    };
    routes["/healthz"] = [health = std::move(health)](const HttpRequest&) { return to_answer(health()); };
    routes["/version"] = [version = std::move(version)](const HttpRequest&) {
        return HttpAnswer{.content_type = "application/json", .body = "{\"version\":" + json_quote(version) + "}\n"};
    };
    return routes;
}

}  // namespace boatswain::serve
