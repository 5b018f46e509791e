// State directories of other versions: an older one is migrated, a newer one refused.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "spool/spool.h"

namespace boatswain::spool {
namespace {

// What version 1 made of its state directory: fixed, as it lies on hosts.
constexpr const char* version_1 = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, size INTEGER NOT NULL,
                       sha256 TEXT NOT NULL, added INTEGER NOT NULL, quarantined INTEGER NOT NULL DEFAULT 0);
CREATE TABLE checkpoints (source TEXT PRIMARY KEY, position TEXT NOT NULL, lines INTEGER NOT NULL, moved INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE chains (tenant TEXT PRIMARY KEY, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', '20261122T100000Z-9f3a');
INSERT INTO checkpoints VALUES ('web', 'file 1 2 3 400 500', 812, 1795341600000000000);
INSERT INTO chains VALUES ('acme', 41, 'aa');
PRAGMA user_version = 1;
)";

// The same of version 2.
constexpr const char* version_2 = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, size INTEGER NOT NULL,
                       sha256 TEXT NOT NULL, added INTEGER NOT NULL, quarantined INTEGER NOT NULL DEFAULT 0);
CREATE TABLE checkpoints (source TEXT PRIMARY KEY, position TEXT NOT NULL, lines INTEGER NOT NULL, moved INTEGER NOT NULL,
                          bytes INTEGER) WITHOUT ROWID;
CREATE TABLE chains (tenant TEXT PRIMARY KEY, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', '20261122T100000Z-9f3a');
INSERT INTO checkpoints VALUES ('web', 'time 1795341600000000000 0', 812, 1795341600000000000, 9000);
INSERT INTO chains VALUES ('acme', 41, 'aa');
PRAGMA user_version = 2;
)";

// The same of version 3, with a segment that was put aside because its key was taken.
constexpr const char* version_3 = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, size INTEGER NOT NULL,
                       sha256 TEXT NOT NULL, added INTEGER NOT NULL, quarantined INTEGER NOT NULL DEFAULT 0);
CREATE TABLE checkpoints (source TEXT PRIMARY KEY, position TEXT NOT NULL, lines INTEGER NOT NULL, moved INTEGER NOT NULL,
                          bytes INTEGER, about TEXT, last_time INTEGER NOT NULL DEFAULT 0,
                          ended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE chains (tenant TEXT PRIMARY KEY, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', '20261122T100000Z-9f3a');
INSERT INTO chains VALUES ('acme', 41, 'aa');
INSERT INTO segments VALUES (7, 'v1/tenant=acme/hour=2026-11-22T10/host=node-7/20261122T100000Z-9f3a.0000000041.age', 'acme',
                             3, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 1795341600000000000, 1);
PRAGMA user_version = 3;
)";

class Migration : public ::testing::Test {
  protected:
    Migration() {
        std::string pattern = std::filesystem::temp_directory_path() / "boatswain-migration-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~Migration() override { std::filesystem::remove_all(directory_); }

    void make(const std::string& sql) {
        auto database = Database::open(directory_ / "state.sqlite");
        ASSERT_TRUE(database);
        auto made = database->session().execute(sql);
        ASSERT_TRUE(made) << made.error().what;
    }
    Result<std::unique_ptr<Spool>> open() {
        return Spool::open({.state_dir = directory_, .host = "node-7"}, clock_, log_, metrics_);
    }
    // Makes a checkpoint durable, as sealing does.
    void add(Spool& spool, const std::string& source, const Checkpoint& checkpoint) {
        segment::SealedSegment segment{
            .key = {.tenant = TenantId::parse("acme").value(), .host = "node-7", .epoch = spool.epoch(), .sequence = 1},
            .bytes = "sealed",
            .sha256 = std::string(32, 'a')};
        auto added = spool.add(segment, {{source, checkpoint}});
        ASSERT_TRUE(added) << added.error().what;
    }

    Path directory_;
    SimulatedClock clock_{parse_time("2026-11-22T10:00:00Z").value()};
    Log log_{clock_, STDERR_FILENO, LogFormat::text, LogLevel::error};
    Metrics metrics_;
};

TEST_F(Migration, KeepsEpochChainsAndPositionsOfVersion1AndDoesNotInventTheBytesItDidNotCount) {
    make(version_1);
    auto spool = open();
    ASSERT_TRUE(spool) << spool.error().what;
    EXPECT_EQ((*spool)->epoch(), "20261122T100000Z-9f3a");
    auto head = (*spool)->chain_head(TenantId::parse("acme").value()).value();
    EXPECT_EQ(head.sequence, 42U);
    EXPECT_EQ(head.previous_sha256, "aa");
    auto web = (*spool)->checkpoint("web").value();
    EXPECT_EQ(web.lines, 812U);
    EXPECT_EQ(web.position, Position{(FilePosition{1, 2, 3, 400, 500})});
    EXPECT_EQ(web.bytes, std::nullopt);
}

TEST_F(Migration, KeepsTheTimesAndBytesOfVersion2AndSaysThatItIsNotKnownWhoseASourceWas) {
    make(version_2);
    auto spool = open();
    ASSERT_TRUE(spool) << spool.error().what;
    auto known = (*spool)->known_sources().value();
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].id, "web");
    EXPECT_FALSE(known[0].known);
    EXPECT_EQ(known[0].checkpoint.bytes, 9000U);
    EXPECT_EQ(known[0].checkpoint.position,
              Position{(TimePosition{.out = parse_time("2026-11-22T10:00:00Z").value()})});
    EXPECT_FALSE((*spool)->ended("web"));
}

