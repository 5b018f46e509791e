#include "boatswaind/key_derivation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>

namespace boatswain::boatswaind {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TenantId named(const std::string& name) { return TenantId::parse(name).value(); }

class KeyDerivationTest : public ::testing::Test {
  protected:
    // The containers that are ready next, in the order in which they became so.
    std::vector<std::string> wait_for(std::size_t containers) {
        std::vector<std::string> all;
        for (int waited = 0; waited < 60'000; ++waited) {
            for (auto& one : deriving.take_ready()) all.push_back(std::move(one));
            if (all.size() >= containers) return all;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        throw std::runtime_error{"only " + std::to_string(all.size()) + " containers became ready"};
    }
    bool knows(const std::string& tenant, const std::string& secret) {
        return keys.recall(named(tenant), {.text = secret, .secret = true, .rule = "secret:env:KEY"}).has_value();
    }

    tenancy::CarriedKeys keys;
    KeyDerivationWorker deriving{keys, [] {}};
};

TEST_F(KeyDerivationTest, NamesTheContainersThatAskedAndNoOthers) {
    deriving.request(named("acme"), "the secret of acme", "web-1");
    deriving.request(named("acme"), "the secret of acme", "web-2");
    deriving.request(named("globex"), "the secret of globex", "tank");
    EXPECT_THAT(wait_for(3), UnorderedElementsAre("web-1", "web-2", "tank"));
    EXPECT_TRUE(knows("acme", "the secret of acme"));
    EXPECT_TRUE(knows("globex", "the secret of globex"));
    EXPECT_THAT(deriving.take_ready(), IsEmpty());
}

TEST_F(KeyDerivationTest, LetsOneTenantWithManySecretsDelayAnotherByOneTurn) {
    for (std::size_t i = 0; i < KeyDerivationWorker::waiting_of_tenant_max; ++i)
        deriving.request(named("many"), "secret number " + std::to_string(i), "many-" + std::to_string(i));
    deriving.request(named("one"), "my only secret", "lone");
    auto order = wait_for(3);
    auto place = std::ranges::find(order, "lone") - order.begin();
    EXPECT_LE(place, 2) << "one may have been under way, one more had its turn";
}

TEST_F(KeyDerivationTest, KeepsOnlySoManySecretsOfATenantAndAsksTheOthersAgain) {
    // More than a tenant may have here, and than it may have remembered: nobody uses the keys, so all get theirs.
    constexpr std::size_t more = 8;
    auto all = KeyDerivationWorker::waiting_of_tenant_max + more;
    auto ask = [&](std::size_t i) {
        deriving.request(named("many"), "secret number " + std::to_string(i), "many-" + std::to_string(i));
    };
    for (std::size_t i = 0; i < all; ++i) ask(i);
    EXPECT_LE(deriving.waiting(), KeyDerivationWorker::waiting_of_tenant_max);
    std::map<std::string, int> named_times;
    for (std::size_t known = 0; known < all;) {
        auto ready = wait_for(1);
        for (const auto& container : ready) {
            ++named_times[container];
            auto number = std::stoul(container.substr(5));
            if (knows("many", "secret number " + std::to_string(number)))
                ++known;
            else
                ask(number);
        }
        EXPECT_LE(deriving.waiting(), KeyDerivationWorker::waiting_of_tenant_max);
    }
    for (const auto& [container, times] : named_times) EXPECT_LE(times, 2) << container;
}

}  // namespace
}  // namespace boatswain::boatswaind
