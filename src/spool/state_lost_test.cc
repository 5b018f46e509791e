// A state.sqlite that cannot be read: it is put aside, and nothing that is on the disk is thrown away.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

using boatswain::testing::contents;
using boatswain::testing::names_in;
using boatswain::testing::write;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class StateLost : public ::testing::Test {
  protected:
    StateLost() { open(); }
    void open() {
        spool.reset();
        auto opened = Spool::open({.state_dir = state, .host = "node-7"}, clock, log, metrics);
        ASSERT_TRUE(opened) << opened.error().what;
        spool = std::move(*opened);
    }
    void add(const std::string& tenant, std::size_t bytes, const Checkpoints& checkpoints = {}) {
        ASSERT_TRUE(spool->add(next_segment(*spool, tenant, bytes), checkpoints));
    }
    // The write-ahead log is folded in when the spool is closed: what is damaged is all there is.
    void damage(std::size_t from, std::size_t size) {
        spool.reset();
        auto bytes = contents(state / "state.sqlite");
        ASSERT_LT(from, bytes.size());
        bytes.replace(from, size, std::string(std::min(size, bytes.size() - from), '\x5a'));
        write(state / "state.sqlite", bytes);
    }
    std::vector<std::string> put_aside() {
        auto names = names_in(state);
        std::erase_if(names, [](const auto& name) { return !name.starts_with("state.sqlite.corrupt-"); });
        return names;
    }
    double lost() { return static_cast<double>(metrics.counter("boatswain_state_lost_total", "").value()); }

    boatswain::testing::TestDirectory directory;
    Path state = directory / "state";
    SimulatedClock clock{*parse_time("2026-11-23T10:00:00Z")};
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    std::unique_ptr<Spool> spool;
};

TEST_F(StateLost, OpensWithANewEpochAndKeepsTheOldStateForAPerson) {
    add("acme", 100, {{"web", {TimePosition{}, 3}}});
    auto epoch = spool->epoch();
    damage(0, 1 << 20);
    open();
    EXPECT_NE(spool->epoch(), epoch);
    EXPECT_THAT(put_aside(), ElementsAre("state.sqlite.corrupt-20261123T100000Z"));
    EXPECT_EQ(lost(), 1);
    EXPECT_EQ(spool->state_lost(), clock.now());
    EXPECT_THAT(spool->state_trouble().value(), HasSubstr("state.sqlite.corrupt-20261123T100000Z"));
    EXPECT_THAT(contents(directory / "log"), HasSubstr("a new epoch begins"));
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt) << "positions that nobody vouches for are not believed";
    EXPECT_EQ(spool->chain_head(TenantId::parse("acme").value()).value().sequence, 1U);
}

TEST_F(StateLost, RemovesNoSegmentThatTheOldStateDoesNotNameAnyMore) {
    add("acme", 100);
    add("acme", 200);
    auto bytes = contents(state / "spool/2.age");
    damage(0, 1 << 20);
    open();
    EXPECT_EQ(spool->count(), 0U);
    EXPECT_THAT(names_in(state / "spool/quarantine"), ElementsAre("1.age", "2.age"));
    EXPECT_EQ(contents(state / "spool/quarantine/2.age"), bytes);
    EXPECT_EQ(spool->bytes(), 0U) << "they take nobody's room";
    EXPECT_EQ(spool->aside_totals().bytes, 300U);
    EXPECT_EQ(spool->aside_totals().unnamed, 2U);
    add("acme", 10);
    open();
    EXPECT_EQ(spool->count(), 1U);
    EXPECT_THAT(names_in(state / "spool/quarantine"), ElementsAre("1.age", "2.age"));
}

TEST_F(StateLost, ShipsTheSegmentsThatTheOldStateStillNamesAndThatAreWhole) {
    add("acme", 100);
    add("acme", 200);
    add("globex", 300);
    write(state / "spool/2.age", std::string(200, 'y'));  // as long, and other bytes
    spool.reset();
    {
        // A row is missing that must be there: the state cannot be believed, and most of it can be read.
        auto database = Database::open(state / "state.sqlite").value();
        ASSERT_TRUE(database.session().execute("DELETE FROM meta WHERE name = 'epoch'"));
    }
    open();
    EXPECT_EQ(lost(), 1);
    EXPECT_EQ(spool->count(), 2U);
    EXPECT_THAT(names_in(state / "spool/quarantine"), ElementsAre("2.age"));
    std::stop_source stop;
    EXPECT_THAT(spool->take(stop.get_token())->key, StartsWith("v1/tenant=acme/"));
    EXPECT_THAT(spool->take(stop.get_token())->key, StartsWith("v1/tenant=globex/"));
    add("acme", 10);
    EXPECT_TRUE(std::filesystem::exists(state / "spool/4.age")) << "no number is given twice";
}

TEST_F(StateLost, RemembersItOverARestartButIsNotInTroubleAnyMore) {
    damage(0, 1 << 20);
    open();
    auto when = spool->state_lost();
    clock.advance(std::chrono::hours{1});
    open();
    EXPECT_EQ(spool->state_lost(), when);
    EXPECT_EQ(spool->state_trouble(), std::nullopt);
    EXPECT_EQ(lost(), 1);
}

TEST_F(StateLost, GivesEachLostStateANameOfItsOwn) {
    damage(0, 1 << 20);
    open();
    damage(0, 1 << 20);
    open();
    EXPECT_THAT(put_aside(),
                ElementsAre("state.sqlite.corrupt-20261123T100000Z", "state.sqlite.corrupt-20261123T100000Z-1"));
}

TEST_F(StateLost, IsNoticedWhereverThePagesAreDamaged) {
    Checkpoints many;
    for (int i = 0; i < 2'000; ++i) many["container" + std::to_string(i)] = {TimePosition{}, 1};
    add("acme", 100, many);
    spool.reset();
    auto whole = contents(state / "state.sqlite");
    for (std::size_t page = 0; page < whole.size() / 4096; page += 7) {
        spool.reset();
        write(state / "state.sqlite", whole);
        auto before = lost();
        damage(page * 4096, 4096);
        open();
        ASSERT_NE(spool, nullptr) << "page " << page;
        EXPECT_EQ(lost(), before + 1) << "page " << page;
    }
}

TEST_F(StateLost, IsNotConfusedByAStateThatIsSound) {
    add("acme", 100, {{"web", {TimePosition{}, 3}}});
    auto epoch = spool->epoch();
    open();
    EXPECT_EQ(spool->epoch(), epoch);
    EXPECT_EQ(lost(), 0);
    EXPECT_THAT(put_aside(), IsEmpty());
    EXPECT_EQ(spool->state_lost(), std::nullopt);
}

}  // namespace
}  // namespace boatswain::spool
