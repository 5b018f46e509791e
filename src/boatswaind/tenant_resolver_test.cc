#include "boatswaind/tenant_resolver.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "base/directory_for_test.h"

namespace boatswain::boatswaind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Action = tenancy::Decision::Action;

crypto::Recipient recipient(std::uint8_t number) {
    std::array<std::uint8_t, 32> key{};
    key.fill(number);
    return crypto::Recipient{key};
}

class TenantResolverTest : public ::testing::Test {
  protected:
    TenantResolverTest() { std::filesystem::create_directories(keyring); }

    static tenancy::RuleSet rules(const config::Config& config = {}) { return parse_tenancy(config).value(); }
    TenantResolver assigning(tenancy::Unassigned policy = tenancy::Unassigned::quarantine) {
        return assigning_by({}, tenancy::Forged::quarantine, policy);
    }
    TenantResolver carrying(const std::string& rule) {
        config::Config config;
        config.tenancy.recipient = {rule};
        return assigning_by(config, tenancy::Forged::quarantine);
    }
    TenantResolver assigning_by(const config::Config& config, tenancy::Forged forged,
                                tenancy::Unassigned policy = tenancy::Unassigned::quarantine) {
        return {rules(config),
                policy,
                forged,
                keyring,
                directory / "keyring.last",
                static_cast<std::size_t>(config.tenancy.carried_max),
                metrics,
                log,
                clock,
                [this] { ++derived; }};
    }
    void write_key(const std::string& tenant, std::uint8_t number) {
        boatswain::testing::write(keyring / (tenant + ".pub"), recipient(number).str() + "\n");
        std::filesystem::permissions(keyring / (tenant + ".pub"), std::filesystem::perms{0644});
    }
    static SourceFacts container(std::map<std::string, std::string> environment) {
        SourceFacts facts;
        facts.id = std::string(64, 'c');
        facts.name = "web-1";
        facts.environment = std::move(environment);
        return facts;
    }
    std::string logged() { return boatswain::testing::contents(directory / "log"); }
    // The answer when the key that a container carries is derived.
    intake::Assignment settled(TenantResolver& assigning, const SourceFacts& facts) {
        for (int waited = 0; waited < 10'000; ++waited) {
            auto assigned = assigning.assign(facts);
            if (!assigned.soon) return assigned;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        throw std::runtime_error{"no key was derived"};
    }
    double assignments(const std::string& action) {
        return metrics.counter("boatswain_assignments_total", "", {{"action", action}}).value();
    }

    boatswain::testing::TestDirectory directory;
    Path keyring = directory / "keys";
    SimulatedClock clock{*parse_time("2026-11-23T10:00:00Z")};
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    std::atomic<int> derived{0};
};

TEST_F(TenantResolverTest, SealsForTheKeyringsRecipientsOfTheTenant) {
    write_key("acme", 1);
    auto assigning = this->assigning();
    EXPECT_TRUE(assigning.refresh_keys(true));
    EXPECT_EQ(assigning.tenants(), 1U);
    auto assigned = assigning.assign(container({{"BOATSWAIN_TENANT", "acme"}, {"BOATSWAIN_APP", "shop"}}));
    EXPECT_EQ(assigned.decision.action, Action::seal);
    EXPECT_EQ(assigned.whose.tenant.str(), "acme");
    EXPECT_EQ(assigned.whose.app, "shop");
    EXPECT_THAT(assigned.decision.recipients, ElementsAre(recipient(1)));
    EXPECT_EQ(assignments("seal"), 1);
}

TEST_F(TenantResolverTest, FailsClosedWithoutAKey) {
    auto assigning = this->assigning();
    assigning.refresh_keys(true);
    auto unknown = container({{"BOATSWAIN_TENANT", "acme"}});
    auto held = assigning.assign(unknown);
    EXPECT_EQ(held.decision.action, Action::hold) << "the operator has no key either";
    EXPECT_THAT(held.decision.recipients, IsEmpty());
    assigning.change(rules(), tenancy::Unassigned::drop, tenancy::Forged::quarantine);
    EXPECT_EQ(assigning.assign(unknown).decision.action, Action::drop);
    write_key("_unassigned", 9);
    EXPECT_TRUE(assigning.refresh_keys(true));
    assigning.change(rules(), tenancy::Unassigned::quarantine, tenancy::Forged::quarantine);
    auto quarantined = assigning.assign(unknown);
    EXPECT_EQ(quarantined.decision.action, Action::quarantine);
    EXPECT_EQ(quarantined.whose.tenant, TenantId::unassigned()) << "the attribution says whose batch it is in";
    EXPECT_THAT(quarantined.decision.recipients, ElementsAre(recipient(9)));
}

TEST_F(TenantResolverTest, CapsTenantsThatHaveNoKeyFile) {
    write_key("_unassigned", 1);
    write_key("acme", 2);
    config::Config config;
    config.tenancy.recipient = {"env:BOATSWAIN_RECIPIENT"};
    config.tenancy.carried_max = 2;
    auto assigning = assigning_by(config, tenancy::Forged::quarantine);
    assigning.refresh_keys(true);
    auto assign = [&](const std::string& tenant) {
        return assigning.assign(container({{"BOATSWAIN_TENANT", tenant}, {"BOATSWAIN_RECIPIENT", recipient(7).str()}}));
    };
    std::vector<intake::Assignment> there;
    for (const auto* tenant : {"one", "two", "one"}) {
        there.push_back(assign(tenant));
        EXPECT_EQ(there.back().decision.action, Action::seal) << tenant;
    }
    auto over = assign("three");
    EXPECT_EQ(over.decision.action, Action::quarantine);
    EXPECT_EQ(over.whose.tenant, TenantId::unassigned());
    EXPECT_THAT(over.decision.reason, HasSubstr("tenant three"));
    EXPECT_THAT(over.decision.reason, HasSubstr("tenancy.carried_max"));
    EXPECT_THAT(logged(), HasSubstr("too many tenants without a key file"));
    EXPECT_EQ(metrics.gauge("boatswain_carried_tenants", "").value(), 2);
    EXPECT_EQ(metrics.counter("boatswain_carried_over_max_total", "").value(), 1);
    EXPECT_EQ(assign("acme").decision.action, Action::seal) << "it has a key file";
    there.clear();  // the containers are gone
    EXPECT_EQ(assign("three").decision.action, Action::seal);
}

TEST_F(TenantResolverTest, NamesWhoseTenantHadNoPlaceAsSoonAsThereIsOne) {
    write_key("_unassigned", 1);
    config::Config config;
    config.tenancy.recipient = {"env:BOATSWAIN_RECIPIENT"};
    config.tenancy.carried_max = 1;
    auto assigning = assigning_by(config, tenancy::Forged::quarantine);
    assigning.refresh_keys(true);
    auto assign = [&](const std::string& tenant, char id) {
        auto facts = container({{"BOATSWAIN_TENANT", tenant}, {"BOATSWAIN_RECIPIENT", recipient(7).str()}});
        facts.id = std::string(64, id);
        return assigning.assign(facts);
    };
    auto first = std::optional{assign("one", '1')};
    for (char id : {'2', '3'}) EXPECT_EQ(assign("two", id).decision.action, Action::quarantine);
    EXPECT_EQ(assign("three", '4').decision.action, Action::quarantine);
    EXPECT_THAT(assigning.take_ready(), IsEmpty()) << "there is none";
    first.reset();  // its container is gone
    EXPECT_THAT(assigning.take_ready(), ElementsAre(std::string(64, '2'), std::string(64, '3'), std::string(64, '4')));
    EXPECT_EQ(metrics.gauge("boatswain_carried_tenants", "").value(), 0);
    auto second = assign("two", '2'), third = assign("two", '3');
    for (const auto& one : {second, third}) EXPECT_EQ(one.decision.action, Action::seal);
    EXPECT_EQ(assign("three", '4').decision.action, Action::quarantine);
    second = third = {};
    EXPECT_THAT(assigning.take_ready(), ElementsAre(std::string(64, '4'))) << "nobody else waits";
    EXPECT_THAT(assigning.take_ready(), IsEmpty()) << "each is named once";
}

TEST_F(TenantResolverTest, LetsTheKeyringWinOverWhatAContainerCarries) {
    write_key("acme", 1);
    auto assigning = carrying("env:BOATSWAIN_RECIPIENT");
    assigning.refresh_keys(true);
    auto carries = [&](const std::string& tenant) {
        return container({{"BOATSWAIN_TENANT", tenant}, {"BOATSWAIN_RECIPIENT", recipient(7).str()}});
    };
    auto known = assigning.assign(carries("acme"));
    EXPECT_FALSE(known.soon) << "what it carries is not even looked at";
    EXPECT_THAT(known.decision.recipients, ElementsAre(recipient(1)));
    EXPECT_THAT(settled(assigning, carries("globex")).decision.recipients, ElementsAre(recipient(7)));
    auto nobody = assigning.assign(container({{"BOATSWAIN_RECIPIENT", recipient(7).str()}}));
    EXPECT_NE(nobody.decision.action, Action::seal) << "a key without a tenant is nobody's";
}

TEST_F(TenantResolverTest, HoldsAContainerUntilItsKeyIsDerivedAndTellsThen) {
    auto assigning = carrying("secret:env:BOATSWAIN_RECIPIENT");
    assigning.refresh_keys(true);
    auto facts = container({{"BOATSWAIN_TENANT", "acme"}, {"BOATSWAIN_RECIPIENT", "correct horse battery staple"}});
    auto first = assigning.assign(facts);
    EXPECT_TRUE(first.soon);
    EXPECT_EQ(first.decision.action, Action::hold);
    auto later = settled(assigning, facts);
    EXPECT_EQ(later.decision.action, Action::seal);
    EXPECT_EQ(later.decision.recipients.size(), 1U);
    EXPECT_THAT(later.decision.reason, HasSubstr("a key derived from the secret that the container carries"));
    for (int waited = 0; derived == 0 && waited < 10'000; ++waited)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    EXPECT_GE(derived, 1);
    EXPECT_EQ(assigning.assign(facts).decision.recipients, later.decision.recipients) << "from memory";
}

TEST_F(TenantResolverTest, NeverLogsASecretThatAContainerCarries) {
    auto assigning = carrying("secret:env:BOATSWAIN_RECIPIENT");
    assigning.refresh_keys(true);
    auto facts = container({{"BOATSWAIN_TENANT", "acme"}, {"BOATSWAIN_RECIPIENT", "correct horse battery staple"}});
    for (const auto& assigned : {assigning.assign(facts), settled(assigning, facts)}) {
        EXPECT_THAT(assigned.decision.reason, Not(HasSubstr("horse")));
        EXPECT_THAT(assigned.whose.tenant_rule, Not(HasSubstr("horse")));
    }
    EXPECT_THAT(logged(), Not(HasSubstr("horse")));
}

TEST_F(TenantResolverTest, TakesASecretOnlyWhereTheRuleSaysSoAndSaysOnceWhatToChange) {
    write_key("_unassigned", 9);
    auto assigning = carrying("env:BOATSWAIN_RECIPIENT");
    assigning.refresh_keys(true);
    for (const auto* text : {"correct horse battery staple", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "${KEY_OF_ACME}"})
        for (int again = 0; again < 2; ++again) {
            auto assigned = assigning.assign(container({{"BOATSWAIN_TENANT", "acme"}, {"BOATSWAIN_RECIPIENT", text}}));
            EXPECT_FALSE(assigned.soon) << "nothing is derived from " << text;
            EXPECT_EQ(assigned.decision.action, Action::quarantine) << text;
            EXPECT_THAT(assigned.decision.recipients, ElementsAre(recipient(9))) << text;
            EXPECT_THAT(assigned.decision.reason, Not(HasSubstr(text)));
        }
    auto lines = logged();
    auto first = lines.find("write secret:env:BOATSWAIN_RECIPIENT");
    ASSERT_NE(first, lines.npos) << lines;
    EXPECT_EQ(lines.find("write secret:env:BOATSWAIN_RECIPIENT", first + 1), lines.npos) << "said once";
    auto assigned = assigning.assign(
        container({{"BOATSWAIN_TENANT", "acme"}, {"BOATSWAIN_RECIPIENT", "correct horse battery staple"}}));
    EXPECT_THAT(assigned.decision.reason, HasSubstr("\"secret:env:BOATSWAIN_RECIPIENT\"")) << "what to change";
}

TEST_F(TenantResolverTest, SaysThatACarriedKeyIsNotReadByDefault) {
    write_key("_unassigned", 9);
    auto assigning = this->assigning();
    assigning.refresh_keys(true);
    EXPECT_FALSE(assigning.keeps("BOATSWAIN_RECIPIENT"));
    EXPECT_FALSE(assigning.keeps("BOATSWAIN_RECIPIENT"));
    auto lines = logged();
    auto first = lines.find("no rule of tenancy.recipient");
    ASSERT_NE(first, lines.npos) << lines;
    EXPECT_EQ(lines.find("no rule of tenancy.recipient", first + 1), lines.npos) << "said once";
    auto assigned = assigning.assign(container({{"BOATSWAIN_TENANT", "acme"}}));
    EXPECT_THAT(assigned.decision.reason, HasSubstr("tenancy.recipient has no rule"));
}

TEST_F(TenantResolverTest, AdvisesWhoeverReliedOnTextBeingTakenForASecret) {
    config::Config config;
    EXPECT_THAT(advice_on_recipients(config, rules(config)), ElementsAre(HasSubstr("empty by default")));
    config.origins["tenancy.recipient"] = "boatswain.toml:7";
    EXPECT_THAT(advice_on_recipients(config, rules(config)), IsEmpty()) << "it was meant to be empty";
    config.tenancy.recipient = {"env:KEY", "secret:label:key"};
    EXPECT_THAT(advice_on_recipients(config, rules(config)), ElementsAre(HasSubstr("write \"secret:env:KEY\"")));
}

TEST_F(TenantResolverTest, SaysThatTheQuotesOfASecretArePartOfIt) {
    auto assigning = carrying("secret:env:KEY");
    assigning.refresh_keys(true);
    auto quoted = settled(assigning, container({{"BOATSWAIN_TENANT", "acme"}, {"KEY", "\"correct horse\""}}));
    EXPECT_THAT(quoted.decision.reason, HasSubstr("the quotes around it are part of it"));
}

TEST_F(TenantResolverTest, TellsWhenKeysChangedAndKeepsThoseThatWereUnderstood) {
    write_key("acme", 1);
    auto assigning = this->assigning();
    EXPECT_TRUE(assigning.refresh_keys(true));
    EXPECT_FALSE(assigning.refresh_keys(true)) << "read again, and the same";
    EXPECT_FALSE(assigning.refresh_keys(false));
    write_key("globex", 2);
    EXPECT_TRUE(assigning.refresh_keys(true));
    EXPECT_EQ(assigning.tenants(), 2U);
    boatswain::testing::write(keyring / "hooli.pub", "age1nonsense\n");
    std::filesystem::permissions(keyring / "hooli.pub", std::filesystem::perms{0644});
    assigning.refresh_keys(true);
    EXPECT_EQ(metrics.counter("boatswain_keyring_problems_total", "").value(), 1);
    EXPECT_THAT(logged(), HasSubstr("hooli"));
    EXPECT_EQ(assigning.assign(container({{"BOATSWAIN_TENANT", "globex"}})).decision.action, Action::seal);
}

// Attack of old: a mistyped acme.pub and a restart gave acme's lines to the operator.
TEST_F(TenantResolverTest, HoldsATenantWhoseKeyFileIsBrokenAndSealsForTheLastGoodKeyAfterARestart) {
    write_key("_unassigned", 9);
    write_key("globex", 2);
    boatswain::testing::write(keyring / "acme.pub", "age1typo\n");
    auto of = [&](const std::string& tenant) { return container({{"BOATSWAIN_TENANT", tenant}}); };
    {
        auto assigning = this->assigning(tenancy::Unassigned::drop);
        assigning.refresh_keys(true);
        auto held = assigning.assign(of("acme"));
        EXPECT_EQ(held.decision.action, Action::hold) << "neither dropped nor the operator's";
        EXPECT_THAT(held.decision.reason, HasSubstr("acme.pub is broken (line 1: not an age recipient"));
        EXPECT_EQ(held.whose.tenant.str(), "acme");
        EXPECT_THAT(assigning.key_troubles(), ElementsAre(HasSubstr("acme.pub: line 1: ")));
        EXPECT_EQ(assigning.assign(of("globex")).decision.action, Action::seal) << "nobody else is held";
        write_key("acme", 1);
        EXPECT_TRUE(assigning.refresh_keys(false));
        EXPECT_EQ(assigning.assign(of("acme")).decision.action, Action::seal);
        EXPECT_THAT(assigning.key_troubles(), IsEmpty());
    }
    boatswain::testing::write(keyring / "acme.pub", "age1typo\n");
    auto assigning = this->assigning();
    assigning.refresh_keys(true);
    auto sealed = assigning.assign(of("acme"));
    EXPECT_EQ(sealed.decision.action, Action::seal);
    EXPECT_THAT(sealed.decision.recipients, ElementsAre(recipient(1)));
    EXPECT_THAT(assigning.key_troubles(), ElementsAre(HasSubstr("what it said before stays in force")));
}

// Attack of old: `rsync --delete` from a wrong directory handed every tenant's running lines to the operator.
TEST_F(TenantResolverTest, HoldsWhoseKeyFileWasRemovedOverARestartForAsLongAsIsSet) {
    write_key("_unassigned", 9);
    write_key("acme", 1);
    write_key("globex", 2);
    auto of = [&](const std::string& tenant) { return container({{"BOATSWAIN_TENANT", tenant}}); };
    {
        auto assigning = this->assigning();
        assigning.refresh_keys(true);
        std::filesystem::remove(keyring / "acme.pub");
        EXPECT_TRUE(assigning.refresh_keys(false));
        EXPECT_EQ(assigning.assign(of("acme")).decision.action, Action::hold);
        EXPECT_THAT(assigning.removed_keys(), ElementsAre(HasSubstr("acme.pub was removed from the keyring")));
        EXPECT_THAT(logged(), HasSubstr("a key file was removed"));
        EXPECT_EQ(metrics.gauge("boatswain_keyring_removed_tenants", "").value(), 1);
    }
    auto assigning = this->assigning(tenancy::Unassigned::drop);
    assigning.treat_removed({.hold_max = std::chrono::hours{2}});
    assigning.refresh_keys(true);
    auto held = assigning.assign(of("acme"));
    EXPECT_EQ(held.decision.action, Action::hold);
    EXPECT_EQ(held.whose.tenant.str(), "acme");
    EXPECT_EQ(assigning.assign(of("globex")).decision.action, Action::seal) << "nobody else is held";
    clock.advance(std::chrono::hours{2});
    EXPECT_TRUE(assigning.refresh_keys(false)) << "all are assigned again";
    EXPECT_FALSE(assigning.refresh_keys(false));
    EXPECT_EQ(assigning.assign(of("acme")).decision.action, Action::drop);
    EXPECT_THAT(assigning.removed_keys(), ElementsAre(HasSubstr("tenancy.removed_key_hold is over")));

    assigning.treat_removed({.hold = false});
    assigning.refresh_keys(true);
    EXPECT_THAT(assigning.removed_keys(), IsEmpty());
    EXPECT_EQ(assigning.assign(of("acme")).decision.lack, tenancy::Lack::key) << "as tenancy.unassigned says";

    assigning.treat_removed({});
    write_key("acme", 3);
    EXPECT_TRUE(assigning.refresh_keys(false));
    EXPECT_THAT(assigning.assign(of("acme")).decision.recipients, ElementsAre(recipient(3)));
    std::filesystem::rename(keyring / "acme.pub", keyring / "acme.gone");
    EXPECT_TRUE(assigning.refresh_keys(false));
    EXPECT_EQ(assigning.assign(of("acme")).decision.lack, tenancy::Lack::key) << "gone on purpose";
    EXPECT_EQ(metrics.gauge("boatswain_keyring_removed_tenants", "").value(), 0);
}

TEST_F(TenantResolverTest, SaysOnceThatTheKeyringCannotBeReadAndHolds) {
    std::filesystem::remove_all(keyring);
    auto assigning = this->assigning(tenancy::Unassigned::drop);
    for (int seconds = 0; seconds < 5; ++seconds) assigning.refresh_keys(false);
    auto lines = logged();
    auto first = lines.find("keyring not read");
    ASSERT_NE(first, lines.npos);
    EXPECT_EQ(lines.find("keyring not read", first + 1), lines.npos) << "said once";
    EXPECT_EQ(assigning.assign(container({{"BOATSWAIN_TENANT", "acme"}})).decision.action, Action::hold)
        << "its key may be there";
}

TEST_F(TenantResolverTest, KeepsItsKeysWhenTheKeyringCannotBeRead) {
    write_key("acme", 1);
    auto assigning = this->assigning();
    assigning.refresh_keys(true);
    std::filesystem::rename(keyring, directory / "away");
    boatswain::testing::write(keyring, "a file now");
    assigning.refresh_keys(true);
    EXPECT_EQ(assigning.assign(container({{"BOATSWAIN_TENANT", "acme"}})).decision.action, Action::seal);
}

TEST_F(TenantResolverTest, KeepsOnlyTheEnvironmentThatRulesRead) {
    auto assigning = this->assigning();
    EXPECT_TRUE(assigning.keeps("BOATSWAIN_TENANT"));
    EXPECT_TRUE(assigning.keeps("MARATHON_APP_ID"));
    EXPECT_FALSE(assigning.keeps("DATABASE_PASSWORD"));
    config::Config other;
    other.tenancy.tenant = {"env:TEAM"};
    assigning.change(rules(other), tenancy::Unassigned::drop, tenancy::Forged::quarantine);
    EXPECT_TRUE(assigning.keeps("TEAM"));
    EXPECT_FALSE(assigning.keeps("BOATSWAIN_TENANT"));
}

// A task of acme's that claims to be globex's.
SourceFacts forged_task() {
    SourceFacts facts;
    facts.id = std::string(64, 'f');
    facts.name = "mesos-2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8";
    facts.environment = {{"MARATHON_APP_ID", "/globex/shop/web"}, {"MARATHON_APP_LABEL_TENANT", "globex"}};
    facts.attributes = tenancy::sandbox_attributes(
        {{"/var/lib/mesos/slaves/S1/frameworks/F/executors/acme_shop_web.5f0c9a1e-1234-11ee-8c99-0242ac120002/runs/C",
          "/mnt/mesos/sandbox"}},
        tenancy::read_link);
    return facts;
}

TEST_F(TenantResolverTest, QuarantinesATaskThatClaimsToBeAnotherEvenWhereLinesOfNobodyAreDropped) {
    write_key("globex", 1);
    write_key("_unassigned", 9);
    auto assigning = assigning_by({}, tenancy::Forged::quarantine, tenancy::Unassigned::drop);
    assigning.refresh_keys(true);
    for (int again = 0; again < 2; ++again) {
        auto assigned = assigning.assign(forged_task());
        EXPECT_EQ(assigned.decision.action, Action::quarantine);
        EXPECT_THAT(assigned.decision.recipients, ElementsAre(recipient(9)));
        EXPECT_THAT(assigned.decision.reason,
                    HasSubstr("env MARATHON_APP_ID contradicts the path of its Mesos sandbox"));
        EXPECT_EQ(assigned.whose.tenant, TenantId::unassigned());
    }
    EXPECT_EQ(metrics.counter("boatswain_forged_identities_total", "", {{"ruled", "quarantine"}}).value(), 1)
        << "a container is counted once";
    EXPECT_THAT(logged(), HasSubstr("env MARATHON_APP_ID"));
    EXPECT_THAT(logged(), Not(HasSubstr("globex/shop"))) << "names of variables, never what they hold";
    EXPECT_EQ(assigning.assign(container({{"MARATHON_APP_LABEL_TENANT", "globex"}})).decision.action, Action::seal)
        << "who cannot be contradicted is believed, as before";
}

TEST_F(TenantResolverTest, TakesAForgedTaskForWhatItsSandboxSaysWhereTheEnvironmentIsIgnored) {
    write_key("acme", 1);
    write_key("globex", 2);
    config::Config config;
    config.tenancy.tenant = {"env:MARATHON_APP_LABEL_TENANT", "mesos"};
    auto assigning = assigning_by(config, tenancy::Forged::ignore_env);
    assigning.refresh_keys(true);
    auto assigned = assigning.assign(forged_task());
    EXPECT_EQ(assigned.whose.tenant.str(), "acme");
    EXPECT_THAT(assigned.decision.reason, HasSubstr("tenancy.forged is ignore-env"));
    assigning.change(rules(config), tenancy::Unassigned::quarantine, tenancy::Forged::trust_env);
    assigned = assigning.assign(forged_task());
    EXPECT_EQ(assigned.whose.tenant.str(), "globex");
    EXPECT_THAT(assigned.decision.reason, HasSubstr("tenancy.forged is trust-env"));
}

TEST_F(TenantResolverTest, FollowsTheLinkThatAnAgentBindsForAPathWithAColon) {
    write_key("acme", 1);
    auto links = directory / "slaves/S1/docker/links";
    std::filesystem::create_directories(links);
    std::filesystem::create_symlink(
        (directory / "slaves/S1/frameworks/F:1/executors/acme_web.5f0c9a1e-1234-11ee-8c99-0242ac120002/runs/C")
            .string(),
        links / "C");
    config::Config config;
    config.tenancy.tenant = {"mesos"};
    auto assigning = assigning_by(config, tenancy::Forged::quarantine);
    assigning.refresh_keys(true);
    SourceFacts facts = container({});
    facts.attributes =
        tenancy::sandbox_attributes({{(links / "C").string(), "/mnt/mesos/sandbox"}}, tenancy::read_link);
    EXPECT_EQ(assigning.assign(facts).whose.tenant.str(), "acme");
}

TEST_F(TenantResolverTest, RefusesAnotherKeyringWithoutARestartAndSaysWhy) {
    auto assigning = this->assigning();
    config::Config fresh;
    fresh.tenancy.keyring = keyring;
    EXPECT_TRUE(check_keyring_stays(assigning, fresh));
    fresh.tenancy.keyring = "/etc/boatswain/other-keys";
    auto refused = check_keyring_stays(assigning, fresh);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("tenancy.keyring is /etc/boatswain/other-keys now"));
}

TEST_F(TenantResolverTest, CountsNoContainerInAShareThatItsImageAloneNames) {
    using Starter = intake::Starter;
    write_key("globex", 2);
    auto assigning = carrying("env:KEY");
    assigning.refresh_keys(true);
    auto by_image = container({{"BOATSWAIN_TENANT", "globex"}});
    EXPECT_EQ(assigning.share_of(by_image), "globex");
    Starter answer{.is = Starter::Is::asked, .facts = {}, .why = {}};
    assigning.ask_images([&](const SourceFacts&) { return answer; });
    EXPECT_EQ(assigning.share_of(by_image), std::nullopt);
    answer = Starter{.facts = container({}), .why = {}};
    EXPECT_EQ(assigning.share_of(by_image), "");
    answer = Starter{.facts = by_image, .why = {}};
    EXPECT_EQ(assigning.share_of(by_image), "globex");
    assigning.trust_images(true);
    EXPECT_EQ(assigning.share_of(by_image), "globex");
}

TEST_F(TenantResolverTest, TakesTheStartersWordForTenantAndKeyAndWaitsUntilItIsKnown) {
    using docker_starter = intake::Starter;
    write_key("globex", 2);
    write_key("acme", 1);
    write_key("_unassigned", 9);
    auto assigning = carrying("env:KEY");
    assigning.refresh_keys(true);
    auto by_image = container({{"BOATSWAIN_TENANT", "globex"}, {"KEY", recipient(7).str()}});
    auto answer = docker_starter{.is = docker_starter::Is::asked, .facts = {}, .why = "the engine is being asked"};
    int asked = 0;
    assigning.ask_images([&](const SourceFacts&) { return ++asked, answer; });

    auto assigned = assigning.assign(by_image);
    EXPECT_EQ(assigned.decision.action, Action::hold);
    EXPECT_TRUE(assigned.soon);
    answer.is = docker_starter::Is::held;
    answer.why = "the engine refuses";
    assigned = assigning.assign(by_image);
    EXPECT_EQ(assigned.decision.action, Action::hold);
    EXPECT_FALSE(assigned.soon);
    EXPECT_THAT(assigned.decision.reason, HasSubstr("the engine refuses"));

    answer = docker_starter{.facts = container({}), .why = {}};
    assigned = assigning.assign(by_image);
    EXPECT_EQ(assigned.decision.action, Action::quarantine) << "its image is not globex";
    EXPECT_THAT(assigned.decision.reason, HasSubstr("env:BOATSWAIN_TENANT is set by the image"));
    answer.facts.labels["boatswain.tenant"] = "acme";
    by_image.labels["boatswain.tenant"] = "acme";
    EXPECT_EQ(assigning.assign(by_image).whose.tenant.str(), "acme");
    answer.facts.labels["boatswain.tenant"] = "hooli";
    by_image.labels["boatswain.tenant"] = "hooli";
    EXPECT_EQ(assigning.assign(by_image).decision.action, Action::quarantine) << "nor is the image's key hooli's";

    assigning.change(rules(), tenancy::Unassigned::drop, tenancy::Forged::quarantine);
    answer = docker_starter{.facts = container({}), .why = "its image is gone"};
    EXPECT_EQ(assigning.assign(by_image).decision.action, Action::quarantine) << "it may have a tenant: never dropped";

    assigning.change(rules(), tenancy::Unassigned::quarantine, tenancy::Forged::quarantine);
    auto before = asked;
    EXPECT_EQ(assigning.assign(container({})).decision.action, Action::quarantine);
    EXPECT_EQ(asked, before) << "nobody said anything that counts";
    assigning.trust_images(true);
    by_image.labels.clear();
    EXPECT_EQ(assigning.assign(by_image).whose.tenant.str(), "globex");
}

TEST_F(TenantResolverTest, NamesTheRuleThatIsWrong) {
    config::Config wrong;
    wrong.tenancy.tenant = {"evn:TENANT"};
    auto parsed = parse_tenancy(wrong);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().remedy, Remedy::stop);
    EXPECT_THAT(parsed.error().what, HasSubstr("evn:TENANT"));
}

}  // namespace
}  // namespace boatswain::boatswaind
