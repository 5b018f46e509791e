#include "oidc/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/directory_for_test.h"

namespace boatswain::oidc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OidcSettings, AreReadFromAFile) {
    boatswain::testing::TestDirectory place;
    boatswain::testing::write(place / "oidc.toml", R"(
issuer = "https://login.example/realms/x"
audience = "boatswain"
algorithms = ["ES256"]
tenant_claim = "org"
apps_claim = "apps"
refresh = "1m"
refetch_pause = "5s"
keep_keys = "2h"
client_id = "boatswain"
)");
    auto read = read_settings(place / "oidc.toml");
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->issuer, "https://login.example/realms/x");
    EXPECT_THAT(read->audiences, ElementsAre("boatswain"));
    EXPECT_THAT(read->algorithms, ElementsAre(crypto::SignatureKind::es256));
    EXPECT_EQ(read->keep_keys, std::chrono::hours{2});
    std::filesystem::permissions(place / "oidc.toml", std::filesystem::perms{0666});
    EXPECT_THAT(read_settings(place / "oidc.toml").error().what, HasSubstr("may be written to by others"));
}

TEST(OidcSettings, AreRefusedWithTheReason) {
    const std::string issuer = "issuer = \"https://x\"\n", audience = "audience = \"b\"\n";
    for (const auto& [text, why] :
         {std::pair<std::string, const char*>{"", "Give issuer"},
          {issuer, "Give audience"},
          {issuer + "audience = []", "Give audience"},
          {issuer + "audience = [\"\"]", "from 1 to 10"},
          {"issuer = \"http://x\"\n" + audience, "not an URL with https"},
          {"issuer = \"https://me:secret@x\"\n" + audience, "not an URL with https"},
          {"issuer = \"http://127.0.0.1.evil.example\"\n" + audience, "not an URL with https"},
          {issuer + audience + "jwks = \"http://x/keys\"", "jwks: a file, or an URL"},
          {issuer + audience + "jwks = \"ftp://x/keys\"", "jwks: a file, or an URL"},
          {issuer + audience + "algorithms = [\"HS256\"]", "is none of \"RS256\""},
          {issuer + audience + "algorithms = [\"none\"]", "is none of \"RS256\""},
          {issuer + audience + "algorithms = []", "an empty list"},
          {issuer + audience + "tenant = \"_unassigned\"", "f:3: tenant"},
          {issuer + audience + "tenant_claim = \"\"", "f:3: tenant_claim"},
          {issuer + audience + "keep_keys = \"1d\"\nrefresh = \"2d\"", "f:4: refresh"},
          {issuer + audience + "keep_keys = \"1m\"", "shorter than refresh"},
          {issuer + audience + "client_id = \"c\"", "has to be one of audience"},
          {issuer + audience + "client_id = \"b\"\njwks = \"k\"", "leave jwks out"},
          {issuer + audience + "colour = 1", "there is no such setting"},
          {issuer + audience + "[more]\na = 1", "no sections"}}) {
        auto parsed = parse_settings(text, "f");
        ASSERT_FALSE(parsed) << text;
        EXPECT_THAT(parsed.error().what, HasSubstr(why)) << text;
    }
}

}  // namespace
}  // namespace boatswain::oidc
