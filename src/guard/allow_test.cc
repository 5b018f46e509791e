#include "guard/allow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "guard/query.h"

namespace boatswain::guard {
namespace {

Judged<Allowed> ask(std::string_view method, std::string_view target, bool attach = false, std::string upgrade = "") {
    auto question = target.find('?');
    Request request{.method = std::string{method},
                    .path = std::string{target.substr(0, question)},
                    .query = question == target.npos ? std::string{} : std::string{target.substr(question + 1)},
                    .upgrade = std::move(upgrade)};
    return judge(request, {.attach = attach});
}

// The target that the engine gets; or the status that the client does.
std::string outcome(std::string_view method, std::string_view target, bool attach = false, std::string upgrade = "") {
    auto allowed = ask(method, target, attach, std::move(upgrade));
    return allowed ? allowed->target : std::to_string(allowed.error().status);
}

std::string get(std::string_view target) { return outcome("GET", target); }

TEST(Allow, LetsTheReadingCallsThroughWithAndWithoutAVersion) {
    for (std::string_view version : {"", "/v1.24", "/v1.41", "/v1.150"})
        for (std::string_view path :
             {"/_ping", "/version", "/info", "/containers/json", "/containers/web-1/json", "/containers/web_1.x/logs",
              "/containers/json/json", "/containers/0123456789abcdef/logs"}) {
            auto target = std::string{version} + std::string{path};
            EXPECT_EQ(outcome("GET", target), target);
            EXPECT_EQ(outcome("HEAD", target), target);
        }
}

TEST(Allow, AsksForAnImageByItsWholeIdAlone) {
    auto image = "/images/sha256:" + std::string(64, 'a') + "/json";
    EXPECT_EQ(get(image), image);
    EXPECT_EQ(get("/v1.41" + image), "/v1.41" + image);
    EXPECT_EQ(get(image + "?manifests=1"), "403");
    EXPECT_EQ(outcome("POST", image), "403");
    EXPECT_EQ(outcome("DELETE", "/images/sha256:" + std::string(64, 'a')), "403");
    for (const auto& id : {std::string{"busybox"}, std::string(64, 'a'), "sha256:" + std::string(63, 'a'),
                           "sha256:" + std::string(65, 'a'), "sha256:" + std::string(64, 'A'),
                           "sha256:" + std::string(62, 'a') + "/.", std::string{}, std::string{"registry/x"}})
        EXPECT_EQ(get("/images/" + id + "/json"), "403") << id;
    for (const auto* what : {"/history", "/get", "/push", "/tag", "/json/json", "/json/"})
        EXPECT_EQ(get("/images/sha256:" + std::string(64, 'a') + what), "403") << what;
    EXPECT_EQ(get("/images/json"), "403");
}

TEST(Allow, RefusesEveryOtherMethod) {
    for (std::string_view method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PRI"})
        for (std::string_view path :
             {"/_ping", "/info", "/containers/json", "/containers/web/json", "/containers/web/logs", "/events"})
            EXPECT_EQ(outcome(method, path), "403") << method << path;
}

TEST(Allow, RefusesEveryOtherPath) {
    for (std::string_view path : {"/",
                                  "/images/json",
                                  "/containers/web/attach/ws",
                                  "/containers/web/export",
                                  "/containers/web/archive",
                                  "/containers/web/top",
                                  "/containers/web/changes",
                                  "/containers/web/stats",
                                  "/containers/web/exec",
                                  "/exec/1/json",
                                  "/secrets",
                                  "/configs",
                                  "/volumes",
                                  "/networks",
                                  "/swarm",
                                  "/nodes",
                                  "/plugins",
                                  "/system/df",
                                  "/session",
                                  "/grpc",
                                  "/build",
                                  "/auth",
                                  "/debug/pprof/",
                                  "/containers",
                                  "/containers/",
                                  "/containers//json",
                                  "/containers/json/",
                                  "/containers/web",
                                  "/containers/web/",
                                  "/containers/web/json/",
                                  "/containers/web/json/x",
                                  "/containers/attach/ws",
                                  "//info",
                                  "/info/",
                                  "/info//",
                                  "/./info",
                                  "/x/../info",
                                  "/../info",
                                  "/containers/../info/json",
                                  "/containers/./json",
                                  "/containers/../json",
                                  "/containers/.hidden/json",
                                  "/containers/-x/json",
                                  "/containers/_x/json",
                                  "/containers/%77eb/json",
                                  "/containers/web%2Fexport/json",
                                  "/containers/web%2f..%2f..%2fimages/json",
                                  "/containers/we b/json",
                                  "/containers/web;x/json",
                                  "/containers/web\\/json",
                                  "/containers/w\xc3\xa9"
                                  "b/json",
                                  "/%69nfo",
                                  "/info%00",
                                  "/INFO",
                                  "/Containers/json",
                                  "/v1/info",
                                  "/v2.41/info",
                                  "/v1.41",
                                  "/v1.41/",
                                  "/v1./info",
                                  "/v1.x/info",
                                  "/v1.41.1/info",
                                  "/v1.1234/info",
                                  "/v1.41/v1.41/info",
                                  "/v1.41//info",
                                  "/v1.%34/info",
                                  "/V1.41/info",
                                  "/v1.-1/info"})
        EXPECT_EQ(get(path), "403") << path;
    EXPECT_EQ(get("/containers/" + std::string(container_name_bytes_max, 'a') + "/json").size(),
              container_name_bytes_max + 17);
    EXPECT_EQ(get("/containers/" + std::string(container_name_bytes_max + 1, 'a') + "/json"), "403");
}

TEST(Allow, WritesParametersAnewInItsOwnWordsAndOrder) {
    EXPECT_EQ(
        get("/containers/web/logs?tail=10&stdout=true&follow&stderr=no&&since=1700000000.5&timestamps=YES&details=0"),
        "/containers/web/logs?follow=0&stdout=1&stderr=0&timestamps=1&since=1700000000.5&tail=10&details=0");
    EXPECT_EQ(get("/containers/web/logs?tail=%61ll&until=12"), "/containers/web/logs?until=12&tail=all");
    EXPECT_EQ(get("/containers/json?all=1&limit=5"), "/containers/json?all=1&limit=5");
    EXPECT_EQ(get("/info?"), "/info");
}

TEST(Allow, RefusesParametersThatItDoesNotKnowAndThoseThatReachFurther) {
    for (std::string_view target :
         {"/info?x=1", "/_ping?x", "/containers/web/json?size=1", "/containers/json?size=true",
          "/containers/web/logs?details=1", "/containers/web/logs?stdin=1", "/containers/web/logs?%66ollow=1",
          "/containers/web/logs?Follow=1", "/containers/web/json?tail=1", "/events?type=image"})
        EXPECT_EQ(get(target), "403") << target;
    for (std::string_view target :
         {"/containers/web/logs?follow=1&follow=1", "/containers/web/logs?tail=-1", "/containers/web/logs?tail=1e3",
          "/containers/web/logs?tail=", "/containers/web/logs?tail=1%26stdin%3D1",
          "/containers/web/logs?since=2024-01-01T00:00:00Z", "/containers/web/logs?since=1.2.3",
          "/containers/web/logs?since=1.0123456789", "/containers/web/logs?since=%zz", "/containers/web/logs?since=%",
          "/containers/json?limit=-1", "/containers/json?limit=9999999999"})
        EXPECT_EQ(get(target), "400") << target;
    std::string many = "/containers/web/logs?";
    for (std::size_t i = 0; i <= parameters_max; ++i) many += "&";
    EXPECT_EQ(get(many), "400");
}

std::string with_filters(std::string_view path, std::string_view json) {
    return std::string{path} + "?filters=" + percent_encode(json);
}

TEST(Allow, WritesFiltersAnew) {
    EXPECT_EQ(get(with_filters("/containers/json", R"({"status":{"running":true},"label":["a=b","c\u0022"]})")),
              with_filters("/containers/json", R"({"label":["a=b","c\""],"status":["running"]})"));
    EXPECT_EQ(get("/containers/json?filters="), with_filters("/containers/json", "{}"));
    for (std::string_view json :
         {"[]", "{", "1", R"({"status":1})", R"({"status":[1]})", R"({"status":{"running":false}})",
          R"({"status":{"running":1}})", R"({"status":[],"status":[]})", "{\"name\":[\"\xff\"]}"})
        EXPECT_EQ(get(with_filters("/containers/json", json)), "400") << json;
    EXPECT_EQ(get(with_filters("/containers/json", R"({"publish-all":["1"]})")), "403");
    EXPECT_EQ(get(with_filters("/containers/json", "{\"name\":[\"" + std::string(filters_bytes_max, 'a') + "\"]}")),
              "400");
    std::string many = "{\"name\":[\"a\"";
    for (std::size_t i = 0; i < filter_values_max; ++i) many += ",\"a\"";
    EXPECT_EQ(get(with_filters("/containers/json", many + "]}")), "400");
}

TEST(Allow, GivesOutEventsOfContainersOnly) {
    auto only = with_filters("/events", R"({"type":["container"]})");
    EXPECT_EQ(get("/events"), only);
    EXPECT_EQ(get(with_filters("/events", R"({"type":{"container":true}})")), only);
    EXPECT_EQ(get("/events?since=5"), "/events?since=5&filters=" + percent_encode(R"({"type":["container"]})"));
    EXPECT_EQ(get(with_filters("/events", R"({"event":["start"],"container":["x"]})")),
              with_filters("/events", R"({"container":["x"],"event":["start"],"type":["container"]})"));
    for (std::string_view json : {R"({"type":["image"]})", R"({"type":["container","image"]})", R"({"daemon":["x"]})",
                                  R"({"scope":["swarm"]})"})
        EXPECT_EQ(get(with_filters("/events", json)), "403") << json;
}

TEST(Allow, AttachesOnlyWhereItIsOptedInAndNeverWithInput) {
    EXPECT_EQ(outcome("POST", "/containers/web/attach?stream=1&stdout=1"), "403");
    EXPECT_EQ(outcome("POST", "/containers/web/attach?stream=1&stdout=1", true),
              "/containers/web/attach?stream=1&stdout=1&stdin=0");
    EXPECT_EQ(outcome("POST", "/v1.41/containers/web/attach?stdin=0&stderr=1", true, "tcp"),
              "/v1.41/containers/web/attach?stderr=1&stdin=0");
    EXPECT_EQ(outcome("POST", "/containers/web/attach", true), "/containers/web/attach?stdin=0");
    EXPECT_TRUE(ask("POST", "/containers/web/attach", true, "tcp")->upgrade);
    EXPECT_FALSE(ask("POST", "/containers/web/attach", true)->upgrade);
    for (std::string_view query :
         {"stdin=1", "stdin=true", "stdin=yes", "stdin=x", "detachKeys=a", "stdin=0&stdin=1", "stdin=%31"})
        EXPECT_THAT(outcome("POST", "/containers/web/attach?" + std::string{query}, true), testing::AnyOf("403", "400"))
            << query;
    EXPECT_EQ(outcome("GET", "/containers/web/attach", true), "403");
    EXPECT_EQ(outcome("GET", "/containers/web/attach/ws?stream=1", true), "403");
    EXPECT_EQ(outcome("POST", "/containers/web/attach/ws", true), "403");
    for (const auto* upgrade : {"websocket", "h2c", "tcp, h2c", "tcp2"})
        EXPECT_EQ(outcome("POST", "/containers/web/attach", true, upgrade), "403");
}

TEST(Allow, RefusesAnUpgradeOfAnyOtherCall) {
    for (const auto* upgrade : {"tcp", "websocket", "h2c"})
        for (std::string_view path : {"/_ping", "/events", "/containers/web/logs"})
            EXPECT_EQ(outcome("GET", path, true, upgrade), "403");
}

}  // namespace
}  // namespace boatswain::guard
