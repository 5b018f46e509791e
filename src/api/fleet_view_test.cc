#include "api/fleet_view.h"

#include "api/api_for_test.h"
#include "heartbeat/heartbeat.h"

namespace boatswain::api {
namespace {

using namespace api::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FleetViewTest : public ApiTest {
  protected:
    void SetUp() override {
        ApiTest::SetUp();
        auto made = make_operator_token({});
        ASSERT_TRUE(change_tokens(place / "tokens", [&](std::vector<Token>& all) -> Result<void> {
            all.push_back(made.token);
            return {};
        }));
        of_operator = std::string{made.text.view()};
        beat("node-1", clock.now());
        beat("node-2", clock.now() - hours{1});
    }
    void beat(const std::string& host, Timestamp when, const std::optional<heartbeat::HostKey>& host_key = {}) {
        heartbeat::Heartbeat said{
            .host = host, .version = "1.2.3", .epoch = "e", .started = when - hours{1}, .time = when};
        said.lag_bytes = 7;
        said.stored_segments = 120;
        ASSERT_TRUE(heartbeat::put(store, said, host_key));
    }
    std::string fleet(const std::string& who) { return get(std::string{fleet_path}, who); }

    std::string of_operator;
};

TEST_F(FleetViewTest, ShowsAnOperatorHowTheHostsStandAndNoTenant) {
    options.audit = place / "audit";
    auto answer = fleet(of_operator);
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"("host":"node-1","ok":true)"),
                              HasSubstr(R"("host":"node-2","ok":false)"), HasSubstr(R"("objects_per_hour":120)"),
                              HasSubstr(R"("well":1)"), HasSubstr(R"("tenants":2})"), HasSubstr("no-store")));
    EXPECT_THAT(answer, AllOf(Not(HasSubstr("acme")), Not(HasSubstr("shop")), Not(HasSubstr("globex"))));
    EXPECT_THAT(get("/boatswain/api/v1/fleet?tenant=acme&query=%7Bapp%3D~%22.%2B%22%7D", of_operator),
                Not(HasSubstr("shop")));
    TearDown();
    EXPECT_THAT(boatswain::testing::contents(place / "audit"), HasSubstr(R"("tenant":"","peer")"));
}

// The two kinds of tokens open two kinds of things, and nothing else.
TEST_F(FleetViewTest, IsClosedToTenantsAndOpensNoLinesToAnOperator) {
    for (const auto& who : {of_acme, of_globex, std::string{}, std::string{"bst_wrong"}, of_operator + "x"})
        EXPECT_THAT(fleet(who), AllOf(StartsWith("HTTP/1.1 401 "), Not(HasSubstr("node")))) << who;
    EXPECT_EQ(body_of(fleet(of_acme)), body_of(get("/loki/api/v1/labels", "")));
    for (const char* path :
         {"labels", "series?match[]=%7Bapp%3D~%22.%2B%22%7D", "query_range?query=%7Bapp%3D~%22.%2B%22%7D",
          "label/app/values", "index/stats?query=%7Bapp%3D~%22.%2B%22%7D", "status/buildinfo", "tail"})
        EXPECT_THAT(loki(path, of_operator), StartsWith("HTTP/1.1 401 ")) << path;
    for (const char* path :
         {"lines?query=%7Bapp%3D~%22.%2B%22%7D", "containers", "follow?query=%7Bapp%3D~%22.%2B%22%7D"})
        EXPECT_THAT(get("/boatswain/api/v1/" + std::string{path}, of_operator), StartsWith("HTTP/1.1 401 ")) << path;
    EXPECT_THAT(get("/boatswain/api/v1/fleet/", of_operator), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(ask("POST /boatswain/api/v1/fleet HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
                    of_operator + "\r\n\r\n"),
                StartsWith("HTTP/1.1 405 "));
}

TEST_F(FleetViewTest, SaysWhichHeartbeatsAreProven) {
    auto key = heartbeat::FleetKey::make();
    options.fleet_key = key;
    beat("node-1", clock.now(), key.of_host("node-1"));
    auto answer = fleet(of_operator);
    EXPECT_THAT(answer, HasSubstr(R"("proof":"proven")"));
    EXPECT_THAT(answer, HasSubstr(R"("proof":"forged")")) << "node-2 proves nothing";
}

}  // namespace
}  // namespace boatswain::api
