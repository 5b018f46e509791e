#include "ship/shipper.h"

#include <algorithm>
#include <array>
#include <random>

#include "crypto/digest.h"
#include "segment/object_key.h"
#include "ship/look.h"

namespace boatswain::ship {
namespace {

// How offering a segment can end. All are shown from the start, so that the first failure is seen as a change.
constexpr std::array<std::string_view, 7> outcomes{"created", "already_there", "conflict", "unseen",
                                                   "refused", "damaged",       "failed"};

bool is_second_form(const std::string& key) {
    auto parsed = segment::parse_object_key(key);
    return parsed && !parsed->hash.empty();
}

Counter& uploads(Metrics& metrics, std::string_view outcome) {
    return metrics.counter("boatswain_uploads_total", "Segments offered to the store, by outcome",
                           {{"outcome", std::string{outcome}}});
}

}  // namespace

Shipper::Shipper(Options options, spool::Spool& spool, store::Store& store, const Clock& clock, Metrics& metrics,
                 Log& log)
    : options_(options), spool_(spool), store_(store), clock_(clock), metrics_(metrics), log_(log) {
    for (auto outcome : outcomes) uploads(metrics_, outcome);
    for (unsigned i = 0; i < std::max(options_.uploads, 1U); ++i)
        threads_.emplace_back([this](std::stop_token stop) { ship_segments(std::move(stop)); });
}

Shipper::~Shipper() {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
}

bool Shipper::drain(std::chrono::steady_clock::time_point deadline) {
    while (spool_.count() > 0) {
        if (clock_.steady() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return true;
}

std::optional<std::string> Shipper::trouble() const {
    std::scoped_lock lock{mutex_};
    return trouble_;
}

Shipper::Totals Shipper::totals() const {
    std::scoped_lock lock{mutex_};
    return totals_;
}

std::optional<std::chrono::nanoseconds> Shipper::busy_for() const {
    std::scoped_lock lock{mutex_};
    return puts_.empty() ? std::nullopt : std::optional{clock_.steady() - *puts_.begin()};
}

void Shipper::ship_segments(std::stop_token stop) {
    while (auto segment = spool_.take(stop)) ship_one(*segment);
}

// The segment's bytes, exactly as they were sealed. Remedy::quarantine when the disk has lost them: no store would ever
// take them.
Result<MappedFile> Shipper::map_whole(const spool::Spooled& segment) const {
    auto mapped = MappedFile::open(segment.file);
    if (!mapped && mapped.error().remedy == Remedy::re_resolve)
        return fail(Remedy::quarantine, mapped.error().what, mapped.error().cause);
    if (mapped && crypto::sha256(mapped->bytes()) != segment.sha256)
        return fail(Remedy::quarantine, "read " + segment.file.string() + ": not the bytes that were written");
    return mapped;
}

Result<store::PutOutcome> Shipper::put(const spool::Spooled& segment, const MappedFile& mapped) {
    metrics_
        .counter("boatswain_put_requests_total", "PUTs of segments, as often as they were offered",
                 {{"tenant", metrics_.tenant_label(segment.tenant)}})
        .add();
    std::unique_lock lock{mutex_};
    ++totals_.put_requests;
    auto here = puts_.insert(clock_.steady());
    lock.unlock();
    auto outcome = store_.put_file(segment.key, segment.file, mapped.bytes(), segment.sha256);
    lock.lock();
    puts_.erase(here);
    return outcome;
}

void Shipper::count_stored(const spool::Spooled& segment) {
    MetricLabels labels{{"tenant", metrics_.tenant_label(segment.tenant)}};
    metrics_.counter("boatswain_stored_segments_total", "Segments that the store has acknowledged", labels).add();
    metrics_.counter("boatswain_stored_bytes_total", "Bytes of them", labels).add(segment.size);
    metrics_.gauge("boatswain_last_stored_timestamp_seconds", "When the store last acknowledged a segment", labels)
        .set(std::chrono::duration<double>(clock_.now().time_since_epoch()).count());
}

void Shipper::ship_one(const spool::Spooled& segment) {
    auto look = look_behind_head(segment);
    if (look == Look::given_back) return;
    auto mapped = map_whole(segment);
    auto outcome =
        mapped ? put(segment, *mapped) : Result<store::PutOutcome>{std::unexpected(std::move(mapped).error())};
    // The store takes what we put, so it is the listing alone that it refuses.
    if (outcome && look == Look::refused) give_up_looking();
    if (outcome) return conclude(segment, *outcome);
    if (outcome.error().remedy != Remedy::quarantine) return failed(segment, outcome.error());
    mapped ? refused(segment, outcome.error()) : damaged(segment, outcome.error());
}

Shipper::Look Shipper::look_behind_head(const spool::Spooled& segment) {
    auto head = spool_.head_at_start(segment.tenant);
    auto tenant = TenantId::parse_any(segment.tenant);
    if (!head || !tenant) return Look::done;
    {
        std::scoped_lock lock{mutex_};
        if (!may_look_) return Look::done;
    }
    auto found = object_behind(store_, *tenant, spool_.host(), *head, clock_.now());
    if (!found) return look_failed(segment, found.error());
    if (*found) {
        if (auto noted = spool_.found_behind(segment.tenant, *head, **found); !noted) {
            give_back(segment, noted.error(), "object behind the chain's end not noted");
            return Look::given_back;
        }
        log_.error(
            "the store has an object behind the end of a chain of ours: the state is an old one, or another agent has "
            "a copy of it; a new epoch begins",
            {{"found", **found}, {"number", head->sequence}});
    }
    spool_.forget_head_at_start(segment.tenant);
    if (!*found) return Look::done;
    spool_.give_back(segment, std::chrono::milliseconds{0});  // its key may be another by now
    return Look::given_back;
}

Shipper::Look Shipper::look_failed(const spool::Spooled& segment, const Error& error) {
    if (error.remedy == Remedy::stop) return Look::refused;
    bool again = [&] {
        std::scoped_lock lock{mutex_};
        auto& times = looks_failed_[segment.tenant];
        if (++times < looks_failed_max) return true;
        looks_failed_.erase(segment.tenant);
        return false;
    }();
    if (again) {
        failed(segment, error);
        return Look::given_back;
    }
    log_.warning("no look behind the end of a chain: the store did not answer",
                 {{"key", segment.key}, {"error", error}});
    spool_.forget_head_at_start(segment.tenant);
    return Look::done;
}

void Shipper::give_up_looking() {
    std::scoped_lock lock{mutex_};
    if (std::exchange(may_look_, false))
        log_.warning("the store does not let us list: that the state is an old one shows only where keys are taken");
}

void Shipper::conclude(const spool::Spooled& segment, store::PutOutcome outcome) {
    bool second = is_second_form(segment.key);
    switch (outcome) {
        case store::PutOutcome::created: {
            std::scoped_lock lock{mutex_};
            if (!second) unseen_running_ = 0;
            break;
        }
        case store::PutOutcome::already_there: break;
        case store::PutOutcome::taken:
            if (!second) return key_is_taken(segment, true);
            return refused(
                segment, {.remedy = Remedy::quarantine,
                          .what = "put " + segment.key + ": the store holds other bytes under both forms of its key"});
        case store::PutOutcome::unseen:
            // Nobody else can have known the second form: it is there by a put of ours whose answer was lost.
            if (!second) return key_is_taken(segment, false);
            break;
    }
    // The store's answer is logged before the spool is seen to be without the segment.
    count_outcome(outcome == store::PutOutcome::created ? "created" : "already_there");
    stored(segment);
}

void Shipper::stored(const spool::Spooled& segment) {
    count_stored(segment);
    {
        std::scoped_lock lock{mutex_};
        trouble_.reset();
        ++stored_;
        ++totals_.segments;
        totals_.bytes += segment.size;
        failing_.erase(segment.id);
        stood_aside_alone_.erase(segment.tenant);
    }
    if (is_seen_again(segment)) return spool_.release_soon(segment);
    if (auto released = spool_.release(segment); !released)
        give_back(segment, released.error(), "segment stored but not released; it is offered again");
}

// Whether the store would tell its own bytes if they were offered again, after a crash: it does when it lets us read
// what we put. Tried once. Where it does not, every put again makes a copy, and three of them look like a conflict.
bool Shipper::is_seen_again(const spool::Spooled& segment) {
    {
        std::scoped_lock lock{mutex_};
        if (may_read_) return *may_read_;
    }
    auto read = store_.read(segment.key, store::Range{.first = 0, .length = 1});
    if (!read && read.error().remedy != Remedy::stop) return false;  // asked again with the next
    std::scoped_lock lock{mutex_};
    may_read_ = read.has_value();
    return *may_read_;
}

void Shipper::key_is_taken(const spool::Spooled& segment, bool seen) {
    count_outcome(seen ? "conflict" : "unseen");
    bool conflict = seen;
    if (!seen) {
        std::scoped_lock lock{mutex_};
        conflict = ++unseen_running_ >= unseen_running_max;
    }
    if (auto given = spool_.give_second_key(segment, conflict); !given)
        return give_back(segment, given.error(), "second key not noted; the first is tried again");
    if (conflict)
        log_.error(
            "the store holds something else under a key of ours: the segment goes under the second form of its "
            "key, and a new epoch begins",
            {{"key", segment.key}, {"seen", seen}});
    else
        log_.warning(
            "the store holds something under a key of ours that we may not look at: the segment goes under "
            "the second form of its key",
            {{"key", segment.key}});
}

void Shipper::refused(const spool::Spooled& segment, const Error& error) {
    count_outcome("refused");
    set_aside(segment, error);
}

void Shipper::set_aside(const spool::Spooled& segment, const Error& error) {
    {
        std::scoped_lock lock{mutex_};
        failing_.erase(segment.id);
    }
    log_.error("segment stands aside: the store refuses it; it is offered again each hour",
               {{"key", segment.key}, {"bytes", segment.size}, {"error", error}});
    if (auto aside = spool_.set_aside(segment, error.what); !aside)
        give_back(segment, aside.error(), "segment not set aside");
}

void Shipper::damaged(const spool::Spooled& segment, const Error& error) {
    count_outcome("damaged");
    {
        std::scoped_lock lock{mutex_};
        failing_.erase(segment.id);
    }
    log_.error("segment put aside: its file in the spool is damaged", {{"key", segment.key}, {"error", error}});
    if (auto aside = spool_.quarantine(segment); !aside) give_back(segment, aside.error(), "segment not put aside");
}

void Shipper::failed(const spool::Spooled& segment, const Error& error) {
    count_outcome("failed");
    if (segment.aside || failed_alone(segment)) return set_aside(segment, error);
    auto wait = wait_after(segment.attempts);
    log_.warning("segment not stored; trying again",
                 {{"key", segment.key}, {"wait_ms", wait.count()}, {"error", error}});
    {
        std::scoped_lock lock{mutex_};
        trouble_ = error.what;
    }
    spool_.give_back(segment, wait);
}

// Whether the store takes others and not this one, again and again: whatever it says, it is this one that it refuses.
// A tenant of which nothing was stored since its last such segment may be refused as a whole, and waits.
bool Shipper::failed_alone(const spool::Spooled& segment) {
    std::scoped_lock lock{mutex_};
    auto [place, is_new] = failing_.try_emplace(segment.id, Failing{.stored = stored_});
    auto& failing = place->second;
    failing.while_others = !is_new && stored_ > failing.stored ? failing.while_others + 1 : 0;
    failing.stored = stored_;
    return failing.while_others >= failures_alone_max && stood_aside_alone_.insert(segment.tenant).second;
}

void Shipper::give_back(const spool::Spooled& segment, const Error& error, std::string_view event) {
    log_.error(event, {{"key", segment.key}, {"error", error}});
    spool_.give_back(segment, wait_after(segment.attempts));
}

void Shipper::count_outcome(std::string_view outcome) { uploads(metrics_, outcome).add(); }

std::chrono::milliseconds Shipper::wait_after(unsigned attempts) const {
    auto most = std::min(options_.wait_max, options_.wait_min * (1 << std::min(attempts, 20U)));
    // Full jitter: many hosts that lost the same store must not come back in step.
    thread_local std::minstd_rand random{std::random_device{}()};
    std::uniform_int_distribution<std::int64_t> within{most.count() / 2, most.count()};
    return std::chrono::milliseconds{within(random)};
}

}  // namespace boatswain::ship
