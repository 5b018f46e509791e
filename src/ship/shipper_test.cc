#include "ship/shipper.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <thread>

#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/sqlite.h"
#include "store/directory.h"
#include "store/faulty.h"

namespace boatswain::ship {
namespace {

using namespace std::chrono_literals;
using boatswain::testing::contents;
using boatswain::testing::names_in;
using store::Fault;
using store::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Remembers what was put, and fails for one tenant when told to.
class WatchedStore final : public store::Store {
  public:
    explicit WatchedStore(store::Store& under) : under_(under) {}

    void fail_for(std::string tenant, Error error) {
        std::scoped_lock lock{mutex_};
        failing_ = std::move(tenant);
        error_ = std::move(error);
    }
    void heal() { fail_for("", {}); }
    std::vector<std::string> offered() {
        std::scoped_lock lock{mutex_};
        return offered_;
    }
    unsigned most_of_one_tenant() {
        std::scoped_lock lock{mutex_};
        return most_of_one_tenant_;
    }
    std::size_t count(std::string_view tenant) {
        return static_cast<std::size_t>(
            std::ranges::count_if(offered(), [&](const auto& key) { return key.contains(tenant); }));
    }

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        auto tenant = segment::parse_object_key(key)->tenant.str();
        {
            std::scoped_lock lock{mutex_};
            offered_.emplace_back(key);
            most_of_one_tenant_ = std::max(most_of_one_tenant_, ++under_way_[tenant]);
        }
        auto failing = [&] {
            std::scoped_lock lock{mutex_};
            return tenant == failing_;
        }();
        auto outcome = failing ? Result<store::PutOutcome>{std::unexpected(error_)} : under_.put(key, bytes, sha256);
        std::scoped_lock lock{mutex_};
        --under_way_[tenant];
        return outcome;
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        return under_.replace(key, bytes, sha256);
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        return under_.read(key, range);
    }
    Result<std::string> read(std::string_view key) override { return under_.read(key); }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        return under_.list(prefix, delimited, next);
    }
    Result<void> probe() override { return under_.probe(); }
    std::string describe() const override { return "watched " + under_.describe(); }

  private:
    store::Store& under_;
    std::mutex mutex_;
    std::string failing_;
    Error error_;
    std::vector<std::string> offered_;
    std::map<std::string, unsigned> under_way_;
    unsigned most_of_one_tenant_ = 0;
};

class ShipperTest : public ::testing::Test {
  protected:
    ShipperTest()
        : spool(std::move(
              *spool::Spool::open({.state_dir = directory / "state", .host = "node-7"}, clock, log, metrics))) {}
    ~ShipperTest() override { shipper.reset(); }

    void start(unsigned uploads = 2) {
        shipper = std::make_unique<Shipper>(Options{.uploads = uploads, .wait_min = 5ms, .wait_max = 40ms}, *spool,
                                            watched, clock, metrics, log);
    }
    segment::ObjectKey add(const std::string& tenant, std::size_t bytes = 100) {
        auto segment = spool::next_segment(*spool, tenant, bytes);
        EXPECT_TRUE(spool->add(segment, {}));
        return segment.key;
    }
    bool drained() { return shipper->drain(clock.steady() + 30s); }
    static bool comes_true(const std::function<bool()>& condition) {
        for (int waited = 0; waited < 30'000; ++waited) {
            if (condition()) return true;
            std::this_thread::sleep_for(1ms);
        }
        return false;
    }
    double uploads(const std::string& outcome) {
        return metrics.counter("boatswain_uploads_total", "", {{"outcome", outcome}}).value();
    }

    boatswain::testing::TestDirectory directory;
    SystemClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    std::unique_ptr<spool::Spool> spool;
    store::DirectoryStore rest{directory / "store"};
    store::FaultyStore faulty{rest};
    WatchedStore watched{faulty};
    std::unique_ptr<Shipper> shipper;
};

