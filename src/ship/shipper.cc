#include "ship/shipper.h"

#include <algorithm>
#include <array>
#include <random>

#include "store/digest.h"

namespace boatswain::ship {
namespace {

// How offering a segment can end. All are shown from the start, so that the first failure is seen as a change.
constexpr std::array<std::string_view, 5> outcomes{"created", "already_there", "conflict", "damaged", "failed"};

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
    std::scoped_lock lock{guard_};
    return trouble_;
}

std::optional<std::chrono::nanoseconds> Shipper::busy_for() const {
    std::scoped_lock lock{guard_};
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
    if (mapped && store::sha256(mapped->bytes()) != segment.sha256)
        return fail(Remedy::quarantine, "read " + segment.file.string() + ": not the bytes that were written");
    return mapped;
}

Result<store::PutOutcome> Shipper::put(const spool::Spooled& segment, const MappedFile& mapped) {
    std::unique_lock lock{guard_};
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
    auto mapped = map_whole(segment);
    auto outcome =
        mapped ? put(segment, *mapped) : Result<store::PutOutcome>{std::unexpected(std::move(mapped).error())};
    if (outcome) {
        // What the store said is told before the spool is seen to be without the segment.
        count_outcome(*outcome == store::PutOutcome::created ? "created" : "already_there");
        count_stored(segment);
        {
            std::scoped_lock lock{guard_};
            trouble_.reset();
        }
        if (auto released = spool_.release(segment); !released) {
            log_.error("segment stored but not released; it is offered again",
                       {{"key", segment.key}, {"error", released.error()}});
            spool_.give_back(segment, wait_after(segment.attempts));
        }
        return;
    }

    const auto& error = outcome.error();
    if (error.remedy == Remedy::quarantine) {
        count_outcome(mapped ? "conflict" : "damaged");
        log_.error(mapped ? "segment put aside: the store holds other bytes under its key"
                          : "segment put aside: its file in the spool is damaged",
                   {{"key", segment.key}, {"error", error}});
        if (auto aside = spool_.quarantine(segment); !aside) {
            log_.error("segment not put aside", {{"key", segment.key}, {"error", aside.error()}});
            spool_.give_back(segment, options_.wait_max);
        }
        return;
    }
    count_outcome("failed");
    auto wait = wait_after(segment.attempts);
    log_.warning("segment not stored; trying again",
                 {{"key", segment.key}, {"wait_ms", wait.count()}, {"error", error}});
    {
        std::scoped_lock lock{guard_};
        trouble_ = error.what;
    }
    spool_.give_back(segment, wait);
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
