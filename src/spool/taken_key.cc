// What the spool does when a key is taken, and with segments that the store refuses.
#include "spool/taken_key.h"

#include <algorithm>
#include <functional>

#include "base/bytes.h"
#include "spool/schema.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

std::int64_t to_number(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp to_time(std::int64_t number) { return Timestamp{Nanoseconds{number}}; }

Result<void> save(Session& session, const Conflict& conflict) {
    TRY(auto upsert, session.prepare("INSERT OR REPLACE INTO conflicts (tenant, key, noticed, count, told, "
                                     "acknowledged) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
    return upsert.bind(1, conflict.tenant)
        .bind(2, conflict.key)
        .bind(3, to_number(conflict.noticed))
        .bind(4, static_cast<std::int64_t>(conflict.count))
        .bind(5, std::int64_t{conflict.told})
        .bind(6, std::int64_t{conflict.acknowledged})
        .run();
}

}  // namespace

struct Spool::Rekeyed {
    std::int64_t id = 0;
    std::string key;  // the second form
};

std::string Spool::epoch() const {
    std::scoped_lock lock{guard_};
    return epoch_;
}

std::optional<Timestamp> Spool::state_began() const { return time_of_epoch(began_epoch_); }

// On the sealing thread, between two segments. An error is the disk's: to be tried again.
Result<void> Spool::begin_epoch_if_wanted() {
    std::string before;
    {
        std::scoped_lock lock{guard_};
        if (!new_epoch_wanted_) return {};
        before = epoch_;
    }
    auto now = clock_.steady();
    if (epoch_began_ && now - *epoch_began_ < epoch_pause) return {};
    auto next = draw_epoch(clock_.now());
    {
        auto session = database_.session();
        TRY(auto transaction, Transaction::begin(session));
        TRY(auto keep, session.prepare("INSERT OR IGNORE INTO meta VALUES ('began_epoch', ?1)"));
        CHECK(keep.bind(1, before).run());
        TRY(auto update, session.prepare("UPDATE meta SET value = ?1 WHERE name = 'epoch'"));
        CHECK(update.bind(1, next).run());
        CHECK(transaction.commit());
    }
    epoch_began_ = now;
    epochs_.add();
    {
        std::scoped_lock lock{guard_};
        epoch_ = next;
        new_epoch_wanted_ = false;
    }
    log_.warning("a new epoch begins: a key of the one before was taken", {{"epoch", next}, {"before", before}});
    return {};
}

void Spool::want_new_epoch(const std::string& of_epoch) {
    std::scoped_lock lock{guard_};
    if (of_epoch == epoch_) new_epoch_wanted_ = true;
}

// The waiting segments of a chain from this number on that have the first form of their key.
std::vector<Spool::Rekeyed> Spool::behind(const std::string& tenant, const std::string& epoch,
                                          std::uint64_t sequence) const {
    std::scoped_lock lock{guard_};
    std::vector<Rekeyed> found;
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.segment.tenant != tenant) continue;
        auto key = segment::parse_object_key(waiting.segment.key);
        if (!key || !key->hash.empty() || key->epoch != epoch || key->sequence < sequence) continue;
        found.push_back({.id = id, .key = key->second_form(waiting.segment.sha256).str()});
    }
    return found;
}

Conflict Spool::next_conflict(const std::string& tenant, const std::string& key) const {
    std::scoped_lock lock{guard_};
    Conflict next{.tenant = tenant, .key = key, .noticed = clock_.now(), .count = 1};
    if (auto before = conflicts_.find(tenant); before != conflicts_.end() && !before->second.acknowledged)
        next.count += before->second.count;
    return next;
}