TEST_F(Migration, KeepsTheChainsOfVersion3AndOffersAgainWhatWasPutAside) {
    make(version_3);
    std::filesystem::create_directories(directory_ / "spool/quarantine");
    ASSERT_TRUE(write_file_durably(directory_ / "spool/quarantine/7.age", "abc", 0640));
    auto spool = open().value();
    auto head = spool->chain_head(TenantId::parse("acme").value()).value();
    EXPECT_EQ(head.sequence, 42U);
    EXPECT_EQ(head.epoch, "20261122T100000Z-9f3a");
    EXPECT_EQ(spool->state_began(), parse_time("2026-11-22T10:00:00Z"));
    EXPECT_EQ(spool->count(), 1U);
    std::stop_source stop;
    EXPECT_TRUE(spool->take(stop.get_token())->key.ends_with(".0000000041.age"));
}

TEST_F(Migration, IsDoneOnce) {
    make(version_1);
    {
        ASSERT_TRUE(open());
    }
    auto again = open();
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ((*again)->checkpoint("web").value().lines, 812U);
}

TEST_F(Migration, LeavesTheOlderStateWholeWhenItFails) {
    make(std::string{version_1} + "ALTER TABLE checkpoints ADD COLUMN bytes INTEGER;");  // somebody was here
    EXPECT_FALSE(open());
    auto database = Database::open(directory_ / "state.sqlite").value();
    auto session = database.session();
    auto version = session.prepare("PRAGMA user_version").value();
    ASSERT_TRUE(version.step().value());
    EXPECT_EQ(version.number(0), 1);
}

TEST_F(Migration, RefusesTheStateOfANewerVersionAndSaysWhatToDo) {
    make("PRAGMA user_version = 5");
    auto spool = open();
    ASSERT_FALSE(spool);
    EXPECT_EQ(spool.error().remedy, Remedy::stop);
    EXPECT_NE(spool.error().what.find("written by a newer Boatswain (state version 5, this one knows 4)"),
              std::string::npos)
        << spool.error().what;
}

TEST_F(Migration, KeepsBytesKnownAndUnknownOverARestart) {
    make(version_1);
    {
        auto spool = open().value();
        add(*spool, "new", {.position = TimePosition{}, .lines = 3, .bytes = 17});
    }
    {
        auto spool = open().value();
        EXPECT_EQ(spool->checkpoint("new").value().bytes, 17U);
        EXPECT_EQ(spool->checkpoint("web").value().bytes, std::nullopt);
    }
}

}  // namespace
}  // namespace boatswain::spool