TEST_F(ShipperTest, StoresEachSegmentUnderItsKeyAndReleasesIt) {
    auto first = add("acme", 1000), second = add("globex", 2000);
    start();
    ASSERT_TRUE(drained());
    EXPECT_EQ(rest.read(first.str())->size(), 1000U);
    EXPECT_EQ(rest.read(second.str())->size(), 2000U);
    EXPECT_EQ(spool->count(), 0U);
    EXPECT_EQ(uploads("created"), 2);
    EXPECT_EQ(shipper->totals().segments, 2U);
    EXPECT_EQ(shipper->totals().bytes, 3000U);
    EXPECT_EQ(metrics.counter("boatswain_stored_bytes_total", "", {{"tenant", "globex"}}).value(), 2000);
    EXPECT_EQ(shipper->trouble(), std::nullopt);
    auto later = add("acme");
    ASSERT_TRUE(drained());
    EXPECT_TRUE(rest.read(later.str())) << "it goes on waiting for more";
}

TEST_F(ShipperTest, FindsItsOwnObjectThereWhenAnAnswerWasLost) {
    faulty.on_call(
        Operation::put, 1,
        {.when = Fault::When::after, .error = Error{.remedy = Remedy::back_off, .what = "the answer was lost"}});
    auto key = add("acme");
    start();
    ASSERT_TRUE(drained());
    EXPECT_EQ(faulty.calls(Operation::put), 2U);
    EXPECT_EQ(uploads("already_there"), 1);
    EXPECT_EQ(uploads("created"), 0);
    EXPECT_EQ(shipper->totals().segments, 1U);
    EXPECT_EQ(shipper->totals().put_requests, 2U) << "both cost money";
    EXPECT_EQ(metrics.counter("boatswain_put_requests_total", "", {{"tenant", "acme"}}).value(), 2);
    EXPECT_TRUE(rest.read(key.str()));
    EXPECT_EQ(shipper->trouble(), std::nullopt);
}

TEST_F(ShipperTest, TriesForEverWhateverTheStoreSays) {
    for (auto remedy : {Remedy::back_off, Remedy::retry, Remedy::stop, Remedy::re_resolve}) {
        faulty.on_every_call(Operation::put, {.error = Error{.remedy = remedy, .what = "no such bucket"}});
        auto calls = faulty.calls(Operation::put);
        auto key = add("acme");
        start();
        ASSERT_TRUE(comes_true([&] { return faulty.calls(Operation::put) > calls + 8; }));
        ASSERT_TRUE(shipper->trouble());
        EXPECT_THAT(*shipper->trouble(), HasSubstr("no such bucket"));
        EXPECT_EQ(spool->count(), 1U) << "nothing is discarded";
        faulty.heal();
        ASSERT_TRUE(drained());
        EXPECT_TRUE(rest.read(key.str()));
        EXPECT_TRUE(comes_true([&] { return !shipper->trouble(); }));
    }
    EXPECT_GT(uploads("failed"), 30);
}

TEST_F(ShipperTest, WaitsLongerAfterEachFailureUpToABound) {
    faulty.on_every_call(Operation::put, {.error = Error{.remedy = Remedy::back_off, .what = "503"}});
    add("acme");
    start();
    std::this_thread::sleep_for(400ms);
    auto calls = faulty.calls(Operation::put);
    EXPECT_GT(calls, 5U);
    EXPECT_LT(calls, 40U) << "5 + 10 + 20 + 40 + 40 ... ms, each cut by up to a half";
}

TEST_F(ShipperTest, PutsASegmentWhoseKeyHoldsOtherBytesUnderTheSecondForm) {
    auto segment = spool::next_segment(*spool, "acme", 100);
    ASSERT_TRUE(rest.put(segment.key.str(), "something else", ""));
    ASSERT_TRUE(spool->add(segment, {}));
    auto next = spool::next_segment(*spool, "acme", 100);
    ASSERT_TRUE(spool->add(next, {}));
    start();
    ASSERT_TRUE(drained());
    EXPECT_EQ(*rest.read(segment.key.str()), "something else") << "nothing is overwritten";
    EXPECT_EQ(rest.read(segment.key.second_form(segment.sha256).str()), segment.bytes);
    EXPECT_EQ(rest.read(next.key.second_form(next.sha256).str()), next.bytes) << "what is behind it, too";
    EXPECT_EQ(uploads("conflict"), 1);
    EXPECT_EQ(uploads("created"), 2);
    EXPECT_EQ(spool->conflicts().size(), 1U);
}

