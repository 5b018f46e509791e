#include "serve/observe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/directory_for_test.h"
#include "http/serving_for_test.h"

namespace boatswain::serve {
namespace {

using http::testing::Peer;
using http::testing::Serving;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ObserveSources troubled() {
    auto trouble = [] {
        return Health{.reasons = {{"spool", "no room for acme"}}, .detail = {{"store", "s3://acme"}}};
    };
    return {.alive = trouble, .ready = trouble, .metrics = [] { return "m{tenant=\"acme\"} 1\n"; }, .version = "1"};
}

TEST(Observe, ShowsMetricsOnlyToWhoHasTheToken) {
    auto sources = troubled();
    sources.metrics_token = Secret{"0123456789abcdef"};
    Serving serving{observe_routes(std::move(sources))};
    auto asked = [&](const std::string& fields) {
        return Peer{serving}.ask("GET /metrics HTTP/1.0\r\n" + fields + "\r\n");
    };
    for (const char* wrong :
         {"", "Authorization: Bearer 0123456789abcdeF\r\n", "Authorization: Bearer \r\n", "Authorization: Bearer\r\n",
          "Authorization: 0123456789abcdef\r\n", "Authorization: Basic 0123456789abcdef\r\n",
          "Authorization: x\r\nAuthorization: Bearer 0123456789abcdef\r\n"})
        EXPECT_THAT(asked(wrong), AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("WWW-Authenticate: Bearer\r\n"),
                                        Not(HasSubstr("acme"))))
            << wrong;
    EXPECT_THAT(asked("authorization: bearer 0123456789abcdef\r\n"),
                AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("acme")));
    EXPECT_THAT(Peer{serving}.ask("GET /healthz HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 503")) << "health is for all";
}

TEST(Observe, NamesNobodyWhereHealthHasAListenerOfItsOwn) {
    Serving serving{health_routes(troubled())};
    for (const char* path : {"/healthz", "/readyz"})
        EXPECT_THAT(Peer{serving}.ask("GET " + std::string{path} + " HTTP/1.0\r\n\r\n"),
                    AllOf(StartsWith("HTTP/1.1 503"), HasSubstr(R"("part":"spool")"), Not(HasSubstr("acme"))));
    EXPECT_THAT(Peer{serving}.ask("GET /metrics HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 404"));
}

TEST(Observe, ReadsATokenOfOneLineAndRefusesAShortOne) {
    testing::TestDirectory place;
    auto read = [&](std::string_view text) {
        testing::write(place / "token", text);
        return read_token(place / "token");
    };
    EXPECT_EQ(read("0123456789abcdef\n").value().view(), "0123456789abcdef");
    for (std::string_view wrong :
         {"", "\n", "0123456789abcde\n", "0123456789abcdef 0123456789abcdef\n", "0123456789abcdef\nx"}) {
        auto refused = read(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_THAT(refused.error().what, Not(HasSubstr("0123456789")));
    }
}

TEST(Observe, ShowsMetricsHealthReadinessAndVersion) {
    Metrics metrics;
    metrics.counter("boatswain_lines_total", "Lines read.").add(3);
    std::atomic<bool> ready = true, alive = true;
    ObserveSources sources{.alive =
                               [&] {
                                   Health health;
                                   if (!alive) health.reasons = {{.part = "tasks", .what = "tick ended"}};
                                   return health;
                               },
                           .ready =
                               [&] {
                                   Health health{.detail = {{"engine", "said \"no\""}, {"store", "reachable"}}};
                                   if (!ready)
                                       health.reasons = {{.part = "engine", .what = "said \"no\""},
                                                         {.part = "store", .what = "full"}};
                                   return health;
                               },
                           .metrics = [&] { return metrics.text(); },
                           .version = "1.2.3"};
    Serving serving{observe_routes(std::move(sources))};
    std::string end = " HTTP/1.0\r\n\r\n";
    EXPECT_THAT(Peer{serving}.ask("GET /metrics" + end),
                AllOf(HasSubstr("text/plain; version=0.0.4"), HasSubstr("boatswain_lines_total 3\n")));
    EXPECT_THAT(
        Peer{serving}.ask("GET /readyz" + end),
        AllOf(StartsWith("HTTP/1.1 200"),
              EndsWith(R"({"ok":true,"reasons":[],"notes":[],"detail":{"engine":"said \"no\"","store":"reachable"}})"
                       "\n")));
    ready = false;
    EXPECT_THAT(Peer{serving}.ask("GET /readyz" + end),
                AllOf(StartsWith("HTTP/1.1 503"),
                      HasSubstr(R"({"ok":false,"reasons":[{"part":"engine","what":"said \"no\""},{"part":"store",)")));
    EXPECT_THAT(Peer{serving}.ask("GET /healthz" + end), StartsWith("HTTP/1.1 200")) << "not ready, but alive";
    alive = false;
    EXPECT_THAT(Peer{serving}.ask("GET /healthz" + end),
                AllOf(StartsWith("HTTP/1.1 503"), HasSubstr(R"("part":"tasks","what":"tick ended")")));
    EXPECT_THAT(Peer{serving}.ask("GET /version" + end), EndsWith("{\"version\":\"1.2.3\"}\n"));
}

}  // namespace
}  // namespace boatswain::serve
