#include "oidc/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::oidc {
namespace {

using namespace std::chrono;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Timestamp now = *parse_time("2026-11-30T12:00:00Z");

Settings settings(const std::string& more = {}) {
    auto parsed =
        parse_settings("issuer = \"https://login.example\"\naudience = [\"boatswain\", \"page\"]\n" + more, "f");
    EXPECT_TRUE(parsed) << parsed.error().what;
    return *parsed;
}
std::string in(std::int64_t seconds_from_now) {
    return std::to_string(floor<seconds>(now).time_since_epoch().count() + seconds_from_now);
}
const std::string usual = R"("iss":"https://login.example","aud":"boatswain","sub":"u7","tenant":"acme")";
std::string claims(const std::string& members = usual, std::int64_t valid_for = 600) {
    return "{" + members + ",\"exp\":" + in(valid_for) + "}";
}
std::optional<Bearer> bearer(const std::string& text, const Settings& by = settings()) {
    return bearer_of(text, by, now);
}

TEST(OidcClaims, NameTheTenant) {
    auto found = bearer(claims());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->tenant.str(), "acme");
    EXPECT_THAT(found->apps, IsEmpty());
    EXPECT_EQ(found->subject, "u7");
    EXPECT_EQ(found->expires, now + minutes{10});
    EXPECT_TRUE(
        bearer(claims(R"("iss":"https://login.example","aud":["x","page"],"tenant":["acme"],"iat":1.5,"exp":"x")"))
            .has_value() == false)
        << "exp twice";
    EXPECT_TRUE(bearer(claims(R"("iss":"https://login.example","aud":["x","page"],"tenant":["acme"],"nbf":1)")));
}

// Attack 6: wrong aud or iss, expired, nbf ahead; attack 8: names that look alike.
TEST(OidcClaims, AreNobodysWhereOneIsWrong) {
    const std::string iss = R"("iss":"https://login.example")", aud = R"(,"aud":"boatswain")",
                      tenant = R"(,"tenant":"acme")";
    for (const auto& members : {aud.substr(1) + tenant,
                                R"("iss":"https://login.example/")" + aud + tenant,
                                R"("iss":"https://LOGIN.example")" + aud + tenant,
                                R"("iss":["https://login.example"])" + aud + tenant,
                                iss + tenant,
                                iss + R"(,"aud":"other")" + tenant,
                                iss + R"(,"aud":["other"])" + tenant,
                                iss + R"(,"aud":"boatswain ")" + tenant,
                                iss + R"(,"aud":{"boatswain":1})" + tenant,
                                iss + aud,
                                iss + aud + R"(,"tenant":"")",
                                iss + aud + R"(,"tenant":[])",
                                iss + aud + R"(,"tenant":["acme","globex"])",
                                iss + aud + R"(,"tenant":["acme",7])",
                                iss + aud + R"(,"tenant":{"a":1})",
                                iss + aud + R"(,"tenant":7)",
                                iss + aud + R"(,"tenant":"_unassigned")",
                                iss + aud + R"(,"tenant":"_canary")",
                                iss + aud + R"(,"tenant":"../b")",
                                iss + aud + R"(,"tenant":"acme","tenant":"globex")",
                                usual + R"(,"nbf":)" + in(61),
                                usual + R"(,"iat":)" + in(61),
                                usual + R"(,"iat":"x")",
                                usual + R"(,"iat":)" + in(-86400),
                                usual + R"(,"events":{})"})
        EXPECT_FALSE(bearer(claims(members))) << members;
    EXPECT_FALSE(bearer("{" + usual + "}")) << "it never ends";
    EXPECT_FALSE(bearer("{" + usual + R"(,"exp":"9"})"));
    EXPECT_FALSE(bearer("{" + usual + R"(,"exp":1e400})"));
    EXPECT_FALSE(bearer("{" + usual + R"(,"exp":-1})"));
    EXPECT_TRUE(bearer(claims(usual, -59))) << "clocks differ";
    EXPECT_FALSE(bearer(claims(usual, -61)));
    EXPECT_TRUE(bearer(claims(usual + R"(,"nbf":)" + in(59))));
    EXPECT_FALSE(bearer(claims(usual, 25 * 3600)));
    for (const char* near : {"acme ", "ACME",
                             "\xd0\xb0"
                             "cme"}) {
        auto found = bearer(claims(iss + aud + R"(,"tenant":")" + near + "\""));
        EXPECT_TRUE(!found || found->tenant.str() != "acme") << near;
    }
    for (const char* odd : {"", "[]", "7", "{"}) EXPECT_FALSE(bearer(odd));
}

TEST(OidcClaims, NarrowToAppsWhereAClaimIsNamedForThem) {
    auto narrowed = settings("apps_claim = \"https://x/apps\"\ntenant_claim = \"org\"\n");
    auto with = [&](const std::string& apps) {
        return bearer(claims(R"("iss":"https://login.example","aud":"page","org":"acme")" + apps), narrowed);
    };
    EXPECT_THAT(with(R"(,"https://x/apps":["shop/db","web"])")->apps, ElementsAre("shop/db", "web"));
    EXPECT_THAT(with(R"(,"https://x/apps":"shop/db web")")->apps, ElementsAre("shop/db web")) << "nothing is split";
    EXPECT_THAT(with(R"(,"https://x/apps":"*")")->apps, IsEmpty());
    for (const char* none : {"", R"(,"https://x/apps":[])", R"(,"https://x/apps":"")", R"(,"https://x/apps":null)",
                             R"(,"https://x/apps":["a",1])", R"(,"apps":["a"])"})
        EXPECT_FALSE(with(none)) << none;
    EXPECT_FALSE(bearer(claims(), narrowed)) << "the tenant's claim has another name";
    EXPECT_EQ(
        bearer(claims(R"("iss":"https://login.example","aud":"page")"), settings("tenant = \"acme\"\n"))->tenant.str(),
        "acme");
}

}  // namespace
}  // namespace boatswain::oidc
