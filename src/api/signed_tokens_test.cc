#include "api/signed_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_for_test.h"
#include "crypto/digest.h"

namespace boatswain::api {
namespace {

using namespace api::testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Secret our_key{"0123456789abcdef0123456789abcdef"}, other_key{"fedcba9876543210fedcba9876543210"};
const Timestamp now = ten;

std::string base64url(std::string_view bytes) {
    auto text = to_base64_unpadded(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}
std::string made(const std::string& claims, const std::string& head = R"({"alg":"HS256","typ":"JWT"})",
                 const Secret& with = our_key) {
    auto what = base64url(head) + "." + base64url(claims);
    return what + "." + base64url(crypto::as_view(crypto::hmac_sha256(with.view(), what)));
}
std::optional<Token> verified(const std::string& text) { return verify_token(text, {our_key}, now); }
std::string claims(const std::string& more = R"("aud":"boatswain","tenant":"acme")", std::int64_t valid_for = 600) {
    auto exp = std::chrono::floor<seconds>(now).time_since_epoch().count() + valid_for;
    return "{" + more + ",\"exp\":" + std::to_string(exp) + "}";
}

TEST(SignedTokens, OpenForTheTenantAndAppsThatTheyName) {
    auto token = verified(sign_token(
        our_key, {.tenant = tenant("acme"), .apps = {"shop/db"}, .subject = "u7", .expires = now + minutes{10}}));
    ASSERT_TRUE(token);
    EXPECT_EQ(token->tenant, tenant("acme"));
    EXPECT_THAT(token->apps, ElementsAre("shop/db"));
    EXPECT_EQ(token->id, "signed:u7");
    EXPECT_TRUE(verified(made(claims()))) << "as any library makes them";
    EXPECT_TRUE(verified(made(claims(R"("aud":["x","boatswain"],"tenant":"acme","nbf":1,"iat":1)"))));
    EXPECT_TRUE(verify_token(made(claims()), {other_key, our_key}, now)) << "an older key of the file";
}

TEST(SignedTokens, AreNobodysByAnotherAlgorithmOrKey) {
    for (const char* head :
         {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"RS256"})", R"({"alg":"HS512"})", R"({"alg":"hs256"})",
          R"({"typ":"JWT"})", R"({"alg":["HS256"]})", R"({"alg":"HS256","crit":["exp"]})", "x", "[]"})
        EXPECT_FALSE(verified(made(claims(), head))) << head;
    EXPECT_FALSE(verified(made(claims(), R"({"alg":"HS256","kid":"../../etc/passwd","jku":"https://x"})", other_key)));
    auto good = made(claims());
    EXPECT_FALSE(verify_token(good, {}, now));
    EXPECT_FALSE(verified(good.substr(0, good.rfind('.') + 1))) << "no signature";
    EXPECT_FALSE(verified(base64url(R"({"alg":"none"})") + "." + base64url(claims()) + "."));
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto changed = good;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verified(changed)) << i;
    }
    for (const auto& odd :
         {good + ".", "." + good, good + "=", good.substr(good.find('.') + 1), std::string{}, good + " "})
        EXPECT_FALSE(verified(odd)) << odd;
    EXPECT_FALSE(verified(made(claims(R"("aud":"boatswain","tenant":"acme","x":")" + std::string(9000, 'x') + "\""))));
}

TEST(SignedTokens, AreNobodysWithWrongClaims) {
    for (const char* more :
         {R"("tenant":"acme")", R"("aud":"other","tenant":"acme")", R"("aud":["other"],"tenant":"acme")",
          R"("aud":"boatswain")", R"("aud":"boatswain","tenant":"")", R"("aud":"boatswain","tenant":["acme"])",
          R"("aud":"boatswain","tenant":"_unassigned")", R"("aud":"boatswain","tenant":"../b")",
          R"("aud":"boatswain","tenant":"acme","apps":[])", R"("aud":"boatswain","tenant":"acme","apps":"shop")",
          R"("aud":"boatswain","tenant":"acme","apps":["shop",7])", R"("aud":"boatswain","tenant":"acme","apps":[""])",
          R"("aud":"boatswain","tenant":"acme","nbf":9999999999)", R"("aud":"boatswain","tenant":"acme","iat":"x")"})
        EXPECT_FALSE(verified(made(claims(more)))) << more;
    EXPECT_FALSE(verified(made(R"({"aud":"boatswain","tenant":"acme"})"))) << "it never ends";
    EXPECT_FALSE(verified(made(R"({"aud":"boatswain","tenant":"acme","exp":"9"})")));
    EXPECT_FALSE(verified(made(R"({"aud":"boatswain","tenant":"acme","exp":1e400})")));
    const std::string usual = R"("aud":"boatswain","tenant":"acme")";
    EXPECT_TRUE(verified(made(claims(usual, -59)))) << "clocks differ";
    EXPECT_FALSE(verified(made(claims(usual, -61))));
    EXPECT_FALSE(verified(made(claims(usual, 25 * 3600))));
    // Bytes are compared: none of these is acme.
    for (const char* near : {"acme ", "ACME",
                             "\xd0\xb0"
                             "cme"}) {
        auto token = verified(made(claims(R"("aud":"boatswain","tenant":")" + std::string{near} + "\"")));
        EXPECT_TRUE(!token || token->tenant != tenant("acme")) << near;
    }
}

class SignedTest : public ApiTest {
  protected:
    void write_key(const std::string& text, unsigned mode = 0600) {
        boatswain::testing::write(place / "signing", text);
        std::filesystem::permissions(place / "signing", std::filesystem::perms{mode});
        options.signing_keys = place / "signing";
    }
    std::string signed_for(std::string_view whose, std::vector<std::string> apps = {}) {
        return sign_token(our_key, {.tenant = tenant(whose),
                                    .apps = std::move(apps),
                                    .subject = "user 7",
                                    .expires = clock.now() + minutes{5}});
    }
};

TEST_F(SignedTest, ReadTheirTenantsLogsAlone) {
    write_key(std::string{our_key.view()} + "\n");
    options.audit = place / "audit";
    EXPECT_THAT(query_range(everything, signed_for("acme")),
                AllOf(HasSubstr("started"), HasSubstr("ready"), Not(HasSubstr("globex"))));
    EXPECT_THAT(query_range(everything, signed_for("acme", {"shop/db"})),
                AllOf(HasSubstr("ready"), Not(HasSubstr("started"))));
    EXPECT_THAT(query_range(everything, made(claims())), StartsWith("HTTP/1.1 401 ")) << "that was years ago";
    EXPECT_THAT(query_range(everything, of_acme), StartsWith("HTTP/1.1 200 ")) << "tokens of the file, too";
    TearDown();
    EXPECT_THAT(boatswain::testing::contents(place / "audit"), HasSubstr(R"("token":"signed:user 7")"));
}

TEST_F(SignedTest, OpenNothingWhereTheirKeyCannotBeTrusted) {
    EXPECT_THAT(query_range(everything, signed_for("acme")), StartsWith("HTTP/1.1 401 ")) << "no key was given";
    TearDown();
    write_key(std::string{our_key.view()}, 0644);
    EXPECT_THAT(query_range(everything, signed_for("acme")), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(get("/ready", ""), StartsWith("HTTP/1.1 503 "));
    write_key("short\n");
    EXPECT_THAT(query_range(everything, signed_for("acme")), StartsWith("HTTP/1.1 401 "));
    write_key(std::string{other_key.view()} + "\n" + std::string{our_key.view()} + "\n");
    EXPECT_THAT(query_range(everything, signed_for("acme")), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace boatswain::api