TEST_F(ShipperTest, SetsAsideWhatTheStoreHoldsOtherBytesOfUnderBothForms) {
    auto segment = spool::next_segment(*spool, "acme", 100);
    ASSERT_TRUE(rest.put(segment.key.str(), "something else", ""));
    ASSERT_TRUE(rest.put(segment.key.second_form(segment.sha256).str(), "something else", ""));
    ASSERT_TRUE(spool->add(segment, {}));
    auto next = add("globex");
    start();
    ASSERT_TRUE(drained());
    EXPECT_TRUE(rest.read(next.str()));
    ASSERT_EQ(spool->aside().size(), 1U);
    EXPECT_THAT(spool->aside()[0].reason, HasSubstr("under both forms of its key"));
}

TEST_F(ShipperTest, SetsAsideASegmentThatFailsAgainAndAgainWhileOthersAreStored) {
    watched.fail_for("acme", {.remedy = Remedy::stop, .what = "400 InvalidRequest"});
    add("acme"), add("acme");
    start(1);
    ASSERT_TRUE(comes_true([&] {
        add("globex");
        std::this_thread::sleep_for(5ms);
        return spool->aside_totals().refused > 0;
    }));
    EXPECT_EQ(spool->aside()[0].reason, "400 InvalidRequest");
    auto offered = watched.count("acme");
    ASSERT_TRUE(comes_true([&] {
        add("globex");
        std::this_thread::sleep_for(5ms);
        return watched.count("acme") > offered + 2 * failures_alone_max;
    }));
    EXPECT_EQ(spool->aside_totals().refused, 1U) << "a tenant that is refused as a whole waits";
    watched.heal();
    ASSERT_TRUE(drained());
    EXPECT_EQ(spool->offer_again(), 1U);
    EXPECT_TRUE(comes_true([&] { return spool->aside_totals().refused == 0; }));
}

TEST_F(ShipperTest, PutsAsideWhatTheDiskHasLost) {
    add("acme");
    auto bent = add("acme"), sound = add("acme");
    std::filesystem::remove(directory / "state/spool/1.age");
    auto bytes = contents(directory / "state/spool/2.age");
    bytes[50] ^= 1;
    boatswain::testing::write(directory / "state/spool/2.age", bytes);
    start();
    ASSERT_TRUE(drained());
    EXPECT_FALSE(rest.read(bent.str())) << "no store gets bytes that were not sealed";
    EXPECT_TRUE(rest.read(sound.str())) << "and the tenant's next segment is not held up";
    EXPECT_EQ(uploads("damaged"), 2);
    EXPECT_THAT(names_in(directory / "state/spool/quarantine"), ElementsAre("2.age"));
}

TEST_F(ShipperTest, KeepsTheOrderOfEachTenantOverFailures) {
    for (std::uint64_t nth : {1U, 2U, 5U, 6U, 9U, 14U})
        faulty.on_call(Operation::put, nth, {.error = Error{.remedy = Remedy::back_off, .what = "503"}});
    for (int i = 0; i < 8; ++i)
        for (auto tenant : {"acme", "globex"}) add(tenant);
    start(4);
    ASSERT_TRUE(drained());
    std::map<std::string, std::uint64_t> last;
    for (const auto& offered : watched.offered()) {
        auto key = *segment::parse_object_key(offered);
        auto& before = last[key.tenant.str()];
        EXPECT_TRUE(key.sequence == before || key.sequence == before + 1) << offered;
        before = key.sequence;
    }
    EXPECT_EQ(last["acme"], 8U);
    EXPECT_EQ(last["globex"], 8U);
    EXPECT_EQ(watched.most_of_one_tenant(), 1U) << "at most one upload of each tenant at once";
}

