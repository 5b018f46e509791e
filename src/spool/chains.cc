#include "spool/chains.h"

#include <algorithm>
#include <functional>

#include "base/bytes.h"
#include "spool/schema.h"

namespace boatswain::spool {

Chains::Chains(State& state, Metrics& metrics)
    : state_(state),
      conflicts_counter_(metrics.counter("boatswain_key_conflicts_total",
                                         "Times that the store held something else under a key of this agent")),
      epochs_(metrics.counter("boatswain_epochs_begun_total", "New epochs that began because a key was taken")) {}

std::string Chains::epoch() const {
    std::scoped_lock lock{state_.mutex};
    return epoch_;
}

std::optional<Timestamp> Chains::state_began() const { return time_of_epoch(began_epoch_); }

Result<ChainHead> Chains::chain_head(const TenantId& tenant) {
    CHECK(save_acknowledgement());
    CHECK(begin_epoch_if_wanted());
    ChainHead head;
    {
        std::scoped_lock lock{state_.mutex};
        head.epoch = epoch_;
        // An epoch names the second in which it began.
        if (auto began = time_of_epoch(epoch_); began && epoch_ != began_epoch_)
            head.later_epoch_began = *began + std::chrono::seconds{1};
        auto conflict = conflicts_.find(tenant.str());
        // Told once in each epoch at most, however often keys are taken.
        head.key_was_taken = conflict != conflicts_.end() && !conflict->second.told && !new_epoch_wanted_;
    }
    auto session = state_.database.session();
    TRY(auto query, session.prepare("SELECT sequence, sha256 FROM chains WHERE tenant = ?1 AND epoch = ?2"));
    TRY(auto row, query.bind(1, tenant.str()).bind(2, head.epoch).step());
    if (!row) return head;
    head.sequence = static_cast<std::uint64_t>(query.number(0)) + 1;
    head.previous_sha256 = query.text(1);
    return head;
}

// On the sealing thread, between two segments. An error is the disk's: to be tried again.
Result<void> Chains::begin_epoch_if_wanted() {
    std::string before;
    {
        std::scoped_lock lock{state_.mutex};
        if (!new_epoch_wanted_) return {};
        before = epoch_;
    }
    auto now = state_.clock.steady();
    if (epoch_began_ && now - *epoch_began_ < epoch_pause) return {};
    auto next = draw_epoch(state_.clock.now());
    {
        auto session = state_.database.session();
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
        std::scoped_lock lock{state_.mutex};
        epoch_ = next;
        new_epoch_wanted_ = false;
    }
    state_.log.warning("a new epoch begins: a key of the one before was taken", {{"epoch", next}, {"before", before}});
    return {};
}

void Chains::want_new_epoch(const std::string& of_epoch) {
    std::scoped_lock lock{state_.mutex};
    if (of_epoch == epoch_) new_epoch_wanted_ = true;
}

Result<void> Chains::save(Session& session, std::span<const Addition> additions) const {
    auto now = state_.clock.now();
    TRY(auto move, session.prepare("INSERT OR REPLACE INTO chains (tenant, sequence, sha256, epoch, moved) "
                                   "VALUES (?1, ?2, ?3, ?4, ?5)"));
    TRY(auto told, session.prepare("UPDATE conflicts SET told = 1 WHERE tenant = ?1"));
    for (const auto& addition : additions) {
        if (!addition.segment) continue;
        const auto& key = addition.segment->key;
        CHECK(move.bind(1, key.tenant.str())
                  .bind(2, static_cast<std::int64_t>(key.sequence))
                  .bind(3, to_hex(addition.segment->sha256))
                  .bind(4, key.epoch)
                  .bind(5, to_number(now))
                  .run());
        if (addition.bookkeeping.tells_key_was_taken) CHECK(told.bind(1, key.tenant.str()).run());
    }
    return {};
}

void Chains::hold(std::span<const Addition> additions) {
    for (const auto& addition : additions) {
        if (!addition.segment || !addition.bookkeeping.tells_key_was_taken) continue;
        if (auto told = conflicts_.find(addition.segment->key.tenant.str()); told != conflicts_.end())
            told->second.told = true;
    }
}

Conflict Chains::next_conflict(const std::string& tenant, const std::string& key) const {
    std::scoped_lock lock{state_.mutex};
    Conflict next{.tenant = tenant, .key = key, .noticed = state_.clock.now(), .count = 1};
    if (auto before = conflicts_.find(tenant); before != conflicts_.end() && !before->second.acknowledged)
        next.count += before->second.count;
    return next;
}

Result<void> Chains::save(Session& session, const Conflict& conflict) const {
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

void Chains::hold(const Conflict& conflict) {
    conflicts_counter_.add();
    if (conflicts_.size() < conflicts_max || conflicts_.contains(conflict.tenant))
        conflicts_[conflict.tenant] = conflict;
}

std::optional<HeadAtStart> Chains::head_at_start(const std::string& tenant) const {
    std::scoped_lock lock{state_.mutex};
    auto found = heads_at_start_.find(tenant);
    return found == heads_at_start_.end() ? std::nullopt : std::optional{found->second};
}

void Chains::forget_head_at_start(const std::string& tenant) {
    std::scoped_lock lock{state_.mutex};
    heads_at_start_.erase(tenant);
}

bool Chains::stands(const Conflict& conflict) const {
    return !conflict.acknowledged && state_.clock.now() - conflict.noticed < conflict_stands;
}

std::vector<Conflict> Chains::conflicts() const {
    std::scoped_lock lock{state_.mutex};
    std::vector<Conflict> found;
    for (const auto& [tenant, conflict] : conflicts_)
        if (stands(conflict)) found.push_back(conflict);
    std::ranges::sort(found, std::ranges::greater{}, &Conflict::noticed);
    return found;
}

std::optional<Conflict> Chains::standing_conflict(const std::string& tenant) const {
    std::scoped_lock lock{state_.mutex};
    auto found = conflicts_.find(tenant);
    return found != conflicts_.end() && stands(found->second) ? std::optional{found->second} : std::nullopt;
}

std::size_t Chains::acknowledge_conflicts() {
    std::scoped_lock lock{state_.mutex};
    std::size_t known = 0;
    for (auto& [tenant, conflict] : conflicts_) {
        known += stands(conflict) ? 1 : 0;
        conflict.acknowledged = true;
    }
    acknowledged_ = true;
    return known;
}

// On the sealing thread: who acknowledges must not wait for the disk.
Result<void> Chains::save_acknowledgement() {
    std::vector<std::string> tenants;
    {
        std::scoped_lock lock{state_.mutex};
        if (!std::exchange(acknowledged_, false)) return {};
        for (const auto& [tenant, conflict] : conflicts_)
            if (conflict.acknowledged) tenants.push_back(tenant);
    }
    auto saved = [&]() -> Result<void> {
        auto session = state_.database.session();
        TRY(auto transaction, Transaction::begin(session));
        TRY(auto update, session.prepare("UPDATE conflicts SET acknowledged = 1 WHERE tenant = ?1"));
        for (const auto& tenant : tenants) CHECK(update.bind(1, tenant).run());
        return transaction.commit();
    }();
    if (saved) return {};
    std::scoped_lock lock{state_.mutex};
    acknowledged_ = true;
    return saved;
}

Result<void> Chains::load(std::string epoch, std::string began_epoch) {
    epoch_ = std::move(epoch);
    began_epoch_ = began_epoch.empty() ? epoch_ : std::move(began_epoch);
    CHECK(load_heads());
    return load_conflicts();
}

Result<void> Chains::load_conflicts() {
    auto session = state_.database.session();
    TRY(auto old, session.prepare("DELETE FROM conflicts WHERE told <> 0 AND noticed < ?1"));
    CHECK(old.bind(1, to_number(state_.clock.now() - conflict_kept)).run());
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

Result<void> Chains::load_heads() {
    auto session = state_.database.session();
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
