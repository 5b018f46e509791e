#include "spool/spool.h"

#include <openssl/rand.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "segment/sha256.h"

namespace boatswain::spool {
namespace {

constexpr std::int64_t schema_version = 3;
// Checkpoints of containers that were removed while nobody looked stay behind. So many are kept, those that moved last;
// age alone says nothing: a container that prints a line a year must not be read from its start again.
constexpr std::int64_t checkpoints_max = 20'000;

constexpr const char* schema = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, size INTEGER NOT NULL,
                       sha256 TEXT NOT NULL, added INTEGER NOT NULL, quarantined INTEGER NOT NULL DEFAULT 0);
CREATE TABLE checkpoints (source TEXT PRIMARY KEY, position TEXT NOT NULL, lines INTEGER NOT NULL, moved INTEGER NOT NULL,
                          bytes INTEGER, about TEXT, last_time INTEGER NOT NULL DEFAULT 0,
                          ended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE chains (tenant TEXT PRIMARY KEY, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
)";

// What makes version N+1 of the state of version N, at index N-1. Each is run once, all in one transaction: a crash
// leaves the older version whole.
constexpr const char* migrations[] = {
    // 2: bytes of messages are counted. Of sources begun before, they stay unknown (NULL).
    "ALTER TABLE checkpoints ADD COLUMN bytes INTEGER",
    // 3: whose a source is, for whom it was sealed, until when, and whether it had ended (spool/known.h). Of sources
    // that
    // were sealed before, it is not known (NULL).
    "ALTER TABLE checkpoints ADD COLUMN about TEXT;"
    "ALTER TABLE checkpoints ADD COLUMN last_time INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE checkpoints ADD COLUMN ended INTEGER NOT NULL DEFAULT 0",
};
static_assert(std::size(migrations) == schema_version - 1);

// Names a state directory for ever: when it was made, and enough chance that two made in one second differ.
std::string draw_epoch(Timestamp now) {
    unsigned char random[4] = {};
    RAND_bytes(random, sizeof random);
    auto time = to_text(now);  // 2026-11-23T04:34:00...
    std::string epoch;
    for (char c : time.substr(0, 19))
        if (c != '-' && c != ':') epoch += c;
    return epoch + "Z-" + to_hex({reinterpret_cast<const char*>(random), sizeof random});
}

std::int64_t to_number(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp to_time(std::int64_t number) { return Timestamp{Nanoseconds{number}}; }

constexpr const char* database_files[] = {"", "-wal", "-shm"};  // what SQLite makes of one name

// state.sqlite and what belongs to it, under a name that nobody opens. Returns that name.
Result<Path> put_state_aside(const Path& state, Timestamp now) {
    std::string time = to_text(now).substr(0, 19);
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    Path aside = state.string() + ".corrupt-" + time + "Z";
    for (int more = 1; std::filesystem::exists(aside); ++more)
        aside = state.string() + ".corrupt-" + time + "Z-" + std::to_string(more);
    for (const auto* suffix : database_files) {
        std::error_code problem;
        std::filesystem::rename(state.string() + suffix, aside.string() + suffix, problem);
        if (problem && problem != std::errc::no_such_file_or_directory)
            return fail(Remedy::stop, "put " + state.string() + " aside", problem);
    }
    return aside;
}

Result<void> delete_checkpoints(Database& database, const std::vector<std::string>& sources) {
    if (sources.empty()) return {};
    TRY(auto remove, database.prepare("DELETE FROM checkpoints WHERE source = ?1"));
    for (const auto& source : sources) CHECK(remove.bind(1, source).run());
    return {};
}

bool holds(const Path& file, std::uint64_t size, const std::string& sha256) {
    auto bytes = read_file(file, size);
    if (!bytes || bytes->size() != size) return false;
    segment::Sha256 hash;
    hash.update(*bytes);
    return hash.finish() == sha256;
}

}  // namespace

Spool::Spool(Options options, const Clock& clock, Log& log, Metrics& metrics, Database database)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      bytes_gauge_(metrics.gauge("boatswain_spool_bytes", "Sealed bytes on disk that the store has not acknowledged")),
      segments_gauge_(
          metrics.gauge("boatswain_spool_segments", "Segments on disk that the store has not acknowledged")),
      strays_(metrics.counter("boatswain_spool_stray_files_total",
                              "Files in the spool that no row named; removed at start")),
      missing_(metrics.counter("boatswain_spool_missing_segments_total",
                               "Segments that the state names and the disk has not, or not whole")),
      quarantined_(
          metrics.counter("boatswain_spool_quarantined_segments_total", "Segments put aside for a person to look at")),
      states_lost_(metrics.counter("boatswain_state_lost_total",
                                   "Times that state.sqlite could not be read and was put aside at start")),
      database_(std::move(database)) {}

Result<std::unique_ptr<Spool>> Spool::open(Options options, const Clock& clock, Log& log, Metrics& metrics) {
    CHECK(make_directories(options.state_dir, 0750));
    CHECK(make_directories(options.state_dir / "spool" / "quarantine", 0750));
    auto spool = open_state(options, clock, log, metrics);
    if (!spool && spool.error().remedy == Remedy::quarantine) {
        auto why = spool.error();
        TRY(auto corrupt, put_state_aside(options.state_dir / "state.sqlite", clock.now()));
        spool = open_state(options, clock, log, metrics);
        if (spool) CHECK((*spool)->begin_anew(corrupt, why));
    }
    if (!spool) return spool;
    (*spool)->clear_strays();
    (*spool)->tell_changed();
    return spool;
}

// Remedy::quarantine: what is there is no sound state.
Result<std::unique_ptr<Spool>> Spool::open_state(const Options& options, const Clock& clock, Log& log,
                                                 Metrics& metrics) {
    TRY(auto database, Database::open(options.state_dir / "state.sqlite"));
    CHECK(database.check());
    std::unique_ptr<Spool> spool{new Spool(options, clock, log, metrics, std::move(database))};
    CHECK(spool->prepare_schema());
    CHECK(spool->load());
    return spool;
}

Result<void> Spool::prepare_schema() {
    TRY(auto version_query, database_.prepare("PRAGMA user_version"));
    TRY(auto row, version_query.step());
    auto version = row ? version_query.number(0) : 0;
    if (version > schema_version)
        return fail(Remedy::stop, "open " + (options_.state_dir / "state.sqlite").string() +
                                      ": written by a newer Boatswain (state version " + std::to_string(version) +
                                      ", this one knows " + std::to_string(schema_version) +
                                      "). Start that version, or give this one a state directory of its own");
    (void)version_query.run();
    if (version == schema_version) return {};

    TRY(auto transaction, Transaction::begin(database_));
    if (version == 0) {
        CHECK(database_.execute(schema));
        TRY(auto insert, database_.prepare("INSERT INTO meta VALUES (?1, ?2)"));
        CHECK(insert.bind(1, "epoch").bind(2, draw_epoch(clock_.now())).run());
    } else {
        for (auto from = version; from < schema_version; ++from) CHECK(database_.execute(migrations[from - 1]));
        log_.info("state of an older version migrated", {{"from", version}, {"to", schema_version}});
    }
    CHECK(database_.execute("PRAGMA user_version = " + std::to_string(schema_version)));
    return transaction.commit();
}

Result<void> Spool::load() {
    TRY(auto meta, database_.prepare("SELECT name, value FROM meta"));
    for (;;) {
        TRY(auto row, meta.step());
        if (!row) break;
        if (meta.text(0) == "epoch") epoch_ = meta.text(1);
        if (meta.text(0) == "state_lost") state_lost_ = parse_time(meta.text(1));
    }
    if (epoch_.empty()) return fail(Remedy::quarantine, "open the state database: it names no epoch");
    CHECK(load_checkpoints());
    return load_segments();
}

Result<void> Spool::load_checkpoints() {
    TRY(auto old, database_.prepare("DELETE FROM checkpoints WHERE source IN "
                                    "(SELECT source FROM checkpoints ORDER BY moved DESC, source LIMIT -1 OFFSET ?1)"));
    CHECK(old.bind(1, checkpoints_max).run());
    TRY(auto known, known_sources());
    for (auto& one : known) {
        if (one.known && one.known->ended) ended_.insert(one.id);
        checkpoints_[one.id] = one.checkpoint;
    }
    return {};
}

Result<std::vector<KnownSource>> Spool::known_sources() {
    std::scoped_lock lock{database_guard_};
    std::vector<KnownSource> found;
    TRY(auto rows,
        database_.prepare("SELECT source, position, lines, bytes, about, last_time, ended FROM checkpoints"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return found;
        auto position = parse_position(rows.text(1));
        if (!position) {
            log_.error("checkpoint not understood, its source is read from its start", {{"source", rows.text(0)}});
            continue;
        }
        KnownSource source{.id = rows.text(0),
                           .checkpoint = {.position = *position,
                                          .lines = static_cast<std::uint64_t>(rows.number(2)),
                                          .bytes = std::nullopt},
                           .known = parse_known(rows.text(0), rows.text(4))};
        if (!rows.is_null(3)) source.checkpoint.bytes = static_cast<std::uint64_t>(rows.number(3));
        if (source.known) {
            source.known->last_time = to_time(rows.number(5));
            source.known->ended = rows.number(6) != 0;
        }
        found.push_back(std::move(source));
    }
}

Result<void> Spool::load_segments() {
    TRY(auto segments,
        database_.prepare("SELECT id, key, tenant, size, sha256, added, quarantined FROM segments ORDER BY id"));
    for (;;) {
        TRY(auto row, segments.step());
        if (!row) break;
        auto id = segments.number(0);
        next_id_ = std::max(next_id_, id + 1);
        if (segments.number(6) != 0) continue;
        Waiting waiting;
        waiting.segment = {.id = id,
                           .key = segments.text(1),
                           .tenant = segments.text(2),
                           .file = options_.state_dir / "spool" / (std::to_string(id) + ".age"),
                           .size = static_cast<std::uint64_t>(segments.number(3)),
                           .sha256 = from_hex(segments.text(4)).value_or("")};
        waiting.added = to_time(segments.number(5));
        std::error_code problem;
        auto size = std::filesystem::file_size(waiting.segment.file, problem);
        if (problem || size != waiting.segment.size) {
            missing_.add();
            log_.error("spooled segment is missing or torn",
                       {{"key", waiting.segment.key}, {"file", waiting.segment.file.string()}});
            if (auto aside = quarantine(waiting.segment); !aside)
                log_.error("quarantine failed", {{"error", aside.error()}});
            continue;
        }
        bytes_ += size;
        tenant_bytes_[waiting.segment.tenant] += size;
        waiting_.emplace(id, std::move(waiting));
    }
    return {};
}

// The state that was found is at `corrupt`, and this one is new and empty.
Result<void> Spool::begin_anew(const Path& corrupt, const Error& why) {
    states_lost_.add();
    state_lost_ = clock_.now();
    state_trouble_ = "state.sqlite could not be read and was put aside as " + corrupt.filename().string() +
                     "; everything that the containers' logs hold is read again";
    log_.error("state not readable; put aside, a new epoch begins and all logs are read again from their beginning",
               {{"aside", corrupt.string()}, {"epoch", epoch_}, {"error", why}});
    {
        TRY(auto insert, database_.prepare("INSERT INTO meta VALUES ('state_lost', ?1)"));
        CHECK(insert.bind(1, to_text(*state_lost_)).run());
    }
    take_over_segments(corrupt);
    return load_segments();
}

// Segments that wait for the store need no checkpoint: as far as the old state still names them, and their files hold
// the very bytes that it says, they are shipped under the keys that they were sealed with.
void Spool::take_over_segments(const Path& corrupt) {
    auto old = Database::open(corrupt);
    auto rows = old ? old->prepare("SELECT id, key, tenant, size, sha256, added FROM segments WHERE quarantined = 0")
                    : Result<Statement>{std::unexpected(old.error())};
    std::size_t taken = 0;
    while (rows) {
        auto row = rows->step();
        if (!row || !*row) break;
        auto id = rows->number(0);
        auto size = rows->number(3);
        auto key = segment::parse_object_key(rows->text(1));
        auto sha256 = from_hex(rows->text(4));
        bool sound = id > 0 && size > 0 && key && key->tenant.str() == rows->text(2) && sha256 &&
                     holds(options_.state_dir / "spool" / (std::to_string(id) + ".age"),
                           static_cast<std::uint64_t>(size), *sha256);
        if (!sound) continue;
        auto insert = database_.prepare(
            "INSERT OR IGNORE INTO segments (id, key, tenant, size, sha256, added) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        if (!insert) break;
        auto kept = insert->bind(1, id)
                        .bind(2, rows->text(1))
                        .bind(3, rows->text(2))
                        .bind(4, size)
                        .bind(5, rows->text(4))
                        .bind(6, rows->number(5))
                        .run();
        if (kept) ++taken;
    }
    log_.info("segments of the old state taken over", {{"segments", taken}});
}

// Files that no row names. As a rule they are of a crash between file and row, and their lines are read again. Where
// the rows were lost, nobody knows that: they are kept for a person.
void Spool::clear_strays() {
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{options_.state_dir / "spool", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        if (entry->is_directory(unknown)) continue;
        auto name = entry->path().filename().string();
        std::int64_t id = 0;
        auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
        bool segment = error == std::errc{} && std::string_view{end} == ".age";
        if (segment && waiting_.contains(id)) continue;
        strays_.add();
        if (segment && state_trouble_ && put_aside(entry->path())) {
            quarantined_.add();
            log_.error("spool file that no state names put aside", {{"file", name}});
            continue;
        }
        log_.warning("stray spool file removed; its lines are read again", {{"file", name}});
        if (auto removed = remove_file(entry->path()); !removed)
            log_.error("remove failed", {{"error", removed.error()}});
    }
    for (std::filesystem::directory_iterator entry{options_.state_dir / "spool" / "quarantine", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        auto size = entry->file_size(unknown);
        if (!unknown) aside_bytes_ += size;
    }
}

// A name of its own: numbers begin anew with every state.
bool Spool::put_aside(const Path& file) {
    auto directory = options_.state_dir / "spool" / "quarantine";
    auto to = directory / file.filename();
    for (int more = 1; std::filesystem::exists(to); ++more)
        to = directory / (file.stem().string() + "-" + std::to_string(more) + ".age");
    std::error_code problem;
    std::filesystem::rename(file, to, problem);
    return !problem;
}

Result<ChainHead> Spool::chain_head(const TenantId& tenant) {
    std::scoped_lock lock{database_guard_};
    TRY(auto query, database_.prepare("SELECT sequence, sha256 FROM chains WHERE tenant = ?1"));
    TRY(auto row, query.bind(1, tenant.str()).step());
    if (!row) return ChainHead{};
    return ChainHead{.sequence = static_cast<std::uint64_t>(query.number(0)) + 1, .previous_sha256 = query.text(1)};
}

Result<void> Spool::add(const segment::SealedSegment& segment, const Checkpoints& checkpoints, const Beside& beside) {
    std::unique_lock database_lock{database_guard_};
    auto id = next_id_;
    Waiting waiting;
    waiting.added = clock_.now();
    waiting.segment = {.id = id,
                       .key = segment.key.str(),
                       .tenant = segment.key.tenant.str(),
                       .file = options_.state_dir / "spool" / (std::to_string(id) + ".age"),
                       .size = segment.bytes.size(),
                       .sha256 = segment.sha256};
    CHECK(write_file_durably(waiting.segment.file, segment.bytes, 0640));

    TRY(auto transaction, Transaction::begin(database_));
    TRY(auto insert,
        database_.prepare(
            "INSERT INTO segments (id, key, tenant, size, sha256, added) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
    CHECK(insert.bind(1, id)
              .bind(2, waiting.segment.key)
              .bind(3, waiting.segment.tenant)
              .bind(4, static_cast<std::int64_t>(waiting.segment.size))
              .bind(5, to_hex(segment.sha256))
              .bind(6, to_number(waiting.added))
              .run());
    TRY(auto chain, database_.prepare("INSERT OR REPLACE INTO chains VALUES (?1, ?2, ?3)"));
    CHECK(chain.bind(1, waiting.segment.tenant)
              .bind(2, static_cast<std::int64_t>(segment.key.sequence))
              .bind(3, to_hex(segment.sha256))
              .run());
    TRY(auto upsert, database_.prepare(
                         "INSERT OR REPLACE INTO checkpoints (source, position, lines, moved, bytes, about, last_time, "
                         "ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    for (const auto& [source, checkpoint] : checkpoints) {
        auto known = beside.known.find(source);
        bool is_known = known != beside.known.end();
        upsert.bind(1, source)
            .bind(2, to_text(checkpoint.position))
            .bind(3, static_cast<std::int64_t>(checkpoint.lines))
            .bind(4, to_number(waiting.added))
            .bind(7, is_known ? to_number(known->second.last_time) : 0)
            .bind(8, std::int64_t{is_known && known->second.ended});
        if (checkpoint.bytes)
            upsert.bind(5, static_cast<std::int64_t>(*checkpoint.bytes));
        else
            upsert.bind_null(5);
        if (is_known)
            upsert.bind(6, known_text(known->second));
        else
            upsert.bind_null(6);
        CHECK(upsert.run());
    }
    CHECK(delete_checkpoints(database_, beside.forget));
    CHECK(transaction.commit());
    ++next_id_;
    database_lock.unlock();

    {
        std::scoped_lock lock{guard_};
        bytes_ += waiting.segment.size;
        tenant_bytes_[waiting.segment.tenant] += waiting.segment.size;
        if (last_added_.size() < tenants_remembered_max || last_added_.contains(waiting.segment.tenant))
            last_added_[waiting.segment.tenant] = {waiting.segment.key, waiting.added};
        waiting_.emplace(id, std::move(waiting));
        for (const auto& [source, checkpoint] : checkpoints) {
            checkpoints_[source] = checkpoint;
            auto known = beside.known.find(source);
            if (known != beside.known.end() && known->second.ended)
                ended_.insert(source);
            else
                ended_.erase(source);
        }
        for (const auto& source : beside.forget) {
            checkpoints_.erase(source);
            ended_.erase(source);
        }
    }
    tell_changed();
    return {};
}

std::optional<Checkpoint> Spool::checkpoint(const std::string& source) const {
    std::scoped_lock lock{guard_};
    auto found = checkpoints_.find(source);
    return found == checkpoints_.end() ? std::nullopt : std::optional{found->second};
}

void Spool::forget(const std::vector<std::string>& sources) {
    std::vector<std::string> there;
    {
        std::scoped_lock lock{guard_};
        for (const auto& source : sources) {
            ended_.erase(source);
            if (checkpoints_.erase(source) > 0) there.push_back(source);
        }
    }
    if (there.empty()) return;
    std::scoped_lock lock{database_guard_};
    auto done = [&]() -> Result<void> {
        TRY(auto transaction, Transaction::begin(database_));
        CHECK(delete_checkpoints(database_, there));
        return transaction.commit();
    }();
    if (!done)
        log_.warning("checkpoints not removed; they are dropped when they are old",
                     {{"sources", there.size()}, {"error", done.error()}});
}

void Spool::set_ended(const std::string& source, bool ended) {
    {
        std::scoped_lock lock{guard_};
        if (!checkpoints_.contains(source)) return;
        bool changes = ended ? ended_.insert(source).second : ended_.erase(source) > 0;
        if (!changes) return;
    }
    std::scoped_lock lock{database_guard_};
    auto update = database_.prepare("UPDATE checkpoints SET ended = ?2 WHERE source = ?1");
    auto done = update ? update->bind(1, source).bind(2, std::int64_t{ended}).run()
                       : Result<void>{std::unexpected(update.error())};
    if (!done) log_.warning("end of a source not noted", {{"source", source}, {"error", done.error()}});
}

bool Spool::ended(const std::string& source) const {
    std::scoped_lock lock{guard_};
    return ended_.contains(source);
}

std::optional<Spooled> Spool::take(std::stop_token stop) {
    std::unique_lock lock{guard_};
    for (;;) {
        auto now = clock_.steady();
        auto soonest = std::chrono::steady_clock::time_point::max();
        std::set<std::string> passed_over;  // a tenant whose oldest segment has to wait is waited for: order matters
        for (auto& [id, waiting] : waiting_) {
            const auto& tenant = waiting.segment.tenant;
            if (tenants_under_way_.contains(tenant) || !passed_over.insert(tenant).second) continue;
            if (waiting.not_before > now) {
                soonest = std::min(soonest, waiting.not_before);
                continue;
            }
            if (stop.stop_requested()) return std::nullopt;
            tenants_under_way_.insert(tenant);
            return waiting.segment;
        }
        if (stop.stop_requested()) return std::nullopt;
        auto seen = changes_;
        auto has_changed = [&] { return changes_ != seen; };
        if (soonest == std::chrono::steady_clock::time_point::max())
            changed_.wait(lock, stop, has_changed);
        else
            changed_.wait_until(lock, stop, soonest, has_changed);
    }
}

Result<void> Spool::release(const Spooled& segment) {
    {
        std::scoped_lock lock{database_guard_};
        TRY(auto remove, database_.prepare("DELETE FROM segments WHERE id = ?1"));
        CHECK(remove.bind(1, segment.id).run());
    }
    // A file that stays is a stray, and goes at the next start: the segment is released all the same.
    if (auto removed = remove_file(segment.file); !removed) log_.error("remove failed", {{"error", removed.error()}});
    {
        std::scoped_lock lock{guard_};
        drop_waiting(segment);
    }
    tell_changed();
    return {};
}

void Spool::drop_waiting(const Spooled& segment) {
    tenants_under_way_.erase(segment.tenant);
    if (waiting_.erase(segment.id) == 0) return;
    bytes_ -= segment.size;
    auto mine = tenant_bytes_.find(segment.tenant);
    mine->second -= segment.size;
    if (mine->second == 0) tenant_bytes_.erase(mine);
}

void Spool::give_back(const Spooled& segment, std::chrono::milliseconds wait) {
    {
        std::scoped_lock lock{guard_};
        tenants_under_way_.erase(segment.tenant);
        if (auto found = waiting_.find(segment.id); found != waiting_.end()) {
            found->second.not_before = clock_.steady() + wait;
            found->second.segment.attempts = segment.attempts + 1;
        }
    }
    tell_changed();
}

Result<void> Spool::quarantine(const Spooled& segment) {
    {
        std::scoped_lock lock{database_guard_};
        TRY(auto mark, database_.prepare("UPDATE segments SET quarantined = 1 WHERE id = ?1"));
        CHECK(mark.bind(1, segment.id).run());
    }
    quarantined_.add();
    std::error_code problem;
    auto size = std::filesystem::file_size(segment.file, problem);
    bool aside = put_aside(segment.file);
    {
        std::scoped_lock lock{guard_};
        if (aside && !problem) aside_bytes_ += size;
        drop_waiting(segment);
    }
    tell_changed();
    return {};
}

bool Spool::has_room_locked(const std::string& tenant) const {
    auto used = bytes_ + aside_bytes_;
    if (used >= options_.bytes_max) return false;
    auto mine = tenant_bytes_.find(tenant);
    return mine == tenant_bytes_.end() || mine->second < room_factor * (options_.bytes_max - used);
}

bool Spool::has_room(const std::string& tenant) const {
    std::scoped_lock lock{guard_};
    return has_room_locked(tenant);
}

std::vector<std::string> Spool::tenants_without_room() const {
    std::scoped_lock lock{guard_};
    std::vector<std::string> without;
    for (const auto& [tenant, bytes] : tenant_bytes_)
        if (!has_room_locked(tenant)) without.push_back(tenant);
    return without;
}

std::uint64_t Spool::bytes() const {
    std::scoped_lock lock{guard_};
    return bytes_ + aside_bytes_;
}

std::size_t Spool::count() const {
    std::scoped_lock lock{guard_};
    return waiting_.size();
}

bool Spool::waits(const std::string& key) const {
    std::scoped_lock lock{guard_};
    return std::ranges::any_of(waiting_, [&](const auto& entry) { return entry.second.segment.key == key; });
}

std::optional<Timestamp> Spool::oldest() const {
    std::scoped_lock lock{guard_};
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->second.added;
}

std::map<std::string, std::uint64_t> Spool::waiting_bytes() const {
    std::scoped_lock lock{guard_};
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& [id, waiting] : waiting_) bytes[waiting.segment.tenant] += waiting.segment.size;
    return bytes;
}

std::optional<Timestamp> Spool::newest() const {
    std::scoped_lock lock{guard_};
    std::optional<Timestamp> newest;
    for (const auto& [tenant, last] : last_added_) newest = std::max(newest.value_or(last.second), last.second);
    return newest;
}

Spool::TenantStanding Spool::standing(const std::string& tenant) const {
    std::scoped_lock lock{guard_};
    TenantStanding standing;
    if (auto last = last_added_.find(tenant); last != last_added_.end())
        std::tie(standing.last_key, standing.last_added) = last->second;
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.segment.tenant != tenant) continue;
        ++standing.waiting;
        standing.waiting_bytes += waiting.segment.size;
    }
    return standing;
}

void Spool::tell_changed() {
    {
        std::scoped_lock lock{guard_};
        ++changes_;
        bytes_gauge_.set(static_cast<double>(bytes_ + aside_bytes_));
        segments_gauge_.set(static_cast<double>(waiting_.size()));
    }
    changed_.notify_all();
}

}  // namespace boatswain::spool