// Durable before it holds: a second form that the store has must not be forgotten for the first.
Result<void> Spool::rekey(const std::vector<Rekeyed>& segments, const std::optional<Conflict>& conflict) {
    {
        auto session = database_.session();
        TRY(auto transaction, Transaction::begin(session));
        TRY(auto update, session.prepare("UPDATE segments SET key = ?2 WHERE id = ?1"));
        for (const auto& segment : segments) CHECK(update.bind(1, segment.id).bind(2, segment.key).run());
        if (conflict) CHECK(save(session, *conflict));
        CHECK(transaction.commit());
    }
    if (conflict) conflicts_counter_.add();
    std::scoped_lock lock{guard_};
    for (const auto& segment : segments)
        if (auto found = waiting_.find(segment.id); found != waiting_.end()) found->second.segment.key = segment.key;
    if (conflict && (conflicts_.size() < conflicts_max || conflicts_.contains(conflict->tenant)))
        conflicts_[conflict->tenant] = *conflict;
    return {};
}

Result<void> Spool::give_second_key(const Spooled& segment, bool conflict) {
    auto key = segment::parse_object_key(segment.key);
    if (!key || !key->hash.empty()) return fail(Remedy::stop, segment.key + " has no second form");
    if (conflict) {
        CHECK(rekey(behind(segment.tenant, key->epoch, key->sequence), next_conflict(segment.tenant, segment.key)));
        want_new_epoch(key->epoch);
    } else {
        CHECK(rekey({{.id = segment.id, .key = key->second_form(segment.sha256).str()}}, std::nullopt));
    }
    give_back(segment, std::chrono::milliseconds{0});
    return {};
}

Result<void> Spool::found_behind(const std::string& tenant, const HeadAtStart& head, const std::string& key) {
    CHECK(rekey(behind(tenant, head.epoch, head.sequence + 1), next_conflict(tenant, key)));
    want_new_epoch(head.epoch);
    return {};
}

std::optional<HeadAtStart> Spool::head_at_start(const std::string& tenant) const {
    std::scoped_lock lock{guard_};
    auto found = heads_at_start_.find(tenant);
    return found == heads_at_start_.end() ? std::nullopt : std::optional{found->second};
}

void Spool::forget_head_at_start(const std::string& tenant) {
    std::scoped_lock lock{guard_};
    heads_at_start_.erase(tenant);
}

Result<void> Spool::set_aside(const Spooled& segment, std::string reason) {
    reason.resize(std::min(reason.size(), aside_reason_bytes_max));
    if (reason.empty()) reason = "refused";
    {
        auto session = database_.session();
        TRY(auto mark, session.prepare("UPDATE segments SET aside = ?2 WHERE id = ?1"));
        CHECK(mark.bind(1, segment.id).bind(2, reason).run());
    }
    {
        std::scoped_lock lock{guard_};
        tenants_under_way_.erase(segment.tenant);
        if (auto found = waiting_.find(segment.id); found != waiting_.end()) {
            auto& waiting = found->second;
            if (waiting.aside.empty()) {
                bytes_ -= waiting.segment.size;
                refused_bytes_ += waiting.segment.size;
                ++aside_.refused;
            }
            waiting.aside = aside_.last_reason = std::move(reason);
            waiting.segment.aside = true;
            waiting.segment.attempts = segment.attempts + 1;
            waiting.not_before = clock_.steady() + aside_pause;
        }
    }
    tell_changed();
    return {};
}

std::size_t Spool::offer_again() {
    std::size_t offered = 0;
    {
        std::scoped_lock lock{guard_};
        for (auto& [id, waiting] : waiting_) {
            if (waiting.aside.empty()) continue;
            waiting.not_before = {};
            ++offered;
        }
    }
    tell_changed();
    return offered;
}

std::vector<AsideSegment> Spool::aside() const {
    std::scoped_lock lock{guard_};
    std::vector<AsideSegment> found;
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.aside.empty() || found.size() >= aside_listed_max) continue;
        const auto& segment = waiting.segment;
        found.push_back({.key = segment.key,
                         .tenant = segment.tenant,
                         .size = segment.size,
                         .added = waiting.added,
                         .reason = waiting.aside});
    }
    found.insert(found.end(), damaged_.begin(), damaged_.end());
    if (found.size() > aside_listed_max) found.resize(aside_listed_max);
    return found;
}

