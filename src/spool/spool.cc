#include "spool/spool.h"

#include "spool/schema.h"

namespace boatswain::spool {

Result<void> Spool::add(segment::SealedSegment segment, Checkpoints checkpoints, SegmentBookkeeping bookkeeping) {
    Addition addition{
        .segment = std::move(segment), .checkpoints = std::move(checkpoints), .bookkeeping = std::move(bookkeeping)};
    return add(std::span{&addition, 1});
}

Result<void> Spool::add(std::span<const Addition> additions) {
    auto numbered = SegmentQueue::number(additions);
    CHECK(SegmentQueue::write(additions, numbered));
    CHECK(commit(additions, numbered));
    {
        std::scoped_lock lock{state_->mutex};
        SegmentQueue::hold(std::move(numbered));
        Chains::hold(additions);
        SourceLedger::hold(additions);
    }
    tell_changed();
    return {};
}

// One transaction of all parts.
Result<void> Spool::commit(std::span<const Addition> additions, std::span<const Waiting> numbered) {
    auto session = state_->database.session();
    TRY(auto transaction, Transaction::begin(session));
    CHECK(SegmentQueue::save(session, numbered));
    CHECK(Chains::save(session, additions));
    CHECK(SourceLedger::save(session, additions));
    return transaction.commit();
}

TenantSpoolStatus Spool::standing(const std::string& tenant) const {
    auto standing = SegmentQueue::standing(tenant);
    standing.conflict = standing_conflict(tenant);
    return standing;
}

std::string Spool::note(const std::string& name) const {
    std::scoped_lock lock{state_->mutex};
    auto found = notes_.find(name);
    return found == notes_.end() ? std::string{} : found->second;
}

Result<void> Spool::set_note(const std::string& name, const std::string& value) {
    if (note(name) == value) return {};
    {
        auto session = state_->database.session();
        TRY(auto insert, session.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)"));
        CHECK(insert.bind(1, std::string{note_prefix} + name).bind(2, value).run());
    }
    std::scoped_lock lock{state_->mutex};
    notes_[name] = value;
    return {};
}

// Durable before it holds: a second form that the store has must not be forgotten for the first.
Result<void> Spool::rekey(const std::vector<Rekeyed>& segments, const std::optional<Conflict>& conflict) {
    {
        auto session = state_->database.session();
        TRY(auto transaction, Transaction::begin(session));
        CHECK(SegmentQueue::save(session, segments));
        if (conflict) CHECK(Chains::save(session, *conflict));
        CHECK(transaction.commit());
    }
    std::scoped_lock lock{state_->mutex};
    SegmentQueue::hold(segments);
    if (conflict) Chains::hold(*conflict);
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

Spool::~Spool() { settle_released(); }

}  // namespace boatswain::spool
