#include "spool/spool.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/durable_files.h"
#include "spool/schema.h"

namespace boatswain::spool {
namespace {

constexpr std::chrono::seconds settle_pause{1};  // after a failure

std::int64_t to_number(Timestamp time) { return time.time_since_epoch().count(); }

// The statements of a group of additions, each prepared once; for as long as the session.
struct Statements {
    Statement segment, chain, begin, checkpoint, ended, forget, told;

    static Result<Statements> prepare(Session& session) {
        TRY(auto segment, session.prepare("INSERT INTO segments (id, key, tenant, size, sha256, added) "
                                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
        TRY(auto chain, session.prepare("INSERT OR REPLACE INTO chains (tenant, sequence, sha256, epoch, moved) "
                                        "VALUES (?1, ?2, ?3, ?4, ?5)"));
        TRY(auto begin, session.prepare("INSERT OR IGNORE INTO checkpoints (source, position, lines, moved, bytes, "
                                        "about, last_time, ended) VALUES (?1, ?2, 0, ?3, 0, ?4, ?5, 0)"));
        TRY(auto checkpoint,
            session.prepare("INSERT OR REPLACE INTO checkpoints (source, position, lines, moved, "
                            "bytes, about, last_time, ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
        TRY(auto ended, session.prepare("UPDATE checkpoints SET ended = ?2 WHERE source = ?1 AND ended <> ?2"));
        TRY(auto forget, session.prepare("DELETE FROM checkpoints WHERE source = ?1"));
        TRY(auto told, session.prepare("UPDATE conflicts SET told = 1 WHERE tenant = ?1"));
        return Statements{segment, chain, begin, checkpoint, ended, forget, told};
    }

    Result<void> name(const Spooled& spooled, Timestamp added, const segment::ObjectKey& key) {
        CHECK(segment.bind(1, spooled.id)
                  .bind(2, spooled.key)
                  .bind(3, spooled.tenant)
                  .bind(4, static_cast<std::int64_t>(spooled.size))
                  .bind(5, to_hex(spooled.sha256))
                  .bind(6, to_number(added))
                  .run());
        return chain.bind(1, spooled.tenant)
            .bind(2, static_cast<std::int64_t>(key.sequence))
            .bind(3, to_hex(spooled.sha256))
            .bind(4, key.epoch)
            .bind(5, to_number(added))
            .run();
    }

    Result<void> note_beginning(const Checkpoint& from, const Known& known, Timestamp now) {
        return begin.bind(1, known.source.id)
            .bind(2, to_text(from.position))
            .bind(3, to_number(now))
            .bind(4, known_text(known))
            .bind(5, to_number(known.last_time))
            .run();
    }

    Result<void> move(const std::string& source, const Checkpoint& to, const Beside& beside, Timestamp now) {
        auto known = beside.known.find(source);
        bool is_known = known != beside.known.end();
        checkpoint.bind(1, source)
            .bind(2, to_text(to.position))
            .bind(3, static_cast<std::int64_t>(to.lines))
            .bind(4, to_number(now))
            .bind(7, is_known ? to_number(known->second.last_time) : 0)
            .bind(8, std::int64_t{is_known && known->second.ended});
        if (to.bytes)
            checkpoint.bind(5, static_cast<std::int64_t>(*to.bytes));
        else
            checkpoint.bind_null(5);
        if (is_known)
            checkpoint.bind(6, known_text(known->second));
        else
            checkpoint.bind_null(6);
        return checkpoint.run();
    }
};

}  // namespace

Spool::Spool(Options options, const Clock& clock, Log& log, Metrics& metrics, Database database)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      bytes_gauge_(metrics.gauge("boatswain_spool_bytes",
                                 "Sealed bytes on disk that the store has not acknowledged and that do not stand "
                                 "aside within spool.aside_max")),
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
      conflicts_counter_(metrics.counter("boatswain_key_conflicts_total",
                                         "Times that the store held something else under a key of this agent")),
      epochs_(metrics.counter("boatswain_epochs_begun_total", "New epochs that began because a key was taken")),
      aside_bytes_gauge_(metrics.gauge("boatswain_spool_aside_bytes",
                                       "Bytes of segments that stand aside, or lie in quarantine (spool.aside_max)")),
      refused_gauge_(metrics.gauge("boatswain_spool_aside_segments",
                                   "Segments that stand aside, by reason: refused ones are offered again each hour",
                                   {{"reason", "refused"}})),
      damaged_gauge_(metrics.gauge("boatswain_spool_aside_segments",
                                   "Segments that stand aside, by reason: refused ones are offered again each hour",
                                   {{"reason", "damaged"}})),
      database_(std::move(database)) {}

Result<ChainHead> Spool::chain_head(const TenantId& tenant) {
    CHECK(save_acknowledgement());
    CHECK(begin_epoch_if_wanted());
    ChainHead head;
    {
        std::scoped_lock lock{guard_};
        head.epoch = epoch_;
        // An epoch names the second in which it began.
        if (auto began = time_of_epoch(epoch_); began && epoch_ != began_epoch_)
            head.later_epoch_began = *began + std::chrono::seconds{1};
        auto conflict = conflicts_.find(tenant.str());
        // Told once in each epoch at most, however often keys are taken.
        head.key_was_taken = conflict != conflicts_.end() && !conflict->second.told && !new_epoch_wanted_;
    }
    auto session = database_.session();
    TRY(auto query, session.prepare("SELECT sequence, sha256 FROM chains WHERE tenant = ?1 AND epoch = ?2"));
    TRY(auto row, query.bind(1, tenant.str()).bind(2, head.epoch).step());
    if (!row) return head;
    head.sequence = static_cast<std::uint64_t>(query.number(0)) + 1;
    head.previous_sha256 = query.text(1);
    return head;
}

Result<void> Spool::add(segment::SealedSegment segment, Checkpoints checkpoints, Beside beside) {
    Addition addition{
        .segment = std::move(segment), .checkpoints = std::move(checkpoints), .beside = std::move(beside)};
    return add(std::span{&addition, 1});
}

Result<void> Spool::add(std::span<const Addition> additions) {
    auto numbered = number(additions);
    CHECK(write_segments(additions, numbered));
    CHECK(name_additions(additions, numbered));
    next_id_ += static_cast<std::int64_t>(numbered.size());

    {
        std::scoped_lock lock{guard_};
        for (auto& waiting : numbered) hold(std::move(waiting));
        for (const auto& addition : additions) hold(addition);
    }
    tell_changed();
    return {};
}

// What is to wait for the store: one for each addition that has a segment, in their order.
std::vector<Spool::Waiting> Spool::number(std::span<const Addition> additions) const {
    std::vector<Waiting> numbered;
    auto now = clock_.now();
    for (const auto& addition : additions) {
        if (!addition.segment) continue;
        auto id = next_id_ + static_cast<std::int64_t>(numbered.size());
        Waiting waiting;
        waiting.added = now;
        waiting.segment = {.id = id,
                           .key = addition.segment->key.str(),
                           .tenant = addition.segment->key.tenant.str(),
                           .file = options_.state_dir / "spool" / (std::to_string(id) + ".age"),
                           .size = addition.segment->bytes.size(),
                           .sha256 = addition.segment->sha256};
        numbered.push_back(std::move(waiting));
    }
    return numbered;
}

Result<void> Spool::write_segments(std::span<const Addition> additions, std::span<const Waiting> numbered) {
    std::vector<DurableFile> files;
    auto next = numbered.begin();
    for (const auto& addition : additions)
        if (addition.segment) files.push_back({(next++)->segment.file, addition.segment->bytes});
    return write_files_durably(files, 0640);
}

// One transaction, in which the additions follow each other: what a later one says of a source holds.
Result<void> Spool::name_additions(std::span<const Addition> additions, std::span<const Waiting> numbered) {
    auto now = clock_.now();
    auto session = database_.session();
    TRY(auto transaction, Transaction::begin(session));
    TRY(auto statements, Statements::prepare(session));
    auto next = numbered.begin();
    for (const auto& addition : additions) {
        for (const auto& [from, known] : addition.begun) CHECK(statements.note_beginning(from, known, now));
        if (addition.segment) {
            CHECK(statements.name(next->segment, next->added, addition.segment->key));
            if (addition.beside.tells_key_was_taken) CHECK(statements.told.bind(1, next->segment.tenant).run());
            ++next;
        }
        for (const auto& [source, checkpoint] : addition.checkpoints)
            CHECK(statements.move(source, checkpoint, addition.beside, now));
        for (const auto& [source, ended] : addition.ended)
            CHECK(statements.ended.bind(1, source).bind(2, std::int64_t{ended}).run());
        for (const auto& source : addition.beside.forget) CHECK(statements.forget.bind(1, source).run());
    }
    return transaction.commit();
}

void Spool::hold(Waiting waiting) {
    const auto& segment = waiting.segment;
    bytes_ += segment.size;
    tenant_bytes_[segment.tenant] += segment.size;
    if (last_added_.size() < tenants_remembered_max || last_added_.contains(segment.tenant))
        last_added_[segment.tenant] = {segment.key, waiting.added};
    auto id = segment.id;
    waiting_.emplace(id, std::move(waiting));
}

// Of the addition's sources.
void Spool::hold(const Addition& addition) {
    auto note = [&](const std::string& source, bool ended) {
        if (ended)
            ended_.insert(source);
        else
            ended_.erase(source);
    };
    if (addition.segment && addition.beside.tells_key_was_taken)
        if (auto told = conflicts_.find(addition.segment->key.tenant.str()); told != conflicts_.end())
            told->second.told = true;
    for (const auto& [from, known] : addition.begun) checkpoints_.try_emplace(known.source.id, from);
    for (const auto& [source, checkpoint] : addition.checkpoints) {
        checkpoints_[source] = checkpoint;
        auto known = addition.beside.known.find(source);
        note(source, known != addition.beside.known.end() && known->second.ended);
    }
    for (const auto& [source, ended] : addition.ended)
        if (checkpoints_.contains(source)) note(source, ended);
    for (const auto& source : addition.beside.forget) {
        checkpoints_.erase(source);
        ended_.erase(source);
        tenants_at_start_.erase(source);
    }
}

std::optional<Checkpoint> Spool::checkpoint(const std::string& source) const {
    std::scoped_lock lock{guard_};
    auto found = checkpoints_.find(source);
    return found == checkpoints_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<Known> Spool::was_of_another(const std::string& source, const TenantId& tenant) {
    {
        std::scoped_lock lock{guard_};
        auto before = tenants_at_start_.extract(source);
        if (!before || before.mapped() == tenant.str()) return std::nullopt;
    }
    auto session = database_.session();
    auto known = [&]() -> Result<std::optional<Known>> {
        TRY(auto query, session.prepare("SELECT about FROM checkpoints WHERE source = ?1"));
        TRY(auto row, query.bind(1, source).step());
        return row ? parse_known(source, query.text(0)) : std::nullopt;
    }();
    if (known) return std::move(*known);
    log_.error("what was known of a source is not read; no record says that it is another tenant's now",
               {{"source", source}, {"error", known.error()}});
    return std::nullopt;
}

std::string Spool::note(const std::string& name) const {
    std::scoped_lock lock{guard_};
    auto found = notes_.find(name);
    return found == notes_.end() ? std::string{} : found->second;
}

Result<void> Spool::set_note(const std::string& name, const std::string& value) {
    if (note(name) == value) return {};
    {
        auto session = database_.session();
        TRY(auto insert, session.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)"));
        CHECK(insert.bind(1, std::string{note_prefix} + name).bind(2, value).run());
    }
    std::scoped_lock lock{guard_};
    notes_[name] = value;
    return {};
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
            // What stands aside holds up nobody behind it.
            if (tenants_under_way_.contains(tenant)) continue;
            if (waiting.aside.empty() && !passed_over.insert(tenant).second) continue;
            if (waiting.not_before > now) {
                soonest = std::min(soonest, waiting.not_before);
                continue;
            }
            if (stop.stop_requested()) return std::nullopt;
            tenants_under_way_.insert(tenant);
            return waiting.segment;
        }
        if (stop.stop_requested()) return std::nullopt;
        if (may_settle_locked()) {
            lock.unlock();
            settle_released();
            lock.lock();
            continue;
        }
        if (!released_.empty()) soonest = std::min(soonest, settles_not_before_);
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
        auto session = database_.session();
        TRY(auto remove, session.prepare("DELETE FROM segments WHERE id = ?1"));
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

void Spool::release_soon(const Spooled& segment) {
    bool many = false;
    {
        std::scoped_lock lock{guard_};
        drop_waiting(segment);
        released_.push_back({.id = segment.id, .file = segment.file, .size = segment.size});
        released_bytes_ += segment.size;
        many = (released_.size() >= released_max || released_bytes_ >= released_bytes_max) && may_settle_locked();
    }
    tell_changed();
    if (many) settle_released();
}

bool Spool::may_settle_locked() const { return !released_.empty() && clock_.steady() >= settles_not_before_; }

// One transaction for all. After a failure they stay: a segment that is still named at the next start is offered once
// more, and nothing comes of it.
void Spool::settle_released() {
    std::vector<Released> released;
    {
        std::scoped_lock lock{guard_};
        released.swap(released_);
    }
    if (released.empty()) return;
    auto removed = [&]() -> Result<void> {
        auto session = database_.session();
        TRY(auto transaction, Transaction::begin(session));
        TRY(auto remove, session.prepare("DELETE FROM segments WHERE id = ?1"));
        for (const auto& one : released) CHECK(remove.bind(1, one.id).run());
        return transaction.commit();
    }();
    std::uint64_t bytes = 0;
    for (const auto& one : removed ? released : std::vector<Released>{}) {
        bytes += one.size;
        if (auto gone = remove_file(one.file); !gone) log_.error("remove failed", {{"error", gone.error()}});
    }
    {
        std::scoped_lock lock{guard_};
        released_bytes_ -= bytes;
        if (!removed) {
            released_.insert(released_.begin(), released.begin(), released.end());
            settles_not_before_ = clock_.steady() + settle_pause;
        }
    }
    if (!removed) log_.error("stored segments not released; trying again", {{"error", removed.error()}});
    tell_changed();
}

Spool::~Spool() { settle_released(); }

void Spool::drop_waiting(const Spooled& segment) {
    tenants_under_way_.erase(segment.tenant);
    auto gone = waiting_.find(segment.id);
    if (gone == waiting_.end()) return;
    bool stood_aside = !gone->second.aside.empty();
    (stood_aside ? refused_bytes_ : bytes_) -= segment.size;
    aside_.refused -= stood_aside ? 1 : 0;
    waiting_.erase(gone);
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
    std::error_code problem;
    auto size = std::filesystem::file_size(segment.file, problem);
    {
        auto session = database_.session();
        TRY(auto mark, session.prepare("UPDATE segments SET quarantined = 1, aside = NULL WHERE id = ?1"));
        CHECK(mark.bind(1, segment.id).run());
    }
    quarantined_.add();
    auto aside = put_aside(segment.file);
    if (aside) {
        auto session = database_.session();
        TRY(auto named, session.prepare("UPDATE segments SET aside_file = ?2 WHERE id = ?1"));
        CHECK(named.bind(1, segment.id).bind(2, *aside).run());
    }
    {
        std::scoped_lock lock{guard_};
        if (aside && !problem) quarantine_bytes_ += size;
        ++aside_.damaged;
        if (damaged_.size() < aside_listed_max)
            damaged_.push_back({.key = segment.key,
                                .tenant = segment.tenant,
                                .size = segment.size,
                                .added = clock_.now(),
                                .reason = "its file in the spool is missing or damaged",
                                .damaged = true});
        drop_waiting(segment);
    }
    tell_changed();
    return {};
}

bool Spool::has_room_locked(const std::string& tenant) const {
    auto used = used_locked();
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
    return used_locked();
}

std::size_t Spool::count() const {
    std::scoped_lock lock{guard_};
    return waiting_.size() - aside_.refused;
}

bool Spool::waits(const std::string& key) const {
    std::scoped_lock lock{guard_};
    return std::ranges::any_of(
        waiting_, [&](const auto& entry) { return entry.second.segment.key == key && entry.second.aside.empty(); });
}

std::optional<Timestamp> Spool::oldest() const {
    std::scoped_lock lock{guard_};
    for (const auto& [id, waiting] : waiting_)
        if (waiting.aside.empty()) return waiting.added;
    return std::nullopt;
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
        if (waiting.aside.empty()) continue;
        ++standing.aside;
        standing.aside_reason = waiting.aside;
    }
    if (auto conflict = conflicts_.find(tenant); conflict != conflicts_.end() && stands(conflict->second))
        standing.conflict = conflict->second;
    return standing;
}

void Spool::tell_changed() {
    {
        std::scoped_lock lock{guard_};
        ++changes_;
        bytes_gauge_.set(static_cast<double>(used_locked()));
        segments_gauge_.set(static_cast<double>(waiting_.size() - aside_.refused));
        aside_bytes_gauge_.set(static_cast<double>(aside_bytes_locked()));
        refused_gauge_.set(static_cast<double>(aside_.refused));
        damaged_gauge_.set(static_cast<double>(aside_.damaged));
    }
    changed_.notify_all();
}

}  // namespace boatswain::spool