TEST_F(ShipperTest, DoesNotHoldUpATenantForAnothersTrouble) {
    watched.fail_for("acme", {.remedy = Remedy::stop, .what = "access denied"});
    for (int i = 0; i < 5; ++i) add("acme");
    for (int i = 0; i < 5; ++i) add("globex");
    start(1);
    ASSERT_TRUE(comes_true([&] { return spool->count() == 5; }));
    ASSERT_TRUE(comes_true([&] { return watched.count("acme") >= 6; }));
    EXPECT_EQ(watched.count("globex"), 5U);
    for (const auto& offered : watched.offered())
        if (offered.contains("acme")) {
            EXPECT_EQ(segment::parse_object_key(offered)->sequence, 1U) << "later ones wait for the first";
        }
    watched.heal();
    EXPECT_TRUE(drained());
}

TEST_F(ShipperTest, ReleasesLaterWhatCouldNotBeReleased) {
    for (int i = 0; i < 3; ++i) add("acme");
    auto other = spool::Database::open(directory / "state/state.sqlite");
    ASSERT_TRUE(other->session().execute(
        "CREATE TRIGGER full BEFORE DELETE ON segments BEGIN SELECT RAISE(ABORT, 'disk full'); END"));
    start();
    ASSERT_TRUE(drained()) << "the store has them";
    EXPECT_EQ(uploads("created"), 3);
    EXPECT_EQ(names_in(directory / "state/spool").size(), 4U) << "and the spool, beside quarantine";
    EXPECT_GT(spool->bytes(), 0U) << "they take room until they are gone";
    ASSERT_TRUE(other->session().execute("DROP TRIGGER full"));
    ASSERT_TRUE(comes_true([&] { return names_in(directory / "state/spool").size() == 1; }));
    EXPECT_TRUE(comes_true([&] { return spool->bytes() == 0; }));
    EXPECT_EQ(uploads("already_there"), 0);
}

// A store that does not let us read would not tell our own bytes from others': there each is released by itself.
TEST_F(ShipperTest, OffersASegmentAgainThatCouldNotBeReleased) {
    faulty.on_every_call(Operation::read, {.error = Error{.remedy = Remedy::stop, .what = "403"}});
    add("acme");
    auto second = add("acme");
    auto other = spool::Database::open(directory / "state/state.sqlite");
    ASSERT_TRUE(other->session().execute(
        "CREATE TRIGGER full BEFORE DELETE ON segments BEGIN SELECT RAISE(ABORT, 'disk full'); END"));
    start();
    ASSERT_TRUE(comes_true([&] { return uploads("already_there") >= 2; }));
    EXPECT_EQ(spool->count(), 2U);
    ASSERT_TRUE(other->session().execute("DROP TRIGGER full"));
    ASSERT_TRUE(drained());
    EXPECT_TRUE(rest.read(second.str()));
}

TEST_F(ShipperTest, DrainsUntilItsDeadline) {
    faulty.on_every_call(Operation::put, {.error = Error{.remedy = Remedy::back_off, .what = "503"}});
    start();
    EXPECT_TRUE(shipper->drain(clock.steady())) << "nothing waits";
    add("acme");
    auto began = clock.steady();
    EXPECT_FALSE(shipper->drain(began + 100ms));
    EXPECT_GE(clock.steady() - began, 100ms);
    faulty.heal();
    EXPECT_TRUE(drained());
}

TEST_F(ShipperTest, LeavesInTheSpoolWhatWasNotStoredWhenItEnds) {
    faulty.on_every_call(
        Operation::put,
        {.when = Fault::When::after, .error = Error{.remedy = Remedy::back_off, .what = "no answer"}, .delay = 20ms});
    for (auto tenant : {"acme", "globex", "hooli"}) add(tenant);
    start(3);
    ASSERT_TRUE(comes_true([&] { return faulty.calls(Operation::put) >= 3; }));
    shipper.reset();
    EXPECT_EQ(spool->count(), 3U);
    faulty.heal();
    start();
    ASSERT_TRUE(drained());
    EXPECT_EQ(uploads("already_there"), 3) << "the same bytes under the same keys";
    EXPECT_EQ(uploads("conflict"), 0);
}

}  // namespace
}  // namespace boatswain::ship
