#include "oidc/issuer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/directory_for_test.h"
#include "oidc/issuer_for_test.h"

namespace boatswain::oidc {
namespace {

using namespace oidc::testing;
using namespace std::chrono;
using ::testing::AllOf;
using ::testing::HasSubstr;

// An issuer that answers from a map, and counts how often it is asked.
class IssuerTest : public ::testing::Test {
  protected:
    std::unique_ptr<Issuer> made(const std::string& more = {}) {
        auto settings = parse_settings("issuer = \"https://login.example\"\naudience = \"boatswain\"\n" + more, "f");
        EXPECT_TRUE(settings) << settings.error().what;
        return std::make_unique<Issuer>(*settings, clock, log, metrics,
                                        [this](const std::string& from, std::size_t) -> Result<std::string> {
                                            ++asked[from];
                                            std::lock_guard lock{mutex};
                                            auto found = pages.find(from);
                                            if (found == pages.end()) return fail(Remedy::back_off, "it is down");
                                            return found->second;
                                        });
    }
    void publish(const std::vector<std::string>& keys) {
        std::lock_guard lock{mutex};
        pages[document] =
            R"({"issuer":"https://login.example","jwks_uri":"https://login.example/keys",)"
            R"("authorization_endpoint":"https://login.example/auth","token_endpoint":"https://login.example/token"})";
        pages["https://login.example/keys"] = set_of(keys);
    }
    std::string token(const SigningKey& key, const std::string& kid) {
        auto exp = floor<seconds>(clock.now() + minutes{10}).time_since_epoch().count();
        return key.token(
            R"({"iss":"https://login.example","aud":"boatswain","tenant":"acme","exp":)" + std::to_string(exp) + "}",
            kid);
    }
    static bool knows(Issuer& issuer, const std::string& text) { return issuer.who(text).bearer.has_value(); }

