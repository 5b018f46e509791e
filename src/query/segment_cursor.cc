#include "query/segment_cursor.h"

#include <algorithm>
#include <atomic>

#include "query/forms.h"

namespace boatswain::query {

namespace {

using Attempt = Result<std::optional<Opened>>;

// Of one hour of one tenant, in Feed::hours_: a map's node, a vector's element, a name.
constexpr std::uint64_t hour_memory = 200;

// Opens those of `infos` that have no answer in `attempts`, several at a time. Each answer lies at its segment's index;
// after trouble of the store itself the rest is not tried, and has no answer.
class OpenRest final : public Crew::Work {
  public:
    OpenRest(store::Store& store, const std::vector<SegmentInfo>& infos, std::span<const open::Identity> identities,
             const Limits& limits, std::vector<std::optional<Attempt>>& attempts, Crew& crew)
        : store_(store), infos_(infos), identities_(identities), limits_(limits), attempts_(attempts), crew_(crew) {
        for (std::size_t at = 0; at < infos.size(); ++at)
            if (!attempts[at]) left_.push_back(at);
        crew_.enlist(*this);
    }
    ~OpenRest() override { crew_.dismiss(*this); }

    void run() {
        while (open_one()) {
        }
        crew_.dismiss(*this);  // what others have begun is done
    }
    void do_one(open::FrameOpener&) override { open_one(); }

  private:
    bool open_one() {
        if (store_failed_) return false;
        auto next = next_++;
        if (next >= left_.size()) return false;
        if (next + 1 < left_.size()) crew_.call(*this);
        auto at = left_[next];
        attempts_[at].emplace(open_segment(store_, infos_[at], identities_, limits_));
        const auto& attempt = *attempts_[at];
        if (!attempt && !is_of_one_object(attempt.error())) store_failed_ = true;
        return true;
    }

    store::Store& store_;
    const std::vector<SegmentInfo>& infos_;
    std::span<const open::Identity> identities_;
    const Limits& limits_;
    std::vector<std::optional<Attempt>>& attempts_;
    Crew& crew_;
    std::vector<std::size_t> left_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> store_failed_{false};
};

}  // namespace

Result<void> SegmentCursor::start() {
    std::vector<TenantId> tenants;
    if (selection_.tenant)
        tenants.push_back(*selection_.tenant);
    else {
        TRY(tenants, catalog_.tenants());
    }
    for (const auto& tenant : tenants) {
        std::vector<RollupInfo> rollups;
        TRY(auto hours, catalog_.hours(tenant, hours_of(selection_.range), &rollups));
        for (const auto& one : rollups) rolled_up_.add(tenant, one);
        TRY(auto held, limits_.budget.hold(hours.size() * hour_memory, "the hours of all tenants"));
        hours_held_.push_back(std::move(held));
        for (const auto& place : hours) hours_[place.hour].emplace_back(tenant, place);
    }
    tally_.hours_total = hours_.size();
    tally_.foreign = catalog_.foreign();
    return {};
}

std::optional<Timestamp> SegmentCursor::next_hour() const {
    if (hours_.empty()) return std::nullopt;
    return hours_.begin()->first;
}

std::vector<Timestamp> SegmentCursor::hours() const {
    std::vector<Timestamp> hours;
    for (const auto& [hour, places] : hours_) hours.push_back(hour);
    return hours;
}

void SegmentCursor::tell_damage(const Error& error) {
    ++tally_.damaged;
    observer_.damaged(error);
}

void SegmentCursor::open_rolled_up_ones(const std::vector<SegmentInfo>& infos, Attempts& attempts) {
    auto is_same_place = [](const SegmentInfo& one, const SegmentInfo& other) {
        return one.key.tenant == other.key.tenant && one.key.spanning == other.key.spanning;
    };
    for (std::size_t first = 0, end = 0; first < infos.size(); first = end) {
        while (end < infos.size() && is_same_place(infos[first], infos[end])) ++end;
        auto found = rolled_up_.find(std::span{infos}.subspan(first, end - first));
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (!found[i]) continue;
            attempts[first + i].emplace(std::move(found[i]));
            ++tally_.rolled_up;
        }
    }
}

// What goes wrong with one is found by opening it.
void SegmentCursor::open_known_ones(const std::vector<SegmentInfo>& infos, Attempts& attempts) {
    if (limits_.known == nullptr) return;
    for (std::size_t i = 0; i < infos.size(); ++i) {
        if (attempts[i]) continue;
        auto known = limits_.known->find(reader_, infos[i]);
        if (!known) continue;
        auto opened = open_rolled_up(store_, infos[i], known->footer, known->header_mac, identities_, limits_);
        if (opened) attempts[i].emplace(std::move(*opened));
    }
}

Result<std::vector<std::shared_ptr<Opened>>> SegmentCursor::open_next_hour() {
    auto places = std::move(hours_.begin()->second);
    hours_.erase(hours_.begin());
    std::vector<SegmentInfo> infos;
    std::vector<Share> held;
    for (const auto& [tenant, place] : places) {
        TRY(auto listed, catalog_.segments(tenant, place));
        std::uint64_t memory = 0;
        for (const auto& info : listed) memory += memory_of(info) + sizeof(std::optional<Attempt>);
        TRY(held.emplace_back(), limits_.budget.hold(memory, "the names of the segments of an hour"));
        std::ranges::move(listed, std::back_inserter(infos));
    }
    TRY(auto forms, settle_forms(store_, infos));
    tally_.copies += forms.copies;
    tally_.conflicts += forms.conflicts;
    ++tally_.hours_listed;
    tally_.segments_listed += infos.size();
    tally_.foreign = catalog_.foreign();

    Attempts attempts(infos.size());
    open_rolled_up_ones(infos, attempts);
    open_known_ones(infos, attempts);
    std::vector<bool> is_new(infos.size());
    for (std::size_t i = 0; i < infos.size(); ++i) is_new[i] = limits_.known != nullptr && !attempts[i];
    OpenRest{store_, infos, identities_, limits_, attempts, crew_}.run();

    std::vector<std::shared_ptr<Opened>> opened;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        auto& attempt = attempts[i];
        if (!attempt) continue;  // the store failed elsewhere, which is returned below
        if (!*attempt) {
            if (!is_of_one_object(attempt->error())) return std::unexpected(std::move(*attempt).error());
            tell_damage(attempt->error());
        } else if (!**attempt) {
            ++tally_.for_others;
        } else {
            ++tally_.segments_opened;
            opened.push_back(std::make_shared<Opened>(std::move(***attempt)));
            if (is_new[i]) limits_.known->add(reader_, *opened.back());
            for (const auto& source : opened.back()->reader.footer().sources) observer_.met(source);
        }
    }
    observer_.progress(tally_);
    return opened;
}

}  // namespace boatswain::query
