#include "spool/segment_queue.h"

#include <algorithm>
#include <tuple>

#include "base/bytes.h"
#include "base/durable_files.h"

namespace boatswain::spool {
namespace {

constexpr std::chrono::seconds settle_pause{1};  // after a failure

}  // namespace

SegmentQueue::SegmentQueue(State& state, Metrics& metrics)
    : state_(state),
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
      aside_bytes_gauge_(metrics.gauge("boatswain_spool_aside_bytes",
                                       "Bytes of segments that stand aside, or lie in quarantine (spool.aside_max)")),
      refused_gauge_(metrics.gauge("boatswain_spool_aside_segments",
                                   "Segments that stand aside, by reason: refused ones are offered again each hour",
                                   {{"reason", "refused"}})),
      damaged_gauge_(metrics.gauge("boatswain_spool_aside_segments",
                                   "Segments that stand aside, by reason: refused ones are offered again each hour",
                                   {{"reason", "damaged"}})) {}

// What is to wait for the store: one for each addition that has a segment, in their order.
std::vector<SegmentQueue::Waiting> SegmentQueue::number(std::span<const Addition> additions) const {
    std::vector<Waiting> numbered;
    auto now = state_.clock.now();
    for (const auto& addition : additions) {
        if (!addition.segment) continue;
        auto id = next_id_ + static_cast<std::int64_t>(numbered.size());
        Waiting waiting;
        waiting.added = now;
        waiting.segment = {.id = id,
                           .key = addition.segment->key.str(),
                           .tenant = addition.segment->key.tenant.str(),
                           .file = file_of(id),
                           .size = addition.segment->bytes.size(),
                           .sha256 = addition.segment->sha256};
        numbered.push_back(std::move(waiting));
    }
    return numbered;
}

Result<void> SegmentQueue::write(std::span<const Addition> additions, std::span<const Waiting> numbered) const {
    std::vector<DurableFile> files;
    auto next = numbered.begin();
    for (const auto& addition : additions)
        if (addition.segment) files.push_back({(next++)->segment.file, addition.segment->bytes});
    return write_files_durably(files, 0640);
}

Result<void> SegmentQueue::save(Session& session, std::span<const Waiting> numbered) const {
    TRY(auto insert, session.prepare("INSERT INTO segments (id, key, tenant, size, sha256, added) "
                                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
    for (const auto& [segment, added, not_before, aside] : numbered)
        CHECK(insert.bind(1, segment.id)
                  .bind(2, segment.key)
                  .bind(3, segment.tenant)
                  .bind(4, static_cast<std::int64_t>(segment.size))
                  .bind(5, to_hex(segment.sha256))
                  .bind(6, to_number(added))
                  .run());
    return {};
}

void SegmentQueue::hold(std::vector<Waiting> numbered) {
    next_id_ += static_cast<std::int64_t>(numbered.size());
    for (auto& waiting : numbered) {
        const auto& segment = waiting.segment;
        bytes_ += segment.size;
        tenant_bytes_[segment.tenant] += segment.size;
        if (last_added_.size() < tenants_remembered_max || last_added_.contains(segment.tenant))
            last_added_[segment.tenant] = {segment.key, waiting.added};
        auto id = segment.id;
        waiting_.emplace(id, std::move(waiting));
    }
}

std::optional<Spooled> SegmentQueue::take(std::stop_token stop) {
    std::unique_lock lock{state_.mutex};
    for (;;) {
        auto now = state_.clock.steady();
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

Result<void> SegmentQueue::release(const Spooled& segment) {
    {
        auto session = state_.database.session();
        TRY(auto remove, session.prepare("DELETE FROM segments WHERE id = ?1"));
        CHECK(remove.bind(1, segment.id).run());
    }
    // A file that stays is a stray, and goes at the next start: the segment is released all the same.
    if (auto removed = remove_file(segment.file); !removed)
        state_.log.error("remove failed", {{"error", removed.error()}});
    {
        std::scoped_lock lock{state_.mutex};
        drop_waiting(segment);
    }
    tell_changed();
    return {};
}

void SegmentQueue::release_soon(const Spooled& segment) {
    bool many = false;
    {
        std::scoped_lock lock{state_.mutex};
        drop_waiting(segment);
        released_.push_back({.id = segment.id, .file = segment.file, .size = segment.size});
        released_bytes_ += segment.size;
        many = (released_.size() >= released_max || released_bytes_ >= released_bytes_max) && may_settle_locked();
    }
    tell_changed();
    if (many) settle_released();
}

bool SegmentQueue::may_settle_locked() const {
    return !released_.empty() && state_.clock.steady() >= settles_not_before_;
}

// One transaction for all. After a failure they stay: a segment that is still named at the next start is offered once
// more, and nothing comes of it.
void SegmentQueue::settle_released() {
    std::vector<Released> released;
    {
        std::scoped_lock lock{state_.mutex};
        released.swap(released_);
    }
    if (released.empty()) return;
    auto removed = [&]() -> Result<void> {
        auto session = state_.database.session();
        TRY(auto transaction, Transaction::begin(session));
        TRY(auto remove, session.prepare("DELETE FROM segments WHERE id = ?1"));
        for (const auto& one : released) CHECK(remove.bind(1, one.id).run());
        return transaction.commit();
    }();
    std::uint64_t bytes = 0;
    for (const auto& one : removed ? released : std::vector<Released>{}) {
        bytes += one.size;
        if (auto gone = remove_file(one.file); !gone) state_.log.error("remove failed", {{"error", gone.error()}});
    }
    {
        std::scoped_lock lock{state_.mutex};
        released_bytes_ -= bytes;
        if (!removed) {
            released_.insert(released_.begin(), released.begin(), released.end());
            settles_not_before_ = state_.clock.steady() + settle_pause;
        }
    }
    if (!removed) state_.log.error("stored segments not released; trying again", {{"error", removed.error()}});
    tell_changed();
}

void SegmentQueue::drop_waiting(const Spooled& segment) {
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

void SegmentQueue::give_back(const Spooled& segment, std::chrono::milliseconds wait) {
    {
        std::scoped_lock lock{state_.mutex};
        tenants_under_way_.erase(segment.tenant);
        if (auto found = waiting_.find(segment.id); found != waiting_.end()) {
            found->second.not_before = state_.clock.steady() + wait;
            found->second.segment.attempts = segment.attempts + 1;
        }
    }
    tell_changed();
}

Result<void> SegmentQueue::quarantine(const Spooled& segment) {
    std::error_code problem;
    auto size = std::filesystem::file_size(segment.file, problem);
    {
        auto session = state_.database.session();
        TRY(auto mark, session.prepare("UPDATE segments SET quarantined = 1, aside = NULL WHERE id = ?1"));
        CHECK(mark.bind(1, segment.id).run());
    }
    quarantined_.add();
    auto aside = put_aside(segment.file);
    if (aside) {
        auto session = state_.database.session();
        TRY(auto named, session.prepare("UPDATE segments SET aside_file = ?2 WHERE id = ?1"));
        CHECK(named.bind(1, segment.id).bind(2, *aside).run());
    }
    {
        std::scoped_lock lock{state_.mutex};
        if (aside && !problem) quarantine_bytes_ += size;
        note_damaged(segment, state_.clock.now());
        drop_waiting(segment);
    }
    tell_changed();
    return {};
}

Result<void> SegmentQueue::set_aside(const Spooled& segment, std::string reason) {
    reason.resize(std::min(reason.size(), aside_reason_bytes_max));
    if (reason.empty()) reason = "refused";
    {
        auto session = state_.database.session();
        TRY(auto mark, session.prepare("UPDATE segments SET aside = ?2 WHERE id = ?1"));
        CHECK(mark.bind(1, segment.id).bind(2, reason).run());
    }
    {
        std::scoped_lock lock{state_.mutex};
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
            waiting.not_before = state_.clock.steady() + aside_pause;
        }
    }
    tell_changed();
    return {};
}

std::size_t SegmentQueue::offer_again() {
    std::size_t offered = 0;
    {
        std::scoped_lock lock{state_.mutex};
        for (auto& [id, waiting] : waiting_) {
            if (waiting.aside.empty()) continue;
            waiting.not_before = {};
            ++offered;
        }
    }
    tell_changed();
    return offered;
}

std::vector<AsideSegment> SegmentQueue::aside() const {
    std::scoped_lock lock{state_.mutex};
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

AsideTotals SegmentQueue::aside_totals() const {
    std::scoped_lock lock{state_.mutex};
    auto totals = aside_;
    totals.bytes = aside_bytes_locked();
    if (totals.refused == 0) totals.last_reason.clear();
    return totals;
}

std::vector<SegmentQueue::Rekeyed> SegmentQueue::behind(const std::string& tenant, const std::string& epoch,
                                                        std::uint64_t sequence) const {
    std::scoped_lock lock{state_.mutex};
    std::vector<Rekeyed> found;
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.segment.tenant != tenant) continue;
        auto key = segment::parse_object_key(waiting.segment.key);
        if (!key || !key->hash.empty() || key->epoch != epoch || key->sequence < sequence) continue;
        found.push_back({.id = id, .key = key->second_form(waiting.segment.sha256).str()});
    }
    return found;
}

Result<void> SegmentQueue::save(Session& session, std::span<const Rekeyed> rekeyed) const {
    TRY(auto update, session.prepare("UPDATE segments SET key = ?2 WHERE id = ?1"));
    for (const auto& segment : rekeyed) CHECK(update.bind(1, segment.id).bind(2, segment.key).run());
    return {};
}

void SegmentQueue::hold(std::span<const Rekeyed> rekeyed) {
    for (const auto& segment : rekeyed)
        if (auto found = waiting_.find(segment.id); found != waiting_.end()) found->second.segment.key = segment.key;
}

std::uint64_t SegmentQueue::used_locked() const {
    return bytes_ + released_bytes_ +
           (aside_bytes_locked() > state_.options.aside_max ? aside_bytes_locked() - state_.options.aside_max : 0);
}

void SegmentQueue::note_damaged(const Spooled& segment, Timestamp added) {
    ++aside_.damaged;
    if (damaged_.size() < aside_listed_max)
        damaged_.push_back({.key = segment.key,
                            .tenant = segment.tenant,
                            .size = segment.size,
                            .added = added,
                            .reason = "its file in the spool is missing or damaged",
                            .damaged = true});
}

bool SegmentQueue::has_room_locked(const std::string& tenant) const {
    auto used = used_locked();
    if (used >= state_.options.bytes_max) return false;
    auto mine = tenant_bytes_.find(tenant);
    return mine == tenant_bytes_.end() || mine->second < room_factor * (state_.options.bytes_max - used);
}

bool SegmentQueue::has_room(const std::string& tenant) const {
    std::scoped_lock lock{state_.mutex};
    return has_room_locked(tenant);
}

std::vector<std::string> SegmentQueue::tenants_without_room() const {
    std::scoped_lock lock{state_.mutex};
    std::vector<std::string> without;
    for (const auto& [tenant, bytes] : tenant_bytes_)
        if (!has_room_locked(tenant)) without.push_back(tenant);
    return without;
}

std::uint64_t SegmentQueue::bytes() const {
    std::scoped_lock lock{state_.mutex};
    return used_locked();
}

std::size_t SegmentQueue::count() const {
    std::scoped_lock lock{state_.mutex};
    return waiting_.size() - aside_.refused;
}

bool SegmentQueue::waits(const std::string& key) const {
    std::scoped_lock lock{state_.mutex};
    return std::ranges::any_of(
        waiting_, [&](const auto& entry) { return entry.second.segment.key == key && entry.second.aside.empty(); });
}

std::optional<Timestamp> SegmentQueue::oldest() const {
    std::scoped_lock lock{state_.mutex};
    for (const auto& [id, waiting] : waiting_)
        if (waiting.aside.empty()) return waiting.added;
    return std::nullopt;
}

std::map<std::string, std::uint64_t> SegmentQueue::waiting_bytes() const {
    std::scoped_lock lock{state_.mutex};
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& [id, waiting] : waiting_) bytes[waiting.segment.tenant] += waiting.segment.size;
    return bytes;
}

std::optional<Timestamp> SegmentQueue::newest() const {
    std::scoped_lock lock{state_.mutex};
    std::optional<Timestamp> newest;
    for (const auto& [tenant, last] : last_added_) newest = std::max(newest.value_or(last.second), last.second);
    return newest;
}

TenantSpoolStatus SegmentQueue::standing(const std::string& tenant) const {
    std::scoped_lock lock{state_.mutex};
    TenantSpoolStatus standing;
    if (auto last = last_added_.find(tenant); last != last_added_.end())
        std::tie(standing.last_key, standing.last_added) = last->second;
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.segment.tenant != tenant) continue;
        if (standing.waiting++ == 0) standing.first_waiting = id;
        standing.last_waiting = id;
        standing.waiting_bytes += waiting.segment.size;
        if (waiting.aside.empty()) continue;
        ++standing.aside;
        standing.aside_reason = waiting.aside;
    }
    return standing;
}

void SegmentQueue::tell_changed() {
    {
        std::scoped_lock lock{state_.mutex};
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