    const std::string document = "https://login.example/.well-known/openid-configuration";
    SimulatedClock clock{*parse_time("2026-11-30T12:00:00Z")};
    boatswain::testing::TestDirectory place;
    Fd log_file{::open((place / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    std::mutex mutex;
    std::map<std::string, std::string> pages;
    std::map<std::string, std::atomic<int>> asked;
    const SigningKey &old_key = SigningKey::p256(), &new_key = SigningKey::ed25519();
};

TEST_F(IssuerTest, KnowsTokensOfTheKeysThatItPublishes) {
    publish({old_key.jwk("a")});
    auto issuer = made();
    EXPECT_TRUE(issuer->trouble()) << "nothing was fetched yet";
    EXPECT_FALSE(knows(*issuer, token(old_key, "a")));
    ASSERT_TRUE(issuer->fetch());
    EXPECT_FALSE(issuer->trouble());
    auto who = issuer->who(token(old_key, "a"));
    ASSERT_TRUE(who.bearer);
    EXPECT_EQ(who.bearer->tenant.str(), "acme");
    EXPECT_EQ(issuer->endpoints()->authorization, "https://login.example/auth");
}

TEST_F(IssuerTest, TakesNewKeysAndDropsThoseThatAreGone) {
    publish({old_key.jwk("a")});
    auto issuer = made();
    ASSERT_TRUE(issuer->fetch());
    publish({new_key.jwk("b")});
    EXPECT_TRUE(issuer->who(token(new_key, "b")).is_key_unknown);
    ASSERT_TRUE(issuer->fetch());
    EXPECT_TRUE(knows(*issuer, token(new_key, "b")));
    EXPECT_FALSE(knows(*issuer, token(old_key, "a"))) << "the issuer took it out";
}

TEST_F(IssuerTest, KeepsItsKeysForABoundedTimeWhileItIsDown) {
    publish({old_key.jwk("a")});
    auto issuer = made("keep_keys = \"1h\"\n");
    ASSERT_TRUE(issuer->fetch());
    pages.clear();
    clock.advance(minutes{30});
    EXPECT_FALSE(issuer->fetch());
    EXPECT_TRUE(knows(*issuer, token(old_key, "a")));
    EXPECT_FALSE(issuer->trouble());
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_serve_oidc_keys 1\n"));
    clock.advance(minutes{31});
    EXPECT_FALSE(knows(*issuer, token(old_key, "a")));
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_serve_oidc_keys 0\n"));
    EXPECT_THAT(issuer->trouble()->what, AllOf(HasSubstr("fetch " + document), HasSubstr("it is down")));
    publish({old_key.jwk("a")});
    ASSERT_TRUE(issuer->fetch());
    EXPECT_TRUE(knows(*issuer, token(old_key, "a")));
}

TEST_F(IssuerTest, KeepsWhatItHasWhereASetIsBroken) {
    publish({old_key.jwk("a")});
    auto issuer = made();
    ASSERT_TRUE(issuer->fetch());
    for (const char* odd : {"", "<html>", R"({"keys":[]})"}) {
        pages["https://login.example/keys"] = odd;
        EXPECT_FALSE(issuer->fetch()) << odd;
        EXPECT_TRUE(knows(*issuer, token(old_key, "a"))) << odd;
    }
}

TEST_F(IssuerTest, BelievesNoDocumentOfAnotherIssuerAndNoPlaceWithoutTls) {
    for (const char* odd :
         {R"({"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"})",
          R"({"issuer":"https://login.example/","jwks_uri":"https://login.example/keys"})",
          R"({"issuer":"https://login.example","jwks_uri":"http://login.example/keys"})",
          R"({"issuer":"https://login.example","jwks_uri":"http://127.0.0.1/keys"})",
          R"({"issuer":"https://login.example","jwks_uri":"file:///etc/passwd"})",
          R"({"issuer":"https://login.example","jwks_uri":"/etc/passwd"})", R"({"issuer":"https://login.example"})",
          R"({"issuer":"https://login.example","jwks_uri":"https://login.example/keys","token_endpoint":"http://x/"})",
          "[]", ""}) {
        publish({old_key.jwk("a")});
        pages[document] = odd;
        for (const char* there : {"https://evil.example/keys", "http://login.example/keys", "http://127.0.0.1/keys"})
            pages[there] = set_of({old_key.jwk("a")});
        auto issuer = made();
        EXPECT_FALSE(issuer->fetch()) << odd;
        EXPECT_FALSE(knows(*issuer, token(old_key, "a"))) << odd;
        for (const auto& [url, times] : asked) EXPECT_EQ(url, document) << odd;
    }
}

TEST_F(IssuerTest, ReadsAFileAgainAndBelievesNoneThatCannotBeRead) {
    boatswain::testing::write(place / "keys", set_of({old_key.jwk("a")}));
    auto issuer = made("jwks = \"" + (place / "keys").string() + "\"\n");
    ASSERT_TRUE(issuer->fetch());
    EXPECT_TRUE(knows(*issuer, token(old_key, "a")));
    clock.advance(hours{24 * 30});
    EXPECT_TRUE(knows(*issuer, token(old_key, "a"))) << "a file does not get old";
    boatswain::testing::write(place / "keys", "{");
    EXPECT_FALSE(issuer->fetch());
    EXPECT_FALSE(knows(*issuer, token(old_key, "a")));
}

// However many tokens name keys that are not known.
TEST_F(IssuerTest, AsksAgainForAKeyThatIsNotKnownAndOnlySoOften) {
    publish({old_key.jwk("a")});
    auto issuer = made();
    EXPECT_FALSE(issuer->ask_again()) << "no thread fetches";
    issuer->start();
    auto wait_for = [&](std::uint64_t fetches) {
        for (int i = 0; i < 1000 && issuer->fetches() < fetches; ++i) std::this_thread::sleep_for(milliseconds{10});
        EXPECT_EQ(issuer->fetches(), fetches);
    };
    wait_for(1);
    publish({old_key.jwk("a"), new_key.jwk("b")});
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(issuer->ask_again()) << "the keys are seconds old";
    clock.advance(seconds{11});
    EXPECT_TRUE(issuer->ask_again());
    wait_for(2);
    EXPECT_TRUE(knows(*issuer, token(new_key, "b")));
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(issuer->ask_again());
    EXPECT_EQ(issuer->fetches(), 2U);
}

}  // namespace
}  // namespace boatswain::oidc
