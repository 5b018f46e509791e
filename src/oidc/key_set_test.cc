#include "oidc/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "oidc/issuer_for_test.h"
#include "oidc/jwt.h"

namespace boatswain::oidc {
namespace {

using namespace oidc::testing;
using crypto::SignatureKind;
using ::testing::HasSubstr;

const std::vector all_kinds{SignatureKind::rs256, SignatureKind::es256, SignatureKind::eddsa};
const std::string claims = R"({"sub":"u7"})";

KeySet parsed(const std::string& text, const std::vector<SignatureKind>& wanted = all_kinds) {
    auto set = KeySet::parse(text, wanted);
    EXPECT_TRUE(set) << set.error().what;
    return set ? std::move(*set) : KeySet{};
}
Signature check(const KeySet& set, const std::string& token) {
    std::string payload;
    auto found = set.check(token, payload);
    EXPECT_EQ(payload, found == Signature::good ? claims : "") << "claims of a token that is not good";
    return found;
}
KeySet all_three() {
    return parsed(set_of(
        {SigningKey::rsa().jwk("r"), SigningKey::p256().jwk("e"), SigningKey::ed25519().jwk("d", R"(,"use":"sig")")}));
}

TEST(KeySet, ChecksTokensOfEachKindOfKey) {
    auto set = all_three();
    EXPECT_EQ(set.size(), 3U);
    EXPECT_EQ(check(set, SigningKey::rsa().token(claims, "r")), Signature::good);
    EXPECT_EQ(check(set, SigningKey::p256().token(claims, "e")), Signature::good);
    EXPECT_EQ(check(set, SigningKey::ed25519().token(claims, "d")), Signature::good);
    EXPECT_EQ(check(set, SigningKey::rsa().token(claims, "new")), Signature::unknown_key);
    EXPECT_EQ(check(set, SigningKey::other_rsa().token(claims, "r")), Signature::bad);
}

// Attack 5: alg none, HS256 with the public key, kid as a path, jku, embedded keys.
TEST(KeySet, LetsNoTokenChooseItsAlgorithmOrKey) {
    auto set = all_three();
    const auto& rsa = SigningKey::rsa();
    for (const char* head : {R"({"alg":"none","kid":"r"})",
                             R"({"alg":"None","kid":"r"})",
                             R"({"alg":"","kid":"r"})",
                             R"({"kid":"r"})",
                             R"({"alg":"HS256","kid":"r"})",
                             R"({"alg":"rs256","kid":"r"})",
                             R"({"alg":"PS256","kid":"r"})",
                             R"({"alg":"RS512","kid":"r"})",
                             R"({"alg":"ES256","kid":"r"})",
                             R"({"alg":"EdDSA","kid":"r"})",
                             R"({"alg":["RS256"],"kid":"r"})",
                             R"({"alg":"RS256","kid":"r","crit":["exp"]})",
                             R"({"alg":"RS256","kid":"r","crit":[]})",
                             R"({"alg":"RS256","kid":"r","b64":false})",
                             R"({"alg":"RS256","kid":"r","kid":"r"})",
                             R"({"alg":"RS256","alg":"none","kid":"r"})",
                             R"({"alg":"RS256","kid":"r","typ":"logout+jwt"})",
                             R"({"alg":"RS256","kid":"r","typ":"dpop+jwt"})",
                             R"({"alg":"RS256","kid":7})",
                             R"({"alg":"RS256","kid":""})",
                             R"({"alg":"RS256","kid":null})",
                             R"({"alg":"RS256"})",
                             "x",
                             "[]",
                             ""})
        EXPECT_EQ(check(set, rsa.with_head(head, claims)), Signature::bad) << head;
    for (const char* head : {R"({"alg":"RS256","kid":"../../etc/passwd"})", R"({"alg":"RS256","kid":"R"})",
                             R"({"alg":"RS256","kid":"r "})", R"({"alg":"RS256","kid":"' OR 1=1"})"})
        EXPECT_EQ(check(set, rsa.with_head(head, claims)), Signature::unknown_key) << head;
    for (const char* head : {R"({"alg":"RS256","kid":"r","typ":"JWT"})", R"({"alg":"RS256","kid":"r","typ":"at+jwt"})",
                             R"({"alg":"RS256","kid":"r","jku":"http://evil.example/","x5t":"x"})"})
        EXPECT_EQ(check(set, rsa.with_head(head, claims)), Signature::good) << "signed by the key that kid names";
    // The attacker's own key in the head, or where he says it is.
    const auto& evil = SigningKey::other_rsa();
    EXPECT_EQ(check(set, evil.with_head(R"({"alg":"RS256","kid":"r","jku":"https://evil.example/keys","jwk":)" +
                                            evil.jwk("r") + R"(,"x5c":["MIIB"],"x5u":"https://evil.example/x"})",
                                        claims)),
              Signature::bad);
    // The public key as the secret of an HMAC.
    auto what = to_base64url(R"({"alg":"HS256","kid":"r"})") + "." + to_base64url(claims);
    for (const auto& secret : {rsa.modulus(), rsa.jwk("r")})
        EXPECT_EQ(check(set, what + "." + to_base64url(crypto::as_view(crypto::hmac_sha256(secret, what)))),
                  Signature::bad);
    EXPECT_EQ(check(set, to_base64url(R"({"alg":"none"})") + "." + to_base64url(claims) + "."), Signature::bad);
}

TEST(KeySet, TakesNoTokenOfWhichOneByteIsAnother) {
    auto set = all_three();
    for (const auto& [key, kid] : {std::pair{&SigningKey::p256(), "e"}, {&SigningKey::ed25519(), "d"}}) {
        auto good = key->token(claims, kid);
        for (std::size_t i = 0; i < good.size(); ++i) {
            auto changed = good;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            EXPECT_NE(check(set, changed), Signature::good) << kid << " " << i;
        }
        auto last = good.rfind('.');
        for (const auto& odd :
             {good + ".", "." + good, good + "=", good + " ", good.substr(0, last + 1), good.substr(0, last),
              good.substr(0, last + 1) + to_base64url(std::string(64, '\0')), good.substr(good.find('.') + 1),
              std::string{}, good + std::string(jwt::token_bytes_max, 'A')})
            EXPECT_NE(check(set, odd), Signature::good) << odd;
    }
}

TEST(KeySet, TakesATokenWithoutAKidWhereThereIsOneKeyAlone) {
    auto one = parsed(set_of({SigningKey::p256().jwk("e")}));
    EXPECT_EQ(check(one, SigningKey::p256().with_head(R"({"alg":"ES256"})", claims)), Signature::good);
    EXPECT_EQ(check(all_three(), SigningKey::p256().with_head(R"({"alg":"ES256"})", claims)), Signature::bad);
}

TEST(KeySet, LeavesOutKeysThatAreWeakOrForSomethingElse) {
    const auto& key = SigningKey::p256();
    auto good = SigningKey::ed25519().jwk("d");
    auto rsa = SigningKey::rsa().jwk("r");
    auto with_exponent = [&](const std::string& e) {
        return rsa.substr(0, rsa.find(R"("e":)")) + R"("e":")" + e + "\"}";
    };
    for (const auto& left_out : {SigningKey::weak_rsa().jwk("w"),
                                 key.jwk("e", R"(,"use":"enc")"),
                                 key.jwk("e", R"(,"use":7)"),
                                 key.jwk("e", R"(,"key_ops":["sign"])"),
                                 key.jwk("e", R"(,"key_ops":[])"),
                                 key.jwk("e", R"(,"alg":"RS256")"),
                                 key.jwk("e", R"(,"alg":"none")"),
                                 key.jwk("e", R"(,"d":"AAAA")"),
                                 key.jwk("e", R"(,"kid":"e")"),
                                 key.jwk(""),
                                 key.jwk(std::string(kid_bytes_max + 1, 'k')),
                                 with_exponent("AQ"),
                                 with_exponent("AQAA"),
                                 with_exponent("AQABAQABAQAB"),
                                 std::string{R"({"kid":"k","kty":"oct","k":"AAAA"})"},
                                 std::string{R"({"kid":"k","kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})"},
                                 R"({"kid":"k","kty":"EC","crv":"P-256","x":")" + to_base64url(std::string(32, 1)) +
                                     R"(","y":")" + to_base64url(std::string(32, 1)) + "\"}",
                                 std::string{R"({"kid":"k","kty":"OKP","crv":"X25519","x":"AAAA"})"},
                                 std::string{"7"},
                                 std::string{"{}"}}) {
        auto set = parsed(set_of({left_out, good}));
        EXPECT_EQ(set.size(), 1U) << left_out;
        EXPECT_EQ(set.left_out(), 1U) << left_out;
        EXPECT_FALSE(KeySet::parse(set_of({left_out}), all_kinds)) << left_out;
    }
    EXPECT_FALSE(KeySet::parse(set_of({key.jwk("e")}), {SignatureKind::rs256})) << "not of the algorithms wanted";
}

TEST(KeySet, IsBounded) {
    std::vector<std::string> many(keys_max + 1, SigningKey::p256().jwk("e"));
    EXPECT_THAT(KeySet::parse(set_of(many), all_kinds).error().what, HasSubstr("more than 64 keys"));
    EXPECT_THAT(KeySet::parse(std::string(jwks_bytes_max + 1, ' '), all_kinds).error().what, HasSubstr("longer than"));
    for (const char* odd : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", "{\"keys\":["})
        EXPECT_FALSE(KeySet::parse(odd, all_kinds)) << odd;
}

}  // namespace
}  // namespace boatswain::oidc
