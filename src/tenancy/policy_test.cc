#include "tenancy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::tenancy {
namespace {

using Action = Decision::Action;
using crypto::Recipient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Recipient recipient(std::uint8_t number) {
    std::array<std::uint8_t, 32> key{};
    key.fill(number);
    return Recipient{key};
}

const Recipient of_acme = recipient(1), of_operator = recipient(2), of_container = recipient(3),
                of_glass = recipient(4);
const CarriedKey carried{.recipient = of_container};

Attribution known() { return {.tenant = *TenantId::parse("acme"), .app = "web", .tenant_rule = "env:TENANT"}; }
Attribution unknown() { return {.app = "web", .tenant_rule = "no rule answered: env:TENANT"}; }
Keys all_keys() { return {.tenant = {of_acme, of_glass}, .operators = {of_operator}, .break_glass = {of_glass}}; }
Keys without_tenant() { return {.operators = {of_operator}, .break_glass = {of_glass}}; }
Result<CarriedKey> broken() { return fail(Remedy::quarantine, "the secret is shorter than 8 bytes"); }

TEST(Policy, QuotesATenantWhoseEndsWouldNotBeSeen) {
    auto whose = known();
    whose.tenant = *TenantId::parse("acme ");
    EXPECT_THAT(decide(whose, without_tenant(), {}, Unassigned::quarantine).reason,
                HasSubstr("tenant \"acme \" (env:TENANT) has no key in the keyring"));
    EXPECT_THAT(decide_without_place(whose, without_tenant(), Unassigned::quarantine).reason,
                HasSubstr("tenant \"acme \" (env:TENANT)"));
}

TEST(Policy, DecidesEveryCaseAsItsTableSays) {
    struct Case {
        std::string about;
        Attribution whose;
        Keys keys;
        std::optional<Result<CarriedKey>> carried;
        Unassigned policy;
        Action action;
        std::vector<Recipient> recipients;
        std::string reason;
    };
    constexpr auto quarantine = Unassigned::quarantine, drop = Unassigned::drop;
    for (const auto& c : std::vector<Case>{
             {"in the keyring",
              known(),
              all_keys(),
              {},
              quarantine,
              Action::seal,
              {of_acme, of_glass},
              "tenant acme (env:TENANT): sealed for its recipients of the keyring"},
             {"in the keyring, drop is no matter",
              known(),
              all_keys(),
              {},
              drop,
              Action::seal,
              {of_acme, of_glass},
              "sealed for its recipients"},
             {"the keyring wins over what is carried",
              known(),
              all_keys(),
              carried,
              quarantine,
              Action::seal,
              {of_acme, of_glass},
              "the key that the container carries is not used"},
             {"the keyring wins over what is carried and broken",
              known(),
              all_keys(),
              broken(),
              quarantine,
              Action::seal,
              {of_acme, of_glass},
              "the key that the container carries is not used"},
             {"carried, with break-glass",
              known(),
              without_tenant(),
              carried,
              quarantine,
              Action::seal,
              {of_container, of_glass},
              "sealed for the recipient that the container carries"},
             {"carried, derived from a secret",
              known(),
              without_tenant(),
              CarriedKey{.recipient = of_container, .derived = true},
              quarantine,
              Action::seal,
              {of_container, of_glass},
              "sealed for a key derived from the secret that the container carries"},
             {"carried, no other key anywhere",
              known(),
              {},
              carried,
              drop,
              Action::seal,
              {of_container},
              "that the container carries"},
             {"the tenant's key file is broken",
              known(),
              {.operators = {of_operator}, .held = "the key file acme.pub is broken (line 1: it is not)"},
              carried,
              quarantine,
              Action::hold,
              {},
              "tenant acme (env:TENANT): the key file acme.pub is broken (line 1: it is not): nothing is read"},
             {"the tenant's key file is broken, drop",
              known(),
              {.held = "the key file acme.pub is broken"},
              {},
              drop,
              Action::hold,
              {},
              "nothing is read until that is mended"},
             {"the operator's key file is broken",
              unknown(),
              {.operators_held = "the key file _unassigned.pub is broken"},
              {},
              quarantine,
              Action::hold,
              {},
              "nothing is read until that is mended"},
             {"carried is broken",
              known(),
              without_tenant(),
              broken(),
              quarantine,
              Action::quarantine,
              {of_operator},
              "tenant acme (env:TENANT) has no key in the keyring, and what it carries is no key: the secret is "
              "shorter than 8 bytes: its lines "
              "are sealed for the operator as _unassigned"},
             {"carried is broken, drop",
              known(),
              without_tenant(),
              broken(),
              drop,
              Action::drop,
              {},
              "its lines are dropped"},
             {"no key",
              known(),
              without_tenant(),
              {},
              quarantine,
              Action::quarantine,
              {of_operator},
              "tenant acme (env:TENANT) has no key in the keyring and carries none: its lines are sealed for the "
              "operator as _unassigned"},
             {"no key, drop",
              known(),
              without_tenant(),
              {},
              drop,
              Action::drop,
              {},
              "tenant acme (env:TENANT) has no key in the keyring and carries none: its lines are dropped, as "
              "tenancy.unassigned says"},
             {"no key, no operator",
              known(),
              {},
              {},
              quarantine,
              Action::hold,
              {},
              "tenant acme (env:TENANT) has no key in the keyring and carries none, and the operator has no recipient "
              "to quarantine it for: "
              "nothing is read until the keyring has _unassigned.pub"},
             {"break-glass alone seals nothing",
              known(),
              {.break_glass = {of_glass}},
              {},
              quarantine,
              Action::hold,
              {},
              "nothing is read"},
             {"no tenant",
              unknown(),
              without_tenant(),
              {},
              quarantine,
              Action::quarantine,
              {of_operator},
              "no tenant (no rule answered: env:TENANT): its lines are sealed for the operator as _unassigned"},
             {"no tenant, drop", unknown(), without_tenant(), {}, drop, Action::drop, {}, "its lines are dropped"},
             {"no tenant, a carried key does not make one",
              unknown(),
              without_tenant(),
              carried,
              quarantine,
              Action::quarantine,
              {of_operator},
              "no tenant"},
             {"no tenant, carried key, drop",
              unknown(),
              without_tenant(),
              carried,
              drop,
              Action::drop,
              {},
              "no tenant"},
             {"no tenant, no operator", unknown(), {}, carried, quarantine, Action::hold, {}, "nothing is read"},
         }) {
        SCOPED_TRACE(c.about);
        auto decision = decide(c.whose, c.keys, c.carried, c.policy);
        EXPECT_EQ(decision.action, c.action) << to_string(decision.action);
        EXPECT_EQ(decision.recipients, c.recipients);
        EXPECT_THAT(decision.reason, HasSubstr(c.reason));
        bool is_the_tenants = c.action == Action::seal || !c.keys.held.empty();
        EXPECT_EQ(decision.tenant, is_the_tenants ? c.whose.tenant : TenantId::unassigned());
        bool seals = decision.action == Action::seal || decision.action == Action::quarantine;
        EXPECT_EQ(seals, !decision.recipients.empty()) << "sealed for nobody, or not sealed for somebody";
    }
}

TEST(Policy, NeverSealsForMoreThanASegmentCanHoldAndForNobodyTwice) {
    Keys keys;
    for (std::uint8_t i = 0; i < crypto::recipients_max; ++i)
        keys.break_glass.push_back(recipient(static_cast<std::uint8_t>(100 + i)));
    auto decision = decide(known(), keys, carried, Unassigned::quarantine);
    EXPECT_EQ(decision.recipients.size(), crypto::recipients_max);
    EXPECT_EQ(decision.recipients.front(), of_container);
    keys.break_glass = {of_container, of_glass};
    EXPECT_THAT(decide(known(), keys, carried, Unassigned::quarantine).recipients, ElementsAre(of_container, of_glass));
}

// Attack of old: `rsync --delete` from a wrong directory handed every tenant's running lines to the operator.
TEST(Policy, NeverHandsTheLinesOfARemovedKeyFileToTheOperator) {
    auto keys = without_tenant();
    keys.removed_since = Timestamp{std::chrono::hours{24}};
    for (auto policy : {Unassigned::quarantine, Unassigned::drop})
        for (const std::optional<Result<CarriedKey>>& none : {std::optional<Result<CarriedKey>>{}, {broken()}}) {
            auto held = decide(known(), keys, none, policy, RemovedKey::hold);
            EXPECT_EQ(held.action, Action::hold);
            EXPECT_EQ(held.lack, Lack::removed_key);
            EXPECT_EQ(held.tenant.str(), "acme");
            EXPECT_THAT(held.recipients, IsEmpty());
            EXPECT_THAT(held.reason, HasSubstr("acme.pub was removed (noticed at 1970-01-02T00:00:00Z)"));
            EXPECT_THAT(held.reason, HasSubstr("acme.gone"));
            auto old = decide(known(), keys, none, policy, RemovedKey::too_old);
            EXPECT_EQ(old.action, Action::drop);
            EXPECT_THAT(old.recipients, IsEmpty());
            EXPECT_THAT(old.reason, HasSubstr("tenancy.removed_key_hold"));
        }
    EXPECT_EQ(decide(known(), keys, {carried}, Unassigned::quarantine, RemovedKey::hold).action, Action::seal)
        << "the container says itself who reads";
    EXPECT_EQ(decide_without_place(known(), keys, Unassigned::quarantine, RemovedKey::hold).action, Action::hold);
    EXPECT_EQ(decide(unknown(), keys, {}, Unassigned::quarantine, RemovedKey::hold).action, Action::quarantine);
    EXPECT_EQ(decide(known(), keys, {}, Unassigned::quarantine).action, Action::quarantine) << "as configured";
    EXPECT_EQ(decide(known(), all_keys(), {}, Unassigned::quarantine, RemovedKey::hold).action, Action::seal);
}

TEST(Policy, NamesWhatIsLacking) {
    EXPECT_EQ(decide(known(), all_keys(), {}, Unassigned::quarantine).lack, Lack::none);
    EXPECT_EQ(decide(unknown(), {}, {}, Unassigned::quarantine).lack, Lack::tenant);
    EXPECT_EQ(decide(known(), {}, {}, Unassigned::quarantine).lack, Lack::key);
    EXPECT_EQ(decide(known(), {.held = "broken"}, {}, Unassigned::quarantine).lack, Lack::broken_key);
    EXPECT_EQ(decide(known(), {.operators_held = "broken"}, {}, Unassigned::quarantine).lack, Lack::broken_key);
}

}  // namespace
}  // namespace boatswain::tenancy