AsideTotals Spool::aside_totals() const {
    std::scoped_lock lock{guard_};
    auto totals = aside_;
    totals.bytes = aside_bytes_locked();
    if (totals.refused == 0) totals.last_reason.clear();
    return totals;
}

std::uint64_t Spool::used_locked() const {
    return bytes_ + released_bytes_ +
           (aside_bytes_locked() > options_.aside_max ? aside_bytes_locked() - options_.aside_max : 0);
}

bool Spool::stands(const Conflict& conflict) const {
    return !conflict.acknowledged && clock_.now() - conflict.noticed < conflict_stands;
}

std::vector<Conflict> Spool::conflicts() const {
    std::scoped_lock lock{guard_};
    std::vector<Conflict> found;
    for (const auto& [tenant, conflict] : conflicts_)
        if (stands(conflict)) found.push_back(conflict);
    std::ranges::sort(found, std::ranges::greater{}, &Conflict::noticed);
    return found;
}

std::size_t Spool::acknowledge_conflicts() {
    std::scoped_lock lock{guard_};
    std::size_t known = 0;
    for (auto& [tenant, conflict] : conflicts_) {
        known += stands(conflict) ? 1 : 0;
        conflict.acknowledged = true;
    }
    acknowledged_ = true;
    return known;
}

// On the sealing thread: who acknowledges must not wait for the disk.
Result<void> Spool::save_acknowledgement() {
    std::vector<std::string> tenants;
    {
        std::scoped_lock lock{guard_};
        if (!std::exchange(acknowledged_, false)) return {};
        for (const auto& [tenant, conflict] : conflicts_)
            if (conflict.acknowledged) tenants.push_back(tenant);
    }
    auto saved = [&]() -> Result<void> {
        auto session = database_.session();
        TRY(auto transaction, Transaction::begin(session));
        TRY(auto update, session.prepare("UPDATE conflicts SET acknowledged = 1 WHERE tenant = ?1"));
        for (const auto& tenant : tenants) CHECK(update.bind(1, tenant).run());
        return transaction.commit();
    }();
    if (saved) return {};
    std::scoped_lock lock{guard_};
    acknowledged_ = true;
    return saved;
}

Result<void> Spool::load_conflicts() {
    auto session = database_.session();
    TRY(auto old, session.prepare("DELETE FROM conflicts WHERE told <> 0 AND noticed < ?1"));
    CHECK(old.bind(1, to_number(clock_.now() - conflict_kept)).run());
    TRY(auto rows, session.prepare("SELECT tenant, key, noticed, count, told, acknowledged FROM conflicts "
                                   "ORDER BY noticed DESC, tenant LIMIT ?1"));
    rows.bind(1, static_cast<std::int64_t>(conflicts_max));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return {};
        Conflict conflict{.tenant = rows.text(0),
                          .key = rows.text(1),
                          .noticed = to_time(rows.number(2)),
                          .count = static_cast<std::uint64_t>(rows.number(3)),
                          .told = rows.number(4) != 0,
                          .acknowledged = rows.number(5) != 0};
        // A crash came between the conflict and the epoch that it called for.
        auto key = segment::parse_object_key(conflict.key);
        new_epoch_wanted_ = new_epoch_wanted_ || (key && key->epoch == epoch_);
        conflicts_.emplace(conflict.tenant, std::move(conflict));
    }
}

Result<void> Spool::load_heads() {
    auto session = database_.session();
    TRY(auto rows, session.prepare("SELECT tenant, sequence, moved FROM chains WHERE epoch = ?1 "
                                   "ORDER BY moved DESC, tenant LIMIT ?2"));
    rows.bind(1, epoch_).bind(2, static_cast<std::int64_t>(heads_at_start_max));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return {};
        heads_at_start_[rows.text(0)] = {
            .epoch = epoch_, .sequence = static_cast<std::uint64_t>(rows.number(1)), .moved = to_time(rows.number(2))};
    }
}

}  // namespace boatswain::spool
