#include "api/sealed.h"

#include "api/api_for_test.h"

namespace boatswain::api {
namespace {

using namespace testing;
using namespace ::testing;

constexpr const char* day = "start=2026-11-23T09:00:00Z&end=2026-11-23T13:00:00Z";

class SealedTest : public ApiTest {
  protected:
    std::string own(const std::string& path, const std::string& who, const std::string& fields = {}) {
        return get("/boatswain/api/v1/" + path, who, fields);
    }
    std::string object_of(const std::string& whose, const std::string& who, const std::string& fields = {}) {
        return own("object?key=" + percent_encode(whose), who, fields);
    }
    const std::string first = key("acme", ten, 1).str();
};

TEST_F(SealedTest, ARangeIsOneAndBounded) {
    auto bytes = [](std::string_view field) { return object_range(field); };
    EXPECT_EQ(bytes("bytes=0-0")->length, 1U);
    EXPECT_EQ(bytes("bytes=10-19")->first, 10U);
    EXPECT_TRUE(bytes("bytes=-16")->suffix);
    EXPECT_EQ(bytes("bytes=0-4194303")->length, object_range_bytes_max);
    for (const char* bad :
         {"", "bytes=", "bytes=-", "bytes=0-", "bytes=-0", "bytes=2-1", "bytes=0-4194304", "bytes=-4194305",
          "bytes=0-1,3-4", "bytes= 0-1", "bytes=0x1-2", "bytes=+1-2", "lines=0-1", "bytes=99999999999999999999-1",
          "bytes=0-18446744073709551615", "bytes=18446744073709551615-18446744073709551616"})
        EXPECT_FALSE(bytes(bad)) << bad;
}

TEST_F(SealedTest, ASessionSaysWhetherTheServerHoldsTheKey) {
    EXPECT_EQ(body_of(own("session", of_acme)),
              "{\"status\":\"success\",\"data\":{\"tenant\":\"acme\",\"end_to_end\":false,\"apps\":[]}}\n");
    std::filesystem::remove(place / "keys/acme.key");
    EXPECT_THAT(own("session", of_acme), HasSubstr(R"("end_to_end":true)"));
    EXPECT_THAT(own("session", token("acme", {"shop/db"})), HasSubstr(R"("apps":["shop/db"])"));
    EXPECT_THAT(own("session", ""), StartsWith("HTTP/1.1 401 "));
}

TEST_F(SealedTest, ObjectsAreGivenAsTheyLieWithoutAKey) {
    std::filesystem::remove(place / "keys/acme.key");
    EXPECT_THAT(query_range(everything, of_acme), StartsWith("HTTP/1.1 503 "));
    const auto& stored = store.objects.at(first);
    EXPECT_EQ(body_of(own("objects?" + std::string{day}, of_acme)),
              "{\"status\":\"success\",\"data\":{\"objects\":[{\"key\":\"" + first +
                  "\",\"bytes\":" + std::to_string(stored.size()) + "}],\"rollups\":[],\"complete\":true}}\n");
    EXPECT_EQ(body_of(object_of(first, of_acme)), stored);
    auto size = std::to_string(stored.size());
    auto part = object_of(first, of_acme, "Range: bytes=0-20\r\nAccept-Encoding: gzip\r\n");
    EXPECT_THAT(part, AllOf(StartsWith("HTTP/1.1 206 "), HasSubstr("Content-Range: bytes 0-20/" + size + "\r\n"),
                            HasSubstr("Content-Type: application/octet-stream\r\n"),
                            HasSubstr("Cache-Control: no-store\r\n"), Not(HasSubstr("Content-Encoding"))));
    EXPECT_EQ(body_of(part), "age-encryption.org/v1");
    EXPECT_EQ(body_of(object_of(first, of_acme, "Range: bytes=-7\r\n")), stored.substr(stored.size() - 7));
    EXPECT_THAT(object_of(first, of_acme, "Range: bytes=999999-1000000\r\n"),
                AllOf(StartsWith("HTTP/1.1 416 "), HasSubstr("Content-Range: bytes */" + size + "\r\n")));
    EXPECT_THAT(object_of(first, of_acme, "Range: bytes=0-\r\n"),
                AllOf(StartsWith("HTTP/1.1 416 "), HasSubstr("of at most 4MiB")));
}

TEST_F(SealedTest, NobodyGetsAnotherTenantsObjectOrWhatIsNone) {
    auto foreign = key("globex", ten, 1).str();
    ASSERT_TRUE(store.objects.contains(foreign));
    auto missing = key("acme", ten, 7).str();
    store.objects["v1/tenant=acme/other"] = "not ours";
    auto refusal = body_of(object_of(missing, of_acme));
    EXPECT_EQ(refusal, "no such object\n");
    for (const std::string& none : {foreign, std::string{"v1/tenant=acme/other"}, std::string{},
                                    std::string{"/etc/passwd"}, "v1/tenant=acme/../" + foreign.substr(3), first + "/",
                                    "x" + first, std::string{"v1/tenant=globex/rollup=2026-11-23.age"}}) {
        auto answer = object_of(none, of_acme);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 ")) << none;
        EXPECT_EQ(body_of(answer), refusal) << none;
    }
    EXPECT_THAT(own("objects?" + std::string{day}, of_acme), Not(HasSubstr("globex")));
    EXPECT_THAT(own("objects?" + std::string{day} + "&after=" + percent_encode(foreign), of_acme),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("after is the last key")));
}

TEST_F(SealedTest, ATokenForSomeAppsGetsNothingSealed) {
    auto narrowed = token("acme", {"shop/cart"});
    for (const auto& answer : {own("objects?" + std::string{day}, narrowed), object_of(first, narrowed)})
        EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("this token is for some apps")));
}

