#include "tenancy/carried.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace boatswain::tenancy {
namespace {

using testing::HasSubstr;

// The worked example of docs/formats/derivation.md.
constexpr std::string_view acme_recipient = "age1fpyfqxmn5d9ssc4j7h76ce2luvcx5dag4m894q4jczxke66ps9gqzynxl4";
const std::string the_secret = "correct horse battery staple";

TenantId named(std::string_view name) { return *TenantId::parse(name); }
TenantId acme() { return named("acme"); }
CarriedText secret(std::string text) { return {.text = std::move(text), .secret = true, .rule = "secret:env:KEY"}; }

TEST(CarriedKeys, RecallsARecipientAtOnceAndASecretOnceItIsDerived) {
    CarriedKeys keys;
    auto given = keys.recall(acme(), {.text = std::string{acme_recipient}, .secret = false, .rule = "env:KEY"});
    ASSERT_TRUE(given && *given);
    EXPECT_EQ((**given)->recipient.str(), acme_recipient);
    EXPECT_FALSE((**given)->derived);

    EXPECT_FALSE(keys.recall(acme(), secret(the_secret))) << "it has to be derived first";
    ASSERT_TRUE(keys.derive(acme(), the_secret));
    auto derived = keys.recall(acme(), secret(the_secret));
    ASSERT_TRUE(derived && *derived);
    EXPECT_EQ((**derived)->recipient.str(), acme_recipient);
    EXPECT_TRUE((**derived)->derived);
    EXPECT_FALSE(keys.recall(acme(), secret(the_secret + "\n"))) << "byte for byte";
    EXPECT_FALSE(keys.recall(acme(), secret("\"" + the_secret + "\""))) << "byte for byte";
}

TEST(CarriedKeys, GivesTwoTenantsWithTheSameSecretDifferentKeys) {
    CarriedKeys keys;
    EXPECT_NE((*keys.derive(acme(), the_secret))->recipient, (*keys.derive(named("globex"), the_secret))->recipient);
    EXPECT_EQ(keys.remembered(), 2U);
}

TEST(CarriedKeys, RefusesWhatIsNoKeyAtOnce) {
    CarriedKeys keys;
    for (const auto& [text, why] : {std::pair<std::string, std::string>{"1234567", "shorter than 8 bytes"},
                                    {std::string(5000, 'z'), "longer than 4096 bytes"},
                                    {"ssh-ed25519 AAAA", "an SSH key"}}) {
        auto refused = keys.recall(acme(), secret(text));
        ASSERT_TRUE(refused && !*refused) << text;
        EXPECT_EQ(refused->error().remedy, Remedy::quarantine);
        EXPECT_THAT(refused->error().what, HasSubstr(why));
    }
    EXPECT_EQ(keys.remembered(), 0U);
}

TEST(CarriedKeys, NeverForgetsWhatIsInUseAndForgetsIdleKeysOfTheSameTenantFirst) {
    CarriedKeys keys{{.remembered_max = 6, .remembered_of_tenant_max = 4}};
    auto of_globex = *keys.derive(named("globex"), the_secret);
    of_globex.reset();  // idle
    std::vector<CarriedKeys::Key> in_use;
    for (std::size_t i = 0; i < 4; ++i) in_use.push_back(*keys.derive(acme(), "secret number " + std::to_string(i)));
    EXPECT_FALSE(keys.has_room(acme()));
    EXPECT_TRUE(keys.has_room(named("globex"))) << "another tenant's keys are not in its way";
    auto one_more = keys.derive(acme(), "one secret more");
    ASSERT_FALSE(one_more);
    EXPECT_EQ(one_more.error().remedy, Remedy::back_off);
    EXPECT_TRUE(keys.recall(acme(), secret("secret number 0"))) << "it is in use";

    in_use[1].reset();
    EXPECT_TRUE(keys.has_room(acme()));
    ASSERT_TRUE(keys.derive(acme(), "one secret more"));
    EXPECT_FALSE(keys.recall(acme(), secret("secret number 1"))) << "it was idle";
    EXPECT_TRUE(keys.recall(acme(), secret("secret number 2")));
    EXPECT_TRUE(keys.recall(named("globex"), secret(the_secret))) << "idle, but another tenant's";

    // Who makes up names pushes out idle keys, of whoever has most of them, and none that is in use.
    for (int i = 0; i < 8; ++i) (void)keys.derive(named("name-" + std::to_string(i)), the_secret);
    EXPECT_EQ(keys.remembered(), 6U);
    for (const auto* number : {"0", "2", "3"})
        EXPECT_TRUE(keys.recall(acme(), secret("secret number " + std::string{number}))) << number;
}

}  // namespace
}  // namespace boatswain::tenancy
