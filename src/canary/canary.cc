#include "canary/canary.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"

namespace boatswain::canary {
namespace {

constexpr const char* source_id = "canary";

std::string sha256(std::string_view bytes) {
    crypto::Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

Source source() {
    return {.id = source_id,
            .kind = "canary",
            .name = "canary",
            .reader = "none",
            .whose = {.tenant = TenantId::canary(), .app = "boatswain", .tenant_rule = "canary = true"}};
}

double seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

// A public key of which nobody has the private half: it is the hash of a sentence.
crypto::Recipient Canary::recipient() {
    auto hash = sha256("Boatswain's canary: nobody holds the identity of this recipient.");
    std::array<std::uint8_t, 32> point{};
    std::ranges::copy(hash, point.begin());
    return crypto::Recipient{point};
}

Canary::Canary(Options options, batch::Batcher& batcher, spool::Spool& spool, store::Store& store, const Clock& clock,
               Metrics& metrics, Log& log)
    : options_(options),
      spool_(spool),
      store_(store),
      clock_(clock),
      log_(log),
      printed_counter_(metrics.counter("boatswain_canary_lines_total", "The canary's lines, by what became of them",
                                       {{"outcome", "printed"}})),
      verified_counter_(metrics.counter("boatswain_canary_lines_total", "The canary's lines, by what became of them",
                                        {{"outcome", "verified"}})),
      lost_counter_(metrics.counter("boatswain_canary_lines_total", "The canary's lines, by what became of them",
                                    {{"outcome", "lost"}})),
      delay_gauge_(
          metrics.gauge("boatswain_canary_delay_seconds",
                        "From the printing of a line until it was read back from the store: the last segment's "
                        "first line")),
      waiting_gauge_(
          metrics.gauge("boatswain_canary_waiting_seconds",
                        "How long ago the oldest line was printed that is not read back from the store yet")) {
    auto start = spool_.checkpoint(source_id).value_or(Checkpoint{});
    next_number_ = start.lines;
    feed_ = batcher.open_feed(source(), {recipient()}, start, false);
    looking_ = std::jthread{[this](const std::stop_token& stop) { look_back(stop); }};
}

Canary::~Canary() = default;

void Canary::tick() {
    auto steady = clock_.steady();
    if (!feed_ || steady < next_print_ || feed_->ask_room() == 0) return;
    next_print_ = steady + options_.print_pause;
    auto now = clock_.now();
    {
        std::scoped_lock lock{mutex_};
        if (outstanding_.size() >= outstanding_max) return;
        unsealed_.push_back(now);
        ++standing_.printed;
    }
    feed_->append(Line{.time = now, .bytes = "canary " + std::to_string(next_number_++)});
    feed_->mark(NoPosition{});
    printed_counter_.add();
}

void Canary::finish() { feed_.reset(); }

void Canary::sealed(const segment::SealedSegment& segment) {
    if (segment.key.tenant != TenantId::canary()) return;
    {
        std::scoped_lock lock{mutex_};
        if (unsealed_.empty()) return;
        outstanding_.push_back({.key = segment.key.str(),
                                .sha256 = segment.sha256,
                                .lines = segment.lines,
                                .first_printed = unsealed_.front()});
        auto lines = std::min<std::size_t>(segment.lines, unsealed_.size());
        unsealed_.erase(unsealed_.begin(), unsealed_.begin() + static_cast<std::ptrdiff_t>(lines));
    }
    changed_.notify_all();
}

void Canary::look_back(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    auto pause = options_.look_pause;
    while (!stop.stop_requested()) {
        changed_.wait_for(lock, stop, pause, [] { return false; });
        pause = options_.look_pause;
        auto todo = outstanding_;  // in the order in which they were sealed, which is that of their shipping
        lock.unlock();
        std::size_t done = 0;
        for (const auto& segment : todo) {
            if (stop.stop_requested()) break;
            auto finding = look_at(segment);
            if (finding == Finding::not_asked) pause = options_.trouble_pause;
            if (finding == Finding::not_yet || finding == Finding::not_asked) break;
            conclude(segment, finding);
            ++done;
        }
        lock.lock();
        outstanding_.erase(outstanding_.begin(), outstanding_.begin() + static_cast<std::ptrdiff_t>(done));
        auto oldest = !outstanding_.empty() ? outstanding_.front().first_printed
                      : !unsealed_.empty()  ? unsealed_.front()
                                            : clock_.now();
        waiting_gauge_.set(seconds(clock_.now() - oldest));
    }
}

Canary::Finding Canary::look_at(const Outstanding& segment) {
    auto second = segment::parse_object_key(segment.key)->second_form(segment.sha256).str();
    if (spool_.waits(segment.key) || spool_.waits(second)) return Finding::not_yet;
    // A segment whose key was taken lies under the second form.
    for (const auto& key : {segment.key, second}) {
        auto bytes = store_.read(key);
        if (bytes && sha256(*bytes) == segment.sha256) return Finding::verified;
        if (!bytes && bytes.error().remedy != Remedy::re_resolve) return Finding::not_asked;
    }
    return Finding::lost;
}

void Canary::conclude(const Outstanding& segment, Finding finding) {
    bool verified = finding == Finding::verified;
    auto delay = clock_.now() - segment.first_printed;
    {
        std::scoped_lock lock{mutex_};  // the counters too: whoever sees the standing finds them in agreement with it
        (verified ? standing_.verified : standing_.lost) += segment.lines;
        (verified ? verified_counter_ : lost_counter_).add(segment.lines);
        if (verified)
            standing_.delay = delay;
        else
            standing_.last_loss = segment.key;
    }
    if (verified) return delay_gauge_.set(seconds(delay));
    log_.error("canary lost: the store has not what it acknowledged", {{"key", segment.key}, {"lines", segment.lines}});
}

Canary::Status Canary::standing() const {
    std::scoped_lock lock{mutex_};
    return standing_;
}

std::optional<std::string> Canary::trouble() const {
    auto now = standing();
    if (now.lost == 0) return std::nullopt;
    return "the canary lost " + std::to_string(now.lost) + (now.lost == 1 ? " line" : " lines") +
           ": the store has not what it acknowledged under " + now.last_loss;
}

}  // namespace boatswain::canary