TEST_F(SealedTest, ListingsHavePagesOverHours) {
    auto cart = source("acme", "shop/cart", "cart-1");
    for (int hour = 1; hour < 3; ++hour)
        for (std::uint64_t number = 1; number < 6; ++number) {
            auto when = ten + hours{hour};
            add(store, key("acme", when, number), {{cart, {{.time = when, .bytes = "x"}}}}, acme);
        }
    store.objects["v1/tenant=acme/rollup=2026-11-23.age"] = "sealed";
    std::string all, after;
    for (int page = 0; page < 10; ++page) {
        auto answer = body_of(own("objects?limit=4&" + std::string{day} + after, of_acme));
        EXPECT_THAT(answer, HasSubstr(R"("rollups":[{"key":"v1/tenant=acme/rollup=2026-11-23.age","bytes":6}])"));
        auto list = answer.substr(0, answer.find("\"rollups\""));
        for (std::size_t at = list.find("{\"key\""); at != list.npos; at = list.find("{\"key\"", at + 1)) {
            auto name = list.substr(at + 8, list.find('"', at + 8) - at - 8);
            all += name + "\n";
            after = "&after=" + percent_encode(name);
        }
        if (answer.contains("\"complete\":true")) break;
    }
    std::string expected;
    for (const auto& [name, bytes] : store.objects)
        if (name.starts_with("v1/tenant=acme/hour")) expected += name + "\n";
    EXPECT_EQ(all, expected);
    EXPECT_EQ(body_of(object_of("v1/tenant=acme/rollup=2026-11-23.age", of_acme)), "sealed");
}

TEST_F(SealedTest, WhatWasReadCountsAndIsAccountedFor) {
    options.audit = place / "audit";
    (void)object_of(first, of_acme, "Range: bytes=0-9\r\n");
    EXPECT_THAT(read_file(place / "audit", 1U << 20).value(),
                AllOf(HasSubstr(R"("route":"object")"), HasSubstr(first), HasSubstr(R"("read_bytes":10)")));
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_serve_read_bytes_total 10\n"));
    limits.range_max = hours{1};
    serving->stop();
    serving.reset();
    EXPECT_THAT(own("objects?" + std::string{day}, of_acme), StartsWith("HTTP/1.1 400 "));
}

TEST_F(SealedTest, AServerWithoutKeysAnswersNothingElse) {
    start();
    serving->stop();
    api.reset();
    serving = std::make_unique<Serving>(
        Serving::MakeService{[this](const boost::asio::any_io_executor& executor) -> http::Service {
            api = std::make_unique<Api>(executor,
                                        Sources{.store = store, .identities = {}, .limits = limits, .clock = clock},
                                        tokens, options, metrics, log);
            return api->handler();
        }},
        Api::limits());
    EXPECT_THAT(own("session", of_acme), HasSubstr(R"("end_to_end":true)"));
    EXPECT_THAT(query_range(everything, of_acme),
                AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("this server has no key for these logs")));
    EXPECT_EQ(body_of(object_of(first, of_acme)), store.objects.at(first));
}

}  // namespace
}  // namespace boatswain::api
