#include "batch/sealing.h"

#include <algorithm>

#include "base/bytes.h"

namespace boatswain::batch {
namespace {

constexpr std::chrono::milliseconds retry_wait_min{200};
constexpr std::chrono::milliseconds retry_wait_max{10'000};

// The segment's parts as segment/ wants them; takes the compressed bytes out of the batch.
segment::SegmentParts parts_of(Batch& batch, const spool::Spool& spool, spool::ChainHead head, Timestamp now) {
    segment::SegmentParts parts;
    parts.key = {.tenant = batch.tenant,
                 .hour = std::chrono::floor<std::chrono::hours>(batch.first_time),
                 .host = spool.host(),
                 .epoch = std::move(head.epoch),
                 .sequence = head.sequence};
    parts.key.spanning = batch.last_time >= parts.key.hour + segment::segment_span_max + std::chrono::hours{1};
    parts.sealed_at = now;
    parts.previous_sha256 = std::move(head.previous_sha256);
    parts.sources = batch.sources;
    for (auto& frame : batch.frames) parts.frames.push_back(std::move(frame->frame));
    return parts;
}

// What the spool keeps of the batch's sources, and forgets.
spool::SegmentBookkeeping bookkeeping_of(const Batch& batch) {
    spool::SegmentBookkeeping bookkeeping{.forget = batch.forget};
    for (const auto& source : batch.sources)
        bookkeeping.known[source.id] = {.source = source, .recipients = batch.recipients};
    for (const auto& frame : batch.frames) {
        auto& known = bookkeeping.known[batch.sources[frame->frame.source].id];
        known.last_time = std::max(known.last_time, frame->frame.counts.last_time);
    }
    for (const auto& [source, ended] : batch.ended)
        if (auto known = bookkeeping.known.find(source); known != bookkeeping.known.end()) known->second.ended = ended;
    return bookkeeping;
}

constexpr std::size_t unsealed_sources_max = 10'000;

}  // namespace

Sealing::Sealing(int zstd_level, unsigned workers, spool::Spool& spool, MemoryBudget& budget, const Clock& clock,
                 Metrics& metrics, Log& log, std::function<void()> progressed)
    : zstd_level_(zstd_level),
      spool_(spool),
      budget_(budget),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      progressed_(std::move(progressed)),
      failures_(
          metrics.counter("boatswain_seal_failures_total", "Times a sealed segment could not be written to the spool")),
      given_up_(metrics.counter("boatswain_unsealed_lines_total",
                                "Lines of batches that could not be sealed; named by gap records, or read again")),
      text_memory_(budget) {
    for (unsigned i = 0; i < std::max(workers, 1U); ++i)
        threads_.emplace_back([this](std::stop_token stop) { compress_frames(std::move(stop)); });
    threads_.emplace_back([this](std::stop_token stop) { do_orders(std::move(stop)); });
}

Sealing::~Sealing() {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
}

void Sealing::compress(std::shared_ptr<PendingFrame> frame, ByteCount count) {
    {
        std::scoped_lock lock{mutex_};
        queued_bytes_ += frame->text.text().size();
        jobs_.push_back({std::move(frame), std::move(count)});
    }
    changed_.notify_all();
}

void Sealing::give(SealingOrder order) {
    {
        std::scoped_lock lock{mutex_};
        orders_.push_back(std::move(order));
        ++given_;
    }
    changed_.notify_all();
}

std::uint64_t Sealing::given() const {
    std::scoped_lock lock{mutex_};
    return given_;
}

std::uint64_t Sealing::done() const {
    std::scoped_lock lock{mutex_};
    return done_;
}

bool Sealing::queue_has_room() const {
    std::scoped_lock lock{mutex_};
    return queued_bytes_ < compress_queue_bytes_max;
}

bool Sealing::drain(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return changed_.wait_until(lock, deadline, [&] { return orders_.empty() && !sealing_; });
}

std::optional<std::string> Sealing::trouble() const {
    std::scoped_lock lock{mutex_};
    return trouble_;
}

std::optional<std::chrono::nanoseconds> Sealing::busy_for() const {
    std::scoped_lock lock{mutex_};
    return sealing_ ? std::optional{clock_.steady() - sealing_since_} : std::nullopt;
}

void Sealing::compress_frames(std::stop_token stop) {
    segment::Compressor compressor{zstd_level_};
    for (;;) {
        Job job;
        {
            std::unique_lock lock{mutex_};
            if (!changed_.wait(lock, stop, [&] { return !jobs_.empty(); })) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        auto& pending = *job.frame;
        auto text = pending.text.text();
        auto text_bytes = text.size();
        pending.frame.compressed = compressor.compress(text);
        pending.frame.text_bytes = text_bytes;
        pending.frame.counts = pending.text.counts();
        text_memory_.give_back(pending.text.take_memory());
        pending.charge.resize(pending.frame.compressed.capacity());
        job.count->compressed += pending.frame.compressed.size();
        job.count->text -= text_bytes;
        {
            std::scoped_lock lock{mutex_};
            queued_bytes_ -= text_bytes;
            pending.done = true;
        }
        changed_.notify_all();
        progressed_();
    }
}

void Sealing::do_orders(std::stop_token stop) {
    for (;;) {
        std::vector<SealingOrder> group;
        {
            std::unique_lock lock{mutex_};
            if (!changed_.wait(lock, stop, [&] { return first_is_ready(); })) return;
            group = take_ready();
            sealing_ = true;
            sealing_since_ = clock_.steady();
        }
        auto orders = group.size();
        bool in_order = do_group(std::move(group), stop);
        {
            std::scoped_lock lock{mutex_};
            sealing_ = false;
            if (in_order) done_ += orders;
        }
        changed_.notify_all();
        progressed_();
        if (!in_order) return;
    }
}

// With mutex_ held.
bool Sealing::first_is_ready() const {
    if (orders_.empty()) return false;
    const auto* batch = std::get_if<Batch>(&orders_.front());
    return batch == nullptr || std::ranges::all_of(batch->frames, [](const auto& frame) { return frame->done; });
}

// With mutex_ held.
std::vector<SealingOrder> Sealing::take_ready() {
    std::vector<SealingOrder> taken;
    std::uint64_t bytes = 0;
    while (first_is_ready() && taken.size() < group_batches_max && bytes < group_bytes_max) {
        if (const auto* batch = std::get_if<Batch>(&orders_.front())) bytes += batch->frame_bytes->compressed;
        taken.push_back(std::move(orders_.front()));
        orders_.pop_front();
    }
    return taken;
}

bool Sealing::do_group(std::vector<SealingOrder> orders, std::stop_token stop) {
    Group group;
    for (auto& order : orders) {
        auto made = std::visit([&](auto& one) { return make(std::move(one), group, stop); }, order);
        if (!made) return false;
        group.additions.push_back(std::move(*made));
    }
    return add_until_done(group, stop);
}

// Where reading of a log began is durable before anything of it, or with it: else a log that is rotated away while
// the agent is dead leaves no trace.
Sealing::Made Sealing::make(SourceBegan began, Group&, std::stop_token) {
    spool::Addition addition;
    addition.begun.emplace_back(std::move(began.from), std::move(began.source));
    return addition;
}

// No record names its loss yet: whoever finds it gone after a restart must not call it whole.
Sealing::Made Sealing::make(SourceEnded ended, Group&, std::stop_token) {
    spool::Addition addition;
    if (!ended.ended || !unsealed_.contains(ended.source)) addition.ended[ended.source] = ended.ended;
    return addition;
}

Sealing::Made Sealing::make(ForgetSources gone, Group&, std::stop_token) {
    std::erase_if(gone.sources, [&](const auto& source) { return unsealed_.contains(source); });
    return spool::Addition{.bookkeeping = {.forget = std::move(gone.sources)}};
}

Sealing::Made Sealing::make(Batch batch, Group& group, std::stop_token stop) {
    begin_with_gaps(batch);
    keep_open_what_lost_unnamed(batch);
    auto head = chain_head(batch.tenant, group, stop);
    if (!head) return std::nullopt;
    // A state that went back, which is what a taken key can mean, is an old one for all tenants: whoever has lines in
    // the new epoch that are older than it may have had them stored before.
    bool perhaps_stored_before =
        head->sequence == 1 && head->later_epoch_began && batch.first_time < *head->later_epoch_began;
    if (head->key_was_taken || perhaps_stored_before) tell_key_was_taken(batch);
    auto bookkeeping = bookkeeping_of(batch);
    bookkeeping.tells_key_was_taken = head->key_was_taken;
    std::vector<LostFrame> frames;
    for (const auto& frame : batch.frames) frames.push_back({frame->frame.source, frame->frame.counts});
    auto sealed = segment::seal(parts_of(batch, spool_, std::move(*head), clock_.now()), batch.recipients);
    if (!sealed) {
        // Sealing is arithmetic: it fails only for what is checked before (recipients, the host's name, how much a
        // batch holds).
        failures_.add();
        log_.error("batch not sealed; its sources read it again after a restart, or a gap record names it",
                   {{"tenant", batch.tenant.str()}, {"error", sealed.error()}});
        give_up(batch, frames);
        return spool::Addition{};
    }
    // What the frames cost, which seal() has consumed, is now what the sealed bytes cost, not both.
    batch.frames.clear();
    group.charges.emplace_back(budget_, batch.tenant.str(), sealed->bytes.size());
    group.heads[batch.tenant.str()] = {
        .sequence = sealed->key.sequence + 1, .previous_sha256 = to_hex(sealed->sha256), .epoch = sealed->key.epoch};
    // The gaps of what was lost are in it. A later batch of the group must not say them again.
    for (const auto& frame : frames) unsealed_.erase(batch.sources[frame.source].id);
    return spool::Addition{.segment = std::move(*sealed),
                           .checkpoints = std::move(batch.checkpoints),
                           .bookkeeping = std::move(bookkeeping)};
}

// The chain's head is read from the database: on a sick disk even that can fail, and is tried again like the rest.
// Nothing: told to stop.
std::optional<spool::ChainHead> Sealing::chain_head(const TenantId& tenant, const Group& group, std::stop_token stop) {
    if (auto known = group.heads.find(tenant.str()); known != group.heads.end()) return known->second;
    for (auto wait_time = retry_wait_min;; wait_time = std::min(wait_time * 2, retry_wait_max)) {
        auto head = spool_.chain_head(tenant);
        if (head) return std::move(*head);
        failures_.add();
        log_.error("chain not read; trying again", {{"tenant", tenant.str()}, {"error", head.error()}});
        if (!wait(stop, wait_time)) return std::nullopt;
    }
}

// Remembers what a batch held that could not be sealed. Its checkpoints are not saved.
void Sealing::give_up(const Batch& batch, std::span<const LostFrame> frames) {
    std::map<std::string, Gap> lost;
    for (const auto& frame : frames) {
        const auto& counts = frame.counts;
        auto [entry, is_new] =
            lost.try_emplace(batch.sources[frame.source].id, Gap{.from = counts.first_time, .reason = gap_unsealed});
        auto& gap = entry->second;
        gap.from = std::min(gap.from, counts.first_time);
        gap.to = std::max(gap.to, counts.last_time);
        gap.lines_min += counts.lines;
        gap.bytes_min += counts.message_bytes;
        given_up_.add(counts.lines);
    }
    for (auto& [source, gap] : lost) {
        auto known = unsealed_.find(source);
        if (known == unsealed_.end()) {
            if (unsealed_.size() < unsealed_sources_max) unsealed_.emplace(source, std::move(gap));
            continue;
        }
        known->second.from = std::min(known->second.from, gap.from);
        known->second.to = std::max(known->second.to, gap.to);
        known->second.lines_min += gap.lines_min;
        known->second.bytes_min += gap.bytes_min;
    }
}

// Writes `gap` into a frame of its own, in front of the frame `next` and of the same source.
void Sealing::insert_gap(Batch& batch, std::vector<std::shared_ptr<PendingFrame>>::iterator next, const Gap& gap) {
    auto source = (*next)->frame.source;
    auto gap_frame = std::make_shared<PendingFrame>(segment::FrameText{batch.sources[source]}, Charge{});
    gap_frame->text.append(gap);
    auto& frame = gap_frame->frame;
    frame.source = source;
    frame.first_ordinal = (*next)->frame.first_ordinal;
    frame.compressed = segment::Compressor{zstd_level_}.compress(gap_frame->text.text());
    frame.text_bytes = gap_frame->text.text().size();
    frame.counts = gap_frame->text.counts();
    gap_frame->done = true;
    batch.first_time = std::min(batch.first_time, frame.counts.first_time);
    batch.last_time = std::max(batch.last_time, frame.counts.last_time);
    batch.frames.insert(next, std::move(gap_frame));
}

// A source of which a batch was lost goes on with a gap record before its other frames.
void Sealing::begin_with_gaps(Batch& batch) {
    for (std::size_t at = 0; at < batch.sources.size(); ++at) {
        auto lost = unsealed_.find(batch.sources[at].id);
        if (lost == unsealed_.end()) continue;
        auto next = std::ranges::find_if(batch.frames, [&](const auto& frame) { return frame->frame.source == at; });
        if (next != batch.frames.end()) insert_gap(batch, next, lost->second);
    }
}

// Nothing is missing, so the record has no stretch of its own: it stands at the first line that follows it.
void Sealing::tell_key_was_taken(Batch& batch) {
    auto first =
        std::ranges::min_element(batch.frames, {}, [](const auto& frame) { return frame->frame.counts.first_time; });
    auto time = (*first)->frame.counts.first_time;
    insert_gap(batch, first, {.from = time, .to = time, .reason = gap_key_taken});
    metrics_
        .counter("boatswain_gap_records_total", "Gap records written into tenants' logs",
                 {{"reason", std::string{gap_key_taken}}})
        .add();
}

// The end of a source whose loss no record names yet is not noted, and its place not forgotten: whoever finds it gone
// after a restart must not call it whole.
void Sealing::keep_open_what_lost_unnamed(Batch& batch) {
    if (unsealed_.empty()) return;
    auto lost_unnamed = [&](const std::string& source) {
        auto named = [&](const auto& frame) { return batch.sources[frame->frame.source].id == source; };
        return unsealed_.contains(source) && std::ranges::none_of(batch.frames, named);
    };
    std::erase_if(batch.ended, [&](const auto& ended) { return ended.second && lost_unnamed(ended.first); });
    std::erase_if(batch.forget, lost_unnamed);
}

bool Sealing::add_until_done(const Group& group, std::stop_token stop) {
    for (auto wait_time = retry_wait_min;; wait_time = std::min(wait_time * 2, retry_wait_max)) {
        auto added = spool_.add(group.additions);
        if (added) break;
        failures_.add();
        {
            std::scoped_lock lock{mutex_};
            trouble_ = added.error().what;
        }
        log_.error("segments not spooled; trying again",
                   {{"batches", group.additions.size()}, {"error", added.error()}});
        if (!wait(stop, wait_time)) return false;
    }
    {
        std::scoped_lock lock{mutex_};
        trouble_.reset();
    }
    for (const auto& addition : group.additions) {
        if (!addition.segment) continue;
        sealed_.tell(*addition.segment);
        count_sealed(*addition.segment);
    }
    return true;
}

void Sealing::count_sealed(const segment::SealedSegment& sealed) {
    MetricLabels labels{{"tenant", metrics_.tenant_label(sealed.key.tenant.str())}};
    metrics_.counter("boatswain_sealed_segments_total", "Segments sealed and durable in the spool", labels).add();
    metrics_.counter("boatswain_sealed_lines_total", "Lines sealed and durable in the spool", labels).add(sealed.lines);
    metrics_.counter("boatswain_sealed_bytes_total", "Sealed bytes, durable in the spool", labels)
        .add(sealed.bytes.size());
    metrics_
        .gauge("boatswain_last_sealed_timestamp_seconds", "When a segment was last sealed and durable in the spool",
               labels)
        .set(std::chrono::duration<double>(clock_.now().time_since_epoch()).count());
    log_.info("segment sealed", {{"key", sealed.key.str()}, {"lines", sealed.lines}, {"bytes", sealed.bytes.size()}});
}

bool Sealing::wait(std::stop_token stop, std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
}

}  // namespace boatswain::batch
