#include "spool/schema.h"

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "crypto/random.h"

namespace boatswain::spool {
namespace {

constexpr std::int64_t schema_version = 4;

constexpr const char* schema = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, size INTEGER NOT NULL,
                       sha256 TEXT NOT NULL, added INTEGER NOT NULL, quarantined INTEGER NOT NULL DEFAULT 0,
                       aside TEXT, aside_file TEXT);
CREATE TABLE checkpoints (source TEXT PRIMARY KEY, position TEXT NOT NULL, lines INTEGER NOT NULL, moved INTEGER NOT NULL,
                          bytes INTEGER, about TEXT, last_time INTEGER NOT NULL DEFAULT 0,
                          ended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE chains (tenant TEXT PRIMARY KEY, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL,
                     epoch TEXT NOT NULL DEFAULT '', moved INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE conflicts (tenant TEXT PRIMARY KEY, key TEXT NOT NULL, noticed INTEGER NOT NULL, count INTEGER NOT NULL,
                        told INTEGER NOT NULL, acknowledged INTEGER NOT NULL) WITHOUT ROWID;
)";

// What makes version N+1 of the state of version N, at index N-1. Each is run once, all in one transaction: a crash
// leaves the older version whole.
constexpr const char* migrations[] = {
    // 2: bytes of messages are counted. Of sources begun before, they stay unknown (NULL).
    "ALTER TABLE checkpoints ADD COLUMN bytes INTEGER",
    // 3: whose a source is, for whom it was sealed, until when, and whether it had ended (spool/resume_record.h). Of sources
    // that were sealed before, it is not known (NULL).
    "ALTER TABLE checkpoints ADD COLUMN about TEXT;"
    "ALTER TABLE checkpoints ADD COLUMN last_time INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE checkpoints ADD COLUMN ended INTEGER NOT NULL DEFAULT 0",
    // 4: keys that were taken, and the epochs that began for it; segments that stand aside, and the names of files in
    // quarantine (spool/taken_key.h).
    "ALTER TABLE segments ADD COLUMN aside TEXT;"
    "ALTER TABLE segments ADD COLUMN aside_file TEXT;"
    "ALTER TABLE chains ADD COLUMN epoch TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE chains ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;"
    "UPDATE chains SET epoch = coalesce((SELECT value FROM meta WHERE name = 'epoch'), '');"
    "CREATE TABLE conflicts (tenant TEXT PRIMARY KEY, key TEXT NOT NULL, noticed INTEGER NOT NULL,"
    " count INTEGER NOT NULL, told INTEGER NOT NULL, acknowledged INTEGER NOT NULL) WITHOUT ROWID",
};
static_assert(std::size(migrations) == schema_version - 1);

}  // namespace

std::string draw_epoch(Timestamp now) {
    unsigned char random[4] = {};
    crypto::random_bytes(random, sizeof random);
    auto time = to_text(now);  // 2026-11-23T04:34:00...
    std::string epoch;
    for (char c : time.substr(0, 19))
        if (c != '-' && c != ':') epoch += c;
    return epoch + "Z-" + to_hex({reinterpret_cast<const char*>(random), sizeof random});
}

std::optional<Timestamp> time_of_epoch(std::string_view epoch) {
    constexpr std::string_view form = "YYYYmmddTHHMMSSZ";
    if (epoch.size() <= form.size() || epoch[form.size()] != '-') return std::nullopt;
    std::string text{epoch.substr(0, form.size())};
    for (std::size_t at : {13, 11}) text.insert(at, ":");
    for (std::size_t at : {6, 4}) text.insert(at, "-");
    return parse_time(text);
}

Result<void> prepare_schema(Session& session, const Path& state, const Clock& clock, Log& log) {
    TRY(auto version_query, session.prepare("PRAGMA user_version"));
    TRY(auto row, version_query.step());
    auto version = row ? version_query.number(0) : 0;
    if (version > schema_version)
        return fail(Remedy::stop, "open " + state.string() + ": written by a newer Boatswain (state version " +
                                      std::to_string(version) + ", this one knows " + std::to_string(schema_version) +
                                      "). Start that version, or give this one a state directory of its own");
    (void)version_query.run();
    if (version == schema_version) return {};

    TRY(auto transaction, Transaction::begin(session));
    if (version == 0) {
        CHECK(session.execute(schema));
        TRY(auto insert, session.prepare("INSERT INTO meta VALUES (?1, ?2)"));
        CHECK(insert.bind(1, "epoch").bind(2, draw_epoch(clock.now())).run());
    } else {
        for (auto from = version; from < schema_version; ++from) CHECK(session.execute(migrations[from - 1]));
        log.info("state of an older version migrated", {{"from", version}, {"to", schema_version}});
    }
    CHECK(session.execute("PRAGMA user_version = " + std::to_string(schema_version)));
    return transaction.commit();
}

}  // namespace boatswain::spool
