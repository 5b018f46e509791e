#include "spool/spool.h"

#include <openssl/rand.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace boatswain::spool {
namespace {

constexpr std::int64_t schema_version = 2;
// Checkpoints of containers that were removed while nobody looked stay behind. So many are kept, those that moved last;
// age alone says nothing: a container that prints a line a year must not be read from its start again.
constexpr std::int64_t checkpoints_max = 20'000;

constexpr const char* schema = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, size INTEGER NOT NULL,
                       sha256 TEXT NOT NULL, added INTEGER NOT NULL, quarantined INTEGER NOT NULL DEFAULT 0);
CREATE TABLE checkpoints (source TEXT PRIMARY KEY, position TEXT NOT NULL, lines INTEGER NOT NULL, moved INTEGER NOT NULL,
                          bytes INTEGER) WITHOUT ROWID;
CREATE TABLE chains (tenant TEXT PRIMARY KEY, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
)";

// What makes version N+1 of the state of version N, at index N-1. Each is run once, all in one transaction: a crash
// leaves the older version whole.
constexpr const char* migrations[] = {
    // 2: bytes of messages are counted. Of sources begun before, they stay unknown (NULL).
    "ALTER TABLE checkpoints ADD COLUMN bytes INTEGER",
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
      database_(std::move(database)) {}

Result<std::unique_ptr<Spool>> Spool::open(Options options, const Clock& clock, Log& log, Metrics& metrics) {
    CHECK(make_directories(options.state_dir, 0750));
    CHECK(make_directories(options.state_dir / "spool" / "quarantine", 0750));
    auto path = options.state_dir / "state.sqlite";
    TRY(auto database, Database::open(path));
    std::unique_ptr<Spool> spool{new Spool(std::move(options), clock, log, metrics, std::move(database))};
    CHECK(spool->prepare_schema());
    CHECK(spool->load());
    spool->remove_strays();
    spool->tell_changed();
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
    TRY(auto meta, database_.prepare("SELECT value FROM meta WHERE name = 'epoch'"));
    TRY(auto found, meta.step());
    if (!found)
        return fail(Remedy::stop,
                    "open the state database: it names no epoch; move the state directory away to start anew");
    epoch_ = meta.text(0);

    TRY(auto old, database_.prepare("DELETE FROM checkpoints WHERE source IN "
                                    "(SELECT source FROM checkpoints ORDER BY moved DESC, source LIMIT -1 OFFSET ?1)"));
    CHECK(old.bind(1, checkpoints_max).run());
    TRY(auto positions, database_.prepare("SELECT source, position, lines, bytes FROM checkpoints"));
    for (;;) {
        TRY(auto row, positions.step());
        if (!row) break;
        auto position = parse_position(positions.text(1));
        if (!position) {
            log_.error("checkpoint not understood, its source is read from its start", {{"source", positions.text(0)}});
            continue;
        }
        Checkpoint checkpoint{
            .position = *position, .lines = static_cast<std::uint64_t>(positions.number(2)), .bytes = std::nullopt};
        if (!positions.is_null(3)) checkpoint.bytes = static_cast<std::uint64_t>(positions.number(3));
        checkpoints_[positions.text(0)] = checkpoint;
    }

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
        waiting.added = Timestamp{Nanoseconds{segments.number(5)}};
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
        waiting_.emplace(id, std::move(waiting));
    }
    return {};
}

void Spool::remove_strays() {
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{options_.state_dir / "spool", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        if (entry->is_directory(unknown)) continue;
        auto name = entry->path().filename().string();
        std::int64_t id = 0;
        auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
        bool known = error == std::errc{} && std::string_view{end} == ".age" && waiting_.contains(id);
        if (known) continue;
        strays_.add();
        log_.warning("stray spool file removed; its lines are read again", {{"file", name}});
        if (auto removed = remove_file(entry->path()); !removed)
            log_.error("remove failed", {{"error", removed.error()}});
    }
}

Result<ChainHead> Spool::chain_head(const TenantId& tenant) {
    std::scoped_lock lock{database_guard_};
    TRY(auto query, database_.prepare("SELECT sequence, sha256 FROM chains WHERE tenant = ?1"));
    TRY(auto row, query.bind(1, tenant.str()).step());
    if (!row) return ChainHead{};
    return ChainHead{.sequence = static_cast<std::uint64_t>(query.number(0)) + 1, .previous_sha256 = query.text(1)};
}

Result<void> Spool::add(const segment::SealedSegment& segment, const Checkpoints& checkpoints) {
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
    TRY(auto upsert, database_.prepare("INSERT OR REPLACE INTO checkpoints (source, position, lines, moved, bytes) "
                                       "VALUES (?1, ?2, ?3, ?4, ?5)"));
    for (const auto& [source, checkpoint] : checkpoints) {
        upsert.bind(1, source)
            .bind(2, to_text(checkpoint.position))
            .bind(3, static_cast<std::int64_t>(checkpoint.lines))
            .bind(4, to_number(waiting.added));
        if (checkpoint.bytes)
            upsert.bind(5, static_cast<std::int64_t>(*checkpoint.bytes));
        else
            upsert.bind_null(5);
        CHECK(upsert.run());
    }
    CHECK(transaction.commit());
    ++next_id_;
    database_lock.unlock();

    {
        std::scoped_lock lock{guard_};
        bytes_ += waiting.segment.size;
        if (last_added_.size() < tenants_remembered_max || last_added_.contains(waiting.segment.tenant))
            last_added_[waiting.segment.tenant] = {waiting.segment.key, waiting.added};
        waiting_.emplace(id, std::move(waiting));
        for (const auto& [source, checkpoint] : checkpoints) checkpoints_[source] = checkpoint;
    }
    tell_changed();
    return {};
}

std::optional<Checkpoint> Spool::checkpoint(const std::string& source) const {
    std::scoped_lock lock{guard_};
    auto found = checkpoints_.find(source);
    return found == checkpoints_.end() ? std::nullopt : std::optional{found->second};
}

void Spool::forget(const std::string& source) {
    {
        std::scoped_lock lock{guard_};
        if (checkpoints_.erase(source) == 0) return;
    }
    std::scoped_lock lock{database_guard_};
    auto remove = database_.prepare("DELETE FROM checkpoints WHERE source = ?1");
    auto done = remove ? remove->bind(1, source).run() : Result<void>{std::unexpected(remove.error())};
    if (!done)
        log_.warning("checkpoint not removed; it is dropped when it is old",
                     {{"source", source}, {"error", done.error()}});
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
        if (waiting_.erase(segment.id) > 0) bytes_ -= segment.size;
        tenants_under_way_.erase(segment.tenant);
    }
    tell_changed();
    return {};
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
    std::filesystem::rename(segment.file, options_.state_dir / "spool" / "quarantine" / segment.file.filename(),
                            problem);
    {
        std::scoped_lock lock{guard_};
        if (waiting_.erase(segment.id) > 0) bytes_ -= segment.size;
        tenants_under_way_.erase(segment.tenant);
    }
    tell_changed();
    return {};
}

std::uint64_t Spool::bytes() const {
    std::scoped_lock lock{guard_};
    return bytes_;
}

std::size_t Spool::count() const {
    std::scoped_lock lock{guard_};
    return waiting_.size();
}

std::optional<Timestamp> Spool::oldest() const {
    std::scoped_lock lock{guard_};
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->second.added;
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
        bytes_gauge_.set(static_cast<double>(bytes_));
        segments_gauge_.set(static_cast<double>(waiting_.size()));
    }
    changed_.notify_all();
}

}  // namespace boatswain::spool
