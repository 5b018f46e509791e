#include "tenancy/carried.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tenancy/derive.h"

namespace boatswain::tenancy {
namespace {

using testing::HasSubstr;
using testing::Not;

// Of the vectors of tests/vectors/derive.
constexpr std::string_view acme_recipient = "age1fpyfqxmn5d9ssc4j7h76ce2luvcx5dag4m894q4jczxke66ps9gqzynxl4";
constexpr std::string_view secret = "correct horse battery staple";

TenantId acme() { return *TenantId::parse("acme"); }

TEST(CarriedKeys, TakesARecipientAsItIsAndAnythingElseAsASecret) {
    CarriedKeys keys;
    auto given = keys.resolve(acme(), acme_recipient);
    ASSERT_TRUE(given) << given.error().what;
    EXPECT_EQ(given->str(), acme_recipient);
    auto derived = keys.resolve(acme(), secret);
    ASSERT_TRUE(derived) << derived.error().what;
    EXPECT_EQ(derived->str(), acme_recipient);
}

TEST(CarriedKeys, PassesOverWhiteSpaceAroundARecipientButNotAroundASecret) {
    CarriedKeys keys;
    EXPECT_EQ(keys.resolve(acme(), " " + std::string{acme_recipient} + "\r\n")->str(), acme_recipient);
    EXPECT_NE(keys.resolve(acme(), std::string{secret} + "\n")->str(), acme_recipient);
}

TEST(CarriedKeys, GivesTwoTenantsWithTheSameSecretDifferentKeys) {
    CarriedKeys keys;
    EXPECT_NE(keys.resolve(acme(), secret)->str(), keys.resolve(*TenantId::parse("globex"), secret)->str());
    EXPECT_EQ(keys.remembered(), 2U);
}

TEST(CarriedKeys, RemembersWhatItDerivedAndNothingElse) {
    CarriedKeys keys;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(keys.resolve(acme(), secret));
    ASSERT_TRUE(keys.resolve(acme(), acme_recipient));
    ASSERT_FALSE(keys.resolve(acme(), "short"));
    EXPECT_EQ(keys.remembered(), 1U);
}

TEST(CarriedKeys, RefusesAnIdentityABrokenRecipientAndAShortSecretWithoutRepeatingThem) {
    CarriedKeys keys;
    auto broken = std::string{acme_recipient};
    broken.back() = broken.back() == 'q' ? 'p' : 'q';
    auto overlong = std::string(5000, 'z');
    for (const auto& [carried, why] :
         {std::pair<std::string, std::string>{"AGE-SECRET-KEY-1QQQQQQQQ", "an age identity"},
          {"age-secret-key-1qqqqqqqq", "an age identity"},
          {broken, "not an age recipient"},
          {"age1", "not an age recipient"},
          {"1234567", "shorter than 8 bytes"},
          {overlong, "longer than 4096 bytes"}}) {
        auto refused = keys.resolve(acme(), carried);
        ASSERT_FALSE(refused) << carried;
        EXPECT_THAT(refused.error().what, HasSubstr(why));
        if (carried.size() > 16) EXPECT_THAT(refused.error().what, Not(HasSubstr(carried.substr(carried.size() - 8))));
    }
}

}  // namespace
}  // namespace boatswain::tenancy
