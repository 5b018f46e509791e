#include "api/tenant_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_for_test.h"
#include "api/audit.h"

namespace boatswain::api {
namespace {

using namespace api::testing;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TenantLimitsTest, AreReadByLine) {
    auto limits = parse_limits("# tenants\n\nacme queries=1 read-max=1GiB\n  my%20shop timeout=5s\n* range-max=7d\n");
    ASSERT_TRUE(limits);
    EXPECT_EQ(limits->size(), 3U);
    EXPECT_EQ((*limits)["acme"].queries, 1U);
    EXPECT_EQ((*limits)["acme"].read_max, 1U << 30);
    EXPECT_EQ((*limits)["my shop"].timeout, seconds{5});
    EXPECT_EQ((*limits)["*"].range_max, hours{7 * 24});
    for (const char* wrong : {"acme queries", "acme queries=x", "acme queries=-1", "acme read-max=", "acme timeout=0s",
                              "acme depth=1", "../x queries=1", "%zz queries=1", "acme\nacme", "acme timeout=soon"}) {
        auto refused = parse_limits(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_THAT(refused.error().what, StartsWith("line "));
    }
}

class LimitsTest : public ApiTest {};

TEST_F(LimitsTest, HoldForTheirTenantAlone) {
    boatswain::testing::write(place / "limits", "acme read-max=100 range-max=30m\n");
    options.limits = place / "limits";
    EXPECT_THAT(query_range(everything, of_acme),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("the query time range exceeds the limit")));
    EXPECT_THAT(
        get("/loki/api/v1/query_range?start=1795428000&end=1795428010&query=" + percent_encode(everything), of_acme),
        HasSubstr("the query would read too many bytes"));
    EXPECT_THAT(query_range(everything, of_globex), StartsWith("HTTP/1.1 200 "));
}

TEST_F(LimitsTest, RefuseATenantThatMayAskForNothing) {
    boatswain::testing::write(place / "limits", "* queries=0\nglobex queries=1\n");
    options.limits = place / "limits";
    EXPECT_THAT(query_range(everything, of_acme),
                AllOf(StartsWith("HTTP/1.1 429 "), EndsWith("too many outstanding requests\n")));
    EXPECT_THAT(query_range(everything, of_globex), StartsWith("HTTP/1.1 200 "));
}

class AuditTest : public ApiTest {
  protected:
    void SetUp() override {
        ApiTest::SetUp();
        options.audit = place / "audit";
    }
};

TEST_F(AuditTest, HasALineForEachReadAndNoneForOthers) {
    (void)query_range(R"({app="shop/cart"} |= "very private")", of_acme, "", "User-Agent: x\r\n");
    (void)loki("label/app/values", of_acme);
    (void)get("/boatswain/api/v1/lines?query=%7B", of_acme);
    (void)get("/ready", "");
    (void)loki("labels", "no-token");
    TearDown();
    auto audit = boatswain::testing::contents(place / "audit");
    EXPECT_EQ(std::ranges::count(audit, '\n'), 3);
    EXPECT_THAT(audit, AllOf(HasSubstr(R"("tenant":"acme","peer":")"),
                             HasSubstr(R"("route":"query_range","query":"{app=\"shop/cart\"} |= \"very private\"",)"
                                       R"("start":"2026-11-23T09:00:00Z","end":"2026-11-23T11:00:00Z","status":200,)"),
                             HasSubstr(R"("route":"label/*/values","name":"app",)"),
                             HasSubstr(R"("route":"lines","query":"{","status":400,)")));
    EXPECT_THAT(audit, ::testing::Not(HasSubstr(of_acme))) << "ids of tokens alone";
    EXPECT_THAT(boatswain::testing::contents(place / "log"), ::testing::Not(HasSubstr("very private")));
}

TEST_F(AuditTest, KeepsALineALineWhateverAClientSends) {
    (void)query_range("{app=\"x\"} |= \"a\nb\r\" " + std::string(6'000, 'x'), of_acme);
    TearDown();
    auto audit = boatswain::testing::contents(place / "audit");
    EXPECT_EQ(std::ranges::count(audit, '\n'), 1);
    EXPECT_LT(audit.size(), 2 * audit_text_bytes_max);
    EXPECT_THAT(audit, HasSubstr("\"query_bytes\":60"));
}

TEST_F(AuditTest, ServesNobodyWhileItCannotBeWritten) {
    std::filesystem::create_directory(place / "audit");
    EXPECT_THAT(query_range(everything, of_acme), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(get("/ready", ""), StartsWith("HTTP/1.1 503 "));
}

// A disk that is full: opening goes well, writing does not.
TEST_F(AuditTest, ServesNobodyWhileALineOfBeforeWaits) {
    AuditLog audit{Path{"/dev/full"}};
    EXPECT_TRUE(audit.probe()) << "nothing is to be written yet";
    AuditedRead read{.token = "t1", .tenant = "acme"};
    EXPECT_FALSE(audit.write(read));
    EXPECT_FALSE(audit.probe());

    AuditLog later{place / "mounted" / "audit"};
    EXPECT_FALSE(later.write(read));
    read.token = "t2";
    EXPECT_FALSE(later.write(read));
    EXPECT_FALSE(later.probe());
    std::filesystem::create_directory(place / "mounted");
    EXPECT_TRUE(later.probe());
    auto lines = boatswain::testing::contents(place / "mounted" / "audit");
    EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
    EXPECT_LT(lines.find(R"("token":"t1")"), lines.find(R"("token":"t2")"));
}

TEST_F(AuditTest, KeepsSoManyLinesThatWait) {
    AuditLog audit{place / "mounted" / "audit"};
    std::string query(audit_text_bytes_max, 'x');
    for (std::size_t i = 0; i < audit_waiting_bytes_max / query.size() + 10; ++i)
        EXPECT_FALSE(audit.write({.query = query}));
    std::filesystem::create_directory(place / "mounted");
    EXPECT_TRUE(audit.probe());
    auto size = std::filesystem::file_size(place / "mounted" / "audit");
    EXPECT_LE(size, audit_waiting_bytes_max);
    EXPECT_GT(size, audit_waiting_bytes_max - 2 * query.size());
}

TEST_F(ApiTest, AnswersInFewerBytesToWhoCanReadThem) {
    auto gzip = query_range(everything, of_acme, "", "Accept-Encoding: gzip, br\r\n");
    EXPECT_THAT(gzip, AllOf(HasSubstr("Content-Encoding: gzip\r\n"), HasSubstr("Vary: Accept-Encoding\r\n")));
    EXPECT_THAT(body_of(gzip), StartsWith("\x1f\x8b"));
    auto zstd = get("/boatswain/api/v1/lines?start=1795428000&end=1795428010&query=" + percent_encode(everything),
                    of_acme, "Accept-Encoding: gzip, zstd\r\n");
    EXPECT_THAT(zstd, AllOf(HasSubstr("Content-Encoding: zstd\r\n"), HasSubstr("\x28\xb5\x2f\xfd")));
    EXPECT_THAT(query_range("{", of_acme, "", "Accept-Encoding: gzip\r\n"), ::testing::Not(HasSubstr("Content-Enc")));
}

}  // namespace
}  // namespace boatswain::api
