#include "canary/canary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/rig_for_test.h"
#include "ship/shipper.h"
#include "store/faulty.h"
#include "store/store.h"

namespace boatswain::canary {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
constexpr auto patience = 60s;

// A store that says yes and keeps nothing.
class Liar final : public store::Store {
  public:
    Result<store::PutOutcome> put(std::string_view, std::string_view, std::string_view) override {
        return store::PutOutcome::created;
    }
    Result<void> replace(std::string_view, std::string_view, std::string_view) override { return {}; }
    Result<store::RangeBytes> read(std::string_view, store::Range) override { return nothing(); }
    Result<std::string> read(std::string_view) override { return nothing(); }
    Result<store::ListPage> list(std::string_view, bool, const std::optional<std::string>&) override {
        return store::ListPage{};
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "liar"; }

  private:
    static std::unexpected<Error> nothing() { return fail(Remedy::re_resolve, "read: nothing is there"); }
};

class CanaryTest : public ::testing::Test {
  protected:
    ~CanaryTest() override { stop(); }
    void start(store::Store& store) {
        canary.emplace(Options{.print_pause = 0ms, .look_pause = 5ms, .trouble_pause = 5ms}, *rig.batcher, *rig.spool,
                       store, clock, rig.metrics, rig.log);
        sealed.emplace(
            rig.sealing->sealed().watch([this](const segment::SealedSegment& segment) { canary->sealed(segment); }));
        shipper.emplace(ship::Options{.uploads = 1, .wait_min = 1ms, .wait_max = 5ms}, *rig.spool, store, clock,
                        rig.metrics, rig.log);
    }
    void stop() {
        if (!canary) return;
        canary->finish();
        rig.seal_all();
        sealed.reset();
        canary.reset();
        shipper.reset();
    }
    void print(int lines) {
        for (int i = 0; i < lines; ++i) canary->tick();
        ASSERT_TRUE(rig.seal_all());
    }
    bool wait_for(auto condition) {
        auto end = std::chrono::steady_clock::now() + patience;
        while (!condition(canary->standing()) && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(5ms);
        return condition(canary->standing());
    }
    double counted(const std::string& outcome) {
        return rig.metrics.counter("boatswain_canary_lines_total", "", {{"outcome", outcome}}).value();
    }

    batch::testing::Rig rig;
    SystemClock clock;
    std::unique_ptr<store::Store> directory =
        std::move(*store::open_store("dir:" + (rig.directory / "store").string(), clock));
    std::optional<Canary> canary;
    std::optional<batch::Sealing::SealedObservers::Watch> sealed;
    std::optional<ship::Shipper> shipper;
};

TEST_F(CanaryTest, FindsEveryLineInAStoreThatKeepsThem) {
    start(*directory);
    print(3);
    print(4);
    ASSERT_TRUE(wait_for([](const auto& now) { return now.verified == 7; }));
    EXPECT_EQ(canary->standing().printed, 7U);
    EXPECT_EQ(canary->standing().lost, 0U);
    EXPECT_GT(canary->standing().delay, 0ns);
    EXPECT_EQ(canary->trouble(), std::nullopt);
    EXPECT_EQ(counted("verified"), 7);
}

TEST_F(CanaryTest, NoticesAStoreThatAcknowledgesAndKeepsNothing) {
    Liar liar;
    start(liar);
    print(5);
    ASSERT_TRUE(wait_for([](const auto& now) { return now.lost == 5; }));
    EXPECT_EQ(canary->standing().verified, 0U);
    EXPECT_THAT(canary->trouble().value(), HasSubstr("lost 5 lines"));
    EXPECT_THAT(canary->trouble().value(), HasSubstr("tenant=_canary"));
    EXPECT_EQ(counted("lost"), 5);
    stop();  // before the store that it asks is gone
}

TEST_F(CanaryTest, NoticesAnObjectThatWasChangedInTheStore) {
    store::FaultyStore faulty{*directory};
    faulty.on_every_call(store::Operation::read, {.error = Error{Remedy::back_off, "not now"}});
    start(faulty);
    print(2);
    auto end = std::chrono::steady_clock::now() + patience;
    while (rig.spool->count() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    int changed = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{rig.directory / "store"}) {
        if (entry.path().extension() != ".age") continue;
        auto bytes = boatswain::testing::contents(entry.path());
        bytes.back() ^= 1;
        std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
        boatswain::testing::write(entry.path(), bytes);
        ++changed;
    }
    ASSERT_EQ(changed, 1);
    EXPECT_EQ(canary->standing().lost, 0U);
    faulty.heal();
    EXPECT_TRUE(wait_for([](const auto& now) { return now.lost == 2; }));
    stop();  // before the store that it asks is gone
}

TEST_F(CanaryTest, WaitsForAStoreThatCannotBeAskedAndCallsNothingLost) {
    store::FaultyStore faulty{*directory};
    faulty.on_every_call(store::Operation::read, {.error = Error{Remedy::back_off, "nobody there"}});
    start(faulty);
    print(4);
    auto end = std::chrono::steady_clock::now() + patience;
    while (faulty.calls(store::Operation::read) < 3 && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(5ms);
    EXPECT_EQ(canary->standing().verified + canary->standing().lost, 0U);
    faulty.heal();
    EXPECT_TRUE(wait_for([](const auto& now) { return now.verified == 4 && now.lost == 0; }));
    stop();  // before the store that it asks is gone
}

TEST_F(CanaryTest, GoesOnCountingAfterARestart) {
    start(*directory);
    print(3);
    ASSERT_TRUE(wait_for([](const auto& now) { return now.verified == 3; }));
    stop();
    rig.restart();
    start(*directory);
    print(2);
    EXPECT_TRUE(wait_for([](const auto& now) { return now.verified == 2; }));
    EXPECT_EQ(rig.spool->checkpoint("canary").value().lines, 5U);
}

}  // namespace
}  // namespace boatswain::canary
