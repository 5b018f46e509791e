#include "serve/observe.h"

#include "base/log.h"

namespace boatswain::serve {
namespace {

HttpAnswer to_answer(const Health& health) {
    std::string body = std::string{"{\"ok\":"} + (health.ok() ? "true" : "false") +
                       ",\"reasons\":" + to_json(health.reasons) + ",\"detail\":{";
    for (const char* comma = ""; const auto& [name, value] : health.detail) {
        body += comma + json_quote(name) + ":" + json_quote(value);
        comma = ",";
    }
    body += "}}\n";
    return {.status = health.ok() ? 200 : 503, .content_type = "application/json", .body = std::move(body)};
}

}  // namespace

std::string to_json(const std::vector<Health::Reason>& reasons) {
    std::string text = "[";
    for (const char* comma = ""; const auto& reason : reasons) {
        text +=
            comma + std::string{"{\"part\":"} + json_quote(reason.part) + ",\"what\":" + json_quote(reason.what) + "}";
        comma = ",";
    }
    return text + "]";
}

HttpRoutes observe_routes(ObserveSources sources) {
    HttpRoutes routes;
    routes["/metrics"] = [metrics = std::move(sources.metrics)](const HttpRequest&) {
        return HttpAnswer{.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics()};
    };
    routes["/healthz"] = [alive = std::move(sources.alive)](const HttpRequest&) { return to_answer(alive()); };
    routes["/readyz"] = [ready = std::move(sources.ready)](const HttpRequest&) { return to_answer(ready()); };
    routes["/version"] = [version = std::move(sources.version)](const HttpRequest&) {
        return HttpAnswer{.content_type = "application/json", .body = "{\"version\":" + json_quote(version) + "}\n"};
    };
    return routes;
}

}  // namespace boatswain::serve
