#include "api/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "query/store_for_test.h"

namespace boatswain::api {
namespace {

using namespace std::chrono;
using query::testing::at;
using query::testing::tenant;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TokensTest : public ::testing::Test {
  protected:
    NewToken add(std::string_view whose, std::optional<Timestamp> expires = {}, std::vector<std::string> apps = {}) {
        auto made = make_token(tenant(whose), expires, std::move(apps));
        EXPECT_TRUE(change_tokens(path, [&](std::vector<Token>& tokens) -> Result<void> {
            tokens.push_back(made.token);
            return {};
        }));
        return made;
    }
    std::string whose(std::string_view text) {
        auto found = file.find(text);
        return found ? found->tenant.str() : "nobody";
    }
    void write(std::string_view text) { testing::write(path, text); }
    // What was read of the file is old by then.
    void later() { clock.advance(2 * tokens_look_every); }

    testing::TestDirectory place;
    Path path = place / "tokens";
    SimulatedClock clock{at("2026-11-29T12:00:00Z")};
    TokenFile file{path, clock};
};

TEST_F(TokensTest, OpenForTheirTenantAlone) {
    auto acme = add("acme"), globex = add("globex", {}, {"web", "a, b%"});
    EXPECT_EQ(whose(acme.text.view()), "acme");
    EXPECT_EQ(whose(globex.text.view()), "globex");
    EXPECT_THAT(file.find(globex.text.view())->apps, ElementsAre("web", "a, b%"));
    auto text = std::string{acme.text.view()};
    for (auto wrong : {std::string{}, text.substr(1), text + "x", text.substr(0, text.size() - 1), acme.token.id,
                       to_hex(acme.token.sha256)})
        EXPECT_EQ(whose(wrong), "nobody");
}

// The clock stands still: no look is due.
TEST_F(TokensTest, AreGoodFromTheMomentTheyAreMade) {
    auto first = add("acme");
    EXPECT_EQ(whose(first.text.view()), "acme");
    auto second = add("globex");
    EXPECT_EQ(whose(second.text.view()), "globex");
    EXPECT_EQ(whose(first.text.view()), "acme");
}

TEST_F(TokensTest, StandInTheFileAsHashesAlone) {
    auto made = add("acme");
    auto text = read_file(path, 1U << 20).value();
    EXPECT_THAT(text, Not(HasSubstr(std::string{made.text.view().substr(4)})));
    EXPECT_THAT(text, HasSubstr(made.token.id + " " + to_hex(made.token.sha256) + " acme never *\n"));
    struct stat found{};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(TokensTest, Expire) {
    auto made = add("acme", clock.now() + hours{1});
    EXPECT_EQ(whose(made.text.view()), "acme");
    clock.advance(hours{1});
    EXPECT_EQ(whose(made.text.view()), "nobody");
}

TEST_F(TokensTest, AreNoMoreWhenTheyAreRevoked) {
    auto made = add("acme"), other = add("acme");
    EXPECT_EQ(whose(made.text.view()), "acme");
    EXPECT_TRUE(change_tokens(path, [&](std::vector<Token>& tokens) -> Result<void> {
        std::erase_if(tokens, [&](const Token& token) { return token.id == made.token.id; });
        return {};
    }));
    later();
    EXPECT_EQ(whose(made.text.view()), "nobody");
    EXPECT_EQ(whose(other.text.view()), "acme");
}

TEST_F(TokensTest, AreAllRefusedWhileTheirFileCannotBeTrusted) {
    auto made = add("acme");
    auto good = read_file(path, 1U << 20).value();
    EXPECT_EQ(whose(made.text.view()), "acme");
    write(good + "something else\n");
    later();
    EXPECT_EQ(whose(made.text.view()), "nobody");
    EXPECT_THAT(file.trouble()->what, HasSubstr("line 3 is no token"));
    write(good);
    ASSERT_EQ(::chmod(path.c_str(), 0622), 0);
    later();
    EXPECT_EQ(whose(made.text.view()), "nobody");
    EXPECT_THAT(file.trouble()->what, HasSubstr("may be written to by others"));
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    later();
    EXPECT_EQ(whose(made.text.view()), "acme");
    std::filesystem::remove(path);
    later();
    EXPECT_EQ(whose(made.text.view()), "nobody");
}

TEST_F(TokensTest, RefuseLinesThatAreNone) {
    std::string hash(64, 'a');
    for (const auto& bad : {"3f9c2a1b " + hash + " acme never", "3f9c2a1 " + hash + " acme never *",
                            "3f9c2a1b " + hash + "a acme never *", "3f9c2a1b " + hash + " ../acme never *",
                            "3f9c2a1b " + hash + " ..%2Facme never *", "3f9c2a1b " + hash + " _unassigned never *",
                            "3f9c2a1b " + hash + " acme soon *", "3f9c2a1b " + hash + " acme never ",
                            "3f9c2a1b " + hash + " acme never a,,b", "3f9c2a1b " + hash + " acme%00 never *"})
        EXPECT_FALSE(parse_tokens(bad)) << bad;
    EXPECT_TRUE(parse_tokens("3f9c2a1b " + hash + " acme never *\n"));
}

TEST(Bearer, IsTheWordBehindTheScheme) {
    EXPECT_EQ(bearer_of("Bearer abc"), "abc");
    EXPECT_EQ(bearer_of("bEARER abc"), "abc");
    for (const char* none : {"", "Bearer", "Basic abc", "abc", "Bearerabc"}) EXPECT_EQ(bearer_of(none), "") << none;
}

TEST_F(TokensTest, OfAnOperatorAreNoTenantsAndTheOtherWayRound) {
    auto made = make_operator_token(clock.now() + hours{1});
    auto acme = add("acme");
    ASSERT_TRUE(change_tokens(path, [&](std::vector<Token>& tokens) -> Result<void> {
        tokens.push_back(made.token);
        return {};
    }));
    later();
    EXPECT_TRUE(file.find_operator(made.text.view()));
    EXPECT_EQ(whose(made.text.view()), "nobody");
    EXPECT_EQ(whose(acme.text.view()), "acme");
    EXPECT_FALSE(file.find_operator(acme.text.view()));
    EXPECT_FALSE(file.find_operator(""));
    clock.advance(hours{2});
    EXPECT_FALSE(file.find_operator(made.text.view())) << "it has expired";
    auto line = made.token.id + " " + to_hex(made.token.sha256);
    EXPECT_TRUE(parse_tokens(line + " _operator never *"));
    EXPECT_FALSE(parse_tokens(line + " _operator never web")) << "an operator reads no apps";
    EXPECT_FALSE(parse_tokens(line + " %5Foperator never *")) << "a tenant's name";
    EXPECT_FALSE(parse_tokens(line + " _canary never *"));
}

}  // namespace
}  // namespace boatswain::api
