#include "batch/batcher.h"

#include <algorithm>
#include <cassert>

namespace boatswain::batch {
namespace {

// Two feeds share a batch only if the very same keys open it.
std::string key_of(const TenantId& tenant, const std::vector<crypto::Recipient>& recipients) {
    std::string key = tenant.str();
    for (const auto& recipient : recipients) key += "\n" + recipient.str();
    return key;
}

// What things cost beside their bytes: nodes of maps, headers of strings. Estimates, rather too large.
constexpr std::size_t feed_cost = 1024;
constexpr std::size_t batch_cost = 2048;
constexpr std::size_t frame_cost = 512;
constexpr std::size_t source_cost = 1024;
constexpr std::size_t label_cost = 128;

std::size_t cost_of(const Source& source) {
    auto bytes = source_cost + source.id.size() + source.name.size() + source.image.size() + source.whose.app.size() +
                 source.whose.component.size() + source.whose.instance.size() + source.whose.tenant_rule.size();
    for (const auto& [key, value] : source.labels) bytes += label_cost + key.size() + value.size();
    return bytes;
}

}  // namespace

Feed::Feed(Batcher& batcher, Source source, std::vector<crypto::Recipient> recipients, Checkpoint start,
           bool unreplayable)
    : batcher_(batcher),
      source_(std::move(source)),
      recipients_(std::move(recipients)),
      batch_key_(key_of(source_.whose.tenant, recipients_)),
      unreplayable_(unreplayable),
      next_ordinal_(start.lines),
      next_bytes_(start.bytes),
      position_(start.position),
      counters_(batcher.counters_of(source_)),
      own_charge_(Charge::standing(batcher.budget_, feed_cost + cost_of(source_))) {
    batcher_.feeds_[source_.whose.tenant].insert(this);
}

Feed::~Feed() {
    batcher_.close_frame(*this);
    auto found = batcher_.feeds_.find(source_.whose.tenant);
    found->second.erase(this);
    if (found->second.empty()) batcher_.feeds_.erase(found);
}

const FollowedSourcePtr& Feed::followed() {
    if (!followed_)
        followed_ = std::make_shared<const FollowedSource>(
            FollowedSource{.source = source_, .recipients = recipients_, .unreplayable = unreplayable_});
    return followed_;
}

segment::FrameText& Feed::text() {
    if (!text_) {
        // A source that fills frames gets memory that frames were filled in, where its tenant may have so much; one
        // that prints a line now and then starts small.
        bool busy = last_text_bytes_ >= TextMemory::piece_bytes_min &&
                    batcher_.budget_.share(source_.whose.tenant.str()) >= 2 * TextMemory::piece_bytes_max;
        text_ = std::make_unique<segment::FrameText>(source_,
                                                     busy ? batcher_.sealing_.text_memory().take() : std::string{});
        charge_ = Charge{batcher_.budget_, source_.whose.tenant.str(), text_->capacity()};
        marked_bytes_ = text_->text().size();  // its heading
        marked_lines_ = 0;
        auto entry = batcher_.entry_of(*this);
        entry->second.open_feeds.insert(this);
        batcher_.note_where(entry, source_.id);
    }
    return *text_;
}

void Feed::mark(const Position& position) {
    if (position != position_) {
        position_ = position;
        moved_ = true;
    }
    if (!text_) return;
    charge_.resize(text_->capacity());
    batcher_.mark_text(*this);
    if (text_->text().size() >= batcher_.options_.frame_bytes) batcher_.close_frame(*this);
}

std::optional<Timestamp> Feed::last_time() const {
    auto last = last_time_;
    if (text_ && !text_->counts().empty()) last = std::max(last, text_->counts().last_time);
    return last == Timestamp{} ? std::nullopt : std::optional{last};
}

Checkpoint Feed::handover() const {
    Checkpoint here{.position = position_, .lines = next_ordinal_, .bytes = next_bytes_};
    if (!text_) return here;
    here.lines += text_->counts().lines;
    if (here.bytes) *here.bytes += text_->counts().message_bytes;
    return here;
}

void Feed::close(End end) {
    auto all = handover();
    end.lines = all.lines;
    end.bytes = all.bytes;
    text().append(end);
    batcher_.mark_text(*this);
    batcher_.close_frame(*this);
}

void Feed::hand_over(Feed& next) {
    if (next.source_.whose.tenant != source_.whose.tenant)
        close({.time = batcher_.clock_.now(), .reason = end_reassigned});
    auto here = handover();
    next.position_ = here.position;
    next.next_ordinal_ = here.lines;
    next.next_bytes_ = here.bytes;
}

std::size_t Feed::ask_room() {
    return batcher_.others_have_room(*this) ? batcher_.budget_.ask(source_.whose.tenant.str()) : 0;
}

bool Feed::has_room() const {
    return batcher_.others_have_room(*this) && batcher_.budget_.has_room(source_.whose.tenant.str());
}

void Feed::end_patience() const { batcher_.end_patience(source_.id); }

bool Feed::is_held() const { return batcher_.held_.contains(source_.id); }

bool Feed::should_put_down() const {
    return pending_charge_.bytes() > 0 &&
           (batcher_.budget_.is_short() || batcher_.budget_.has_its_share(source_.whose.tenant.str()));
}

void Feed::note_pending(std::size_t bytes) {
    if (bytes == pending_charge_.bytes()) return;
    if (pending_charge_.bytes() == 0) pending_charge_ = Charge{batcher_.budget_, source_.whose.tenant.str(), 0};
    pending_charge_.resize(bytes);
}

Batcher::Batcher(Options options, Sealing& sealing, spool::Spool& spool, MemoryBudget& budget, const Clock& clock,
                 Metrics& metrics)
    : options_(options),
      sealing_(sealing),
      spool_(spool),
      budget_(budget),
      clock_(clock),
      metrics_(metrics),
      memory_gauge_(metrics.gauge("boatswain_line_memory_bytes", "Memory that holds lines on their way to the spool")),
      standing_gauge_(metrics.gauge("boatswain_standing_memory_bytes",
                                    "Memory that is charged against memory_max whether lines come or not")),
      waiting_gauge_(metrics.gauge("boatswain_memory_waiting_tenants",
                                   "Tenants that wait for their turn because memory_max is taken")) {
    for (auto reason : gap_reasons) gaps_for(reason);
}

Counter& Batcher::gaps_for(std::string_view reason) {
    return metrics_.counter("boatswain_gap_records_total", "Gap records written into tenants' logs",
                            {{"reason", std::string{reason}}});
}

Feed::Counters Batcher::counters_of(const Source& source) {
    auto tenant = metrics_.tenant_label(source.whose.tenant.str());
    MetricLabels labels{{"tenant", tenant}, {"reader", source.reader}};
    return {.lines = metrics_.counter("boatswain_read_lines_total", "Lines taken from sources", labels),
            .bytes = metrics_.counter("boatswain_read_bytes_total", "Bytes of messages taken from sources", labels),
            .gaps = metrics_.counter("boatswain_tenant_gap_records_total", "Gap records written into the tenant's log",
                                     {{"tenant", tenant}})};
}

Batcher::~Batcher() {
    assert(std::ranges::all_of(batches_, [](const auto& entry) { return entry.second.open_feeds.empty(); }));
}

std::unique_ptr<Feed> Batcher::open_feed(Source source, std::vector<crypto::Recipient> recipients, Checkpoint start,
                                         bool unreplayable) {
    std::unique_ptr<Feed> feed{new Feed(*this, std::move(source), std::move(recipients), start, unreplayable)};
    tell_former_tenant(*feed);
    return feed;
}

// Keys or labels changed while no agent ran. Without a word, whoever verifies the former tenant's log would miss the
// lines that are another's.
void Batcher::tell_former_tenant(const Feed& feed) {
    auto before = spool_.was_of_another(feed.source_.id, feed.source_.whose.tenant);
    if (!before) return;
    Feed former{*this, std::move(before->source), std::move(before->recipients), feed.handover(), false};
    former.close({.time = clock_.now(), .reason = end_reassigned});
}

Batcher::Batches::iterator Batcher::entry_of(const Feed& feed) {
    auto [entry, is_new] = batches_.try_emplace(feed.batch_key_);
    auto& growing = entry->second;
    if (is_new) {
        growing.batch.tenant = feed.source_.whose.tenant;
        growing.batch.recipients = feed.recipients_;
        growing.batch.opened = clock_.steady();
        growing.due = growing.batch.opened + std::max(options_.flush_after, options_.flush_after_max);
        growing.batch.charge = Charge{budget_, growing.batch.tenant.str(), batch_cost};
    }
    if (!feed.patient_) growing.due = std::min(growing.due, growing.batch.opened + options_.flush_after);
    if (feed.unreplayable_) growing.due = std::min(growing.due, growing.batch.opened + options_.fleeting_flush_after);
    return entry;
}

void Batcher::note_where(Batches::iterator entry, const std::string& source) {
    auto& here = where_[source];
    if (std::ranges::find(here, entry) != here.end()) return;
    here.push_back(entry);
    entry->second.sources.push_back(source);
}

// With lines of the source, sealed or not: a frame in which nothing was written leaves none.
std::vector<Batcher::Batches::iterator> Batcher::batches_of(const std::string& source) {
    auto found = where_.find(source);
    if (found == where_.end()) return {};
    auto holds = [&](Batches::iterator entry) {
        const auto& growing = entry->second;
        return growing.batch.checkpoints.contains(source) ||
               std::ranges::any_of(growing.open_feeds, [&](const Feed* feed) { return feed->source().id == source; });
    };
    std::vector<Batches::iterator> all;
    std::ranges::copy_if(found->second, std::back_inserter(all), holds);
    return all;
}

void Batcher::erase(Batches::iterator entry) {
    for (const auto& source : entry->second.sources) {
        auto found = where_.find(source);
        std::erase(found->second, entry);
        if (found->second.empty()) where_.erase(found);
    }
    batches_.erase(entry);
}

void Batcher::close_frame(Feed& feed) {
    if (!feed.text_) return;
    this->growing(feed).open_feeds.erase(&feed);
    auto counts = feed.text_->counts();
    auto text = std::move(feed.text_);
    feed.last_text_bytes_ = text->text().size();
    for (const auto& [reason, gaps] : text->gaps()) gaps_for(reason).add(gaps);
    auto charge = std::move(feed.charge_);
    if (counts.empty()) return;
    feed.last_time_ = std::max(feed.last_time_, counts.last_time);
    flush_others_of(feed);

    auto entry = entry_of(feed);
    note_where(entry, feed.source_.id);
    auto& growing = entry->second;
    auto& batch = growing.batch;
    auto [index, is_new] = batch.source_index.try_emplace(feed.source_.id, batch.sources.size());
    if (is_new) batch.sources.push_back(feed.source_);
    batch.charge.resize(batch.charge.bytes() + frame_cost + (is_new ? cost_of(feed.source_) : 0));
    bool first_frame = batch.frames.empty();
    batch.first_time = first_frame ? counts.first_time : std::min(batch.first_time, counts.first_time);
    batch.last_time = first_frame ? counts.last_time : std::max(batch.last_time, counts.last_time);

    auto frame = std::make_shared<PendingFrame>(std::move(*text), std::move(charge));
    frame->frame.source = index->second;
    frame->frame.first_ordinal = feed.next_ordinal_;
    feed.next_ordinal_ += counts.lines;
    if (feed.next_bytes_) *feed.next_bytes_ += counts.message_bytes;
    batch.checkpoints[feed.source_.id] = {
        .position = feed.position_, .lines = feed.next_ordinal_, .bytes = feed.next_bytes_};
    feed.moved_ = false;
    batch.frames.push_back(frame);
    growing.closed_lines += counts.lines;
    growing.closed_bytes += feed.last_text_bytes_;
    batch.frame_bytes->text += feed.last_text_bytes_;
    sealing_.compress(std::move(frame), batch.frame_bytes);

    feed.counters_.lines.add(counts.lines);
    feed.counters_.bytes.add(counts.message_bytes);
    feed.counters_.gaps.add(counts.gaps);
    if (batch.frame_bytes->compressed >= options_.flush_bytes || batch.frames.size() >= batch_frames_max)
        flush(feed.batch_key_);
}

// What is new in the feed's frame goes to who follows its tenant.
void Batcher::mark_text(Feed& feed) {
    auto text = feed.text_->text();
    if (followings_.has(feed.source_.whose.tenant)) [[unlikely]]
        followings_.add(feed.followed(), feed.next_ordinal_ + feed.marked_lines_, text.substr(feed.marked_bytes_));
    feed.marked_bytes_ = text.size();
    feed.marked_lines_ = feed.text_->counts().lines;
}

// A source whose keys changed has older frames in another batch. That one goes first: a checkpoint that is sealed
// before the lines in front of it would lose them in a crash, and one that is sealed after newer lines would repeat
// those.
void Batcher::flush_others_of(const Feed& feed) {
    std::vector<std::string> others;
    for (auto entry : batches_of(feed.source_.id))
        if (entry->first != feed.batch_key_ && entry->second.batch.checkpoints.contains(feed.source_.id))
            others.push_back(entry->first);
    for (const auto& key : others) flush(key);
}

void Batcher::flush(const std::string& key) {
    auto found = batches_.find(key);
    if (found == batches_.end()) return;
    auto open_feeds = found->second.open_feeds;
    for (auto* feed : open_feeds) {
        // Closing the last frame can itself flush the batch by size.
        close_frame(*feed);
        if (!batches_.contains(key)) return;
    }
    found = batches_.find(key);
    tell_newest(found->second);
    auto batch = std::move(found->second.batch);
    erase(found);
    if (!batch.frames.empty()) return sealing_.give(std::move(batch));
    for (const auto& [source, ended] : batch.ended) sealing_.give(SourceEnded{source, ended});
    if (!batch.forget.empty()) sealing_.give(ForgetSources{std::move(batch.forget)});
}

// All that a read needs beside memory.
bool Batcher::others_have_room(const Feed& feed) const {
    return !feed.is_held() && sealing_.queue_has_room() && spool_.has_room(feed.source_.whose.tenant.str());
}

void Batcher::hold(const std::string& source, bool held) {
    if (held)
        held_.insert(source);
    else
        held_.erase(source);
}

void Batcher::seal_soon(const std::string& source) {
    for (auto entry : batches_of(source)) {
        auto soon = clock_.steady();
        auto last = sealed_soon_.find(entry->first);
        if (last != sealed_soon_.end()) soon = std::max(soon, last->second + options_.fleeting_flush_after);
        if (soon >= entry->second.due) continue;
        entry->second.due = soon;
        sealed_soon_[entry->first] = soon;
    }
}

void Batcher::end_patience(const std::string& source) {
    for (auto entry : batches_of(source)) {
        auto& growing = entry->second;
        growing.due = std::min(growing.due, growing.batch.opened + options_.flush_after);
    }
}

void Batcher::seal_now(const std::string& source) {
    std::vector<std::string> keys;
    for (auto entry : batches_of(source)) keys.push_back(entry->first);
    for (const auto& key : keys) flush(key);
}

void Batcher::forget_when_sealed(const std::vector<std::string>& sources) {
    // What is in no growing batch was handed over before, whatever there is of it, and this follows in order.
    ForgetSources at_once;
    for (const auto& source : sources) {
        auto here = batches_of(source);
        auto sealed_in = [&](Batches::iterator entry) { return entry->second.batch.checkpoints.contains(source); };
        auto found = std::ranges::find_if(here, sealed_in);
        if (found == here.end()) {
            at_once.sources.push_back(source);
            continue;
        }
        auto& growing = (*found)->second;
        growing.batch.forget.push_back(source);
        growing.due = std::min(growing.due, clock_.steady() + options_.fleeting_flush_after);
    }
    if (!at_once.sources.empty()) sealing_.give(std::move(at_once));
}

void Batcher::note_ended(const std::string& source, bool ended) {
    if (ended) end_patience(source);
    if (auto here = batches_of(source); !here.empty()) {
        here.front()->second.batch.ended[source] = ended;
        return;
    }
    sealing_.give(SourceEnded{source, ended});
}

void Batcher::note_begun(const Feed& feed, const Position& from, Timestamp since) {
    sealing_.give(SourceBegan{
        .from = {.position = from, .lines = 0, .bytes = 0},
        .source = {.source = feed.source(), .recipients = feed.recipients(), .last_time = since, .ended = false}});
}

std::optional<Batcher::Growth> Batcher::growth(const Feed& feed) const {
    auto found = batches_.find(feed.batch_key_);
    if (found == batches_.end()) return std::nullopt;
    const auto& growing = found->second;
    Growth growth{
        .lines = growing.closed_lines, .bytes = growing.closed_bytes, .age = clock_.steady() - growing.batch.opened};
    for (const auto* open : growing.open_feeds) {
        growth.lines += open->text_->counts().lines;
        growth.bytes += open->text_->text().size();
    }
    return growth;
}

void Batcher::tell_newest(Growing& growing) {
    auto newest = growing.batch.last_time;
    for (const auto* feed : growing.open_feeds) newest = std::max(newest, feed->last_time().value_or(newest));
    if (newest <= growing.told_time) return;
    growing.told_time = newest;
    metrics_
        .gauge("boatswain_last_line_timestamp_seconds", "The time of the newest line read, by its own clock",
               {{"tenant", metrics_.tenant_label(growing.batch.tenant.str())}})
        .set(std::chrono::duration<double>(newest.time_since_epoch()).count());
}

std::size_t Batcher::Growing::held_bytes() const {
    auto bytes = batch.charge.bytes() + batch.frame_bytes->compressed + batch.frame_bytes->text;
    for (const auto* feed : open_feeds) bytes += feed->charge_.bytes();
    return bytes;
}

// What is old, full or in the way. Where memory is short, that is every batch of at least half of the average: together
// they hold at least half of all, whatever the number of tenants. Not while as much is leaving already: that would make
// many small segments out of few.
std::vector<std::string> Batcher::due_batches() {
    auto now = clock_.steady();
    bool is_short = budget_.is_short();
    std::size_t held = 0;
    if (is_short)
        for (const auto& [key, growing] : batches_) held += growing.held_bytes();
    bool enough_leaves = budget_.held() > held + budget_.bytes_max() / 4;
    auto large =
        is_short && !enough_leaves && !batches_.empty() ? std::optional{held / batches_.size() / 2} : std::nullopt;
    std::map<std::string, std::size_t> with_their_share;  // and what of it is growing
    for (const auto& [key, growing] : batches_)
        if (auto tenant = growing.batch.tenant.str(); budget_.has_its_share(tenant))
            with_their_share[tenant] += growing.held_bytes();
    std::vector<std::string> due;
    for (auto& [key, growing] : batches_) {
        tell_newest(growing);
        bool worth_it = growing.batch.frame_bytes->compressed >= options_.worth_bytes &&
                        now >= growing.batch.opened + options_.flush_after;
        bool old = now >= growing.due || worth_it;
        bool full = growing.batch.frame_bytes->compressed >= options_.flush_bytes;
        // A tenant with its share waits for its own batches to leave memory, unless most of them are leaving already.
        auto tenant = with_their_share.find(growing.batch.tenant.str());
        bool in_its_own_way = tenant != with_their_share.end() && tenant->second >= budget_.share(tenant->first) / 4;
        bool in_others_way = large && growing.held_bytes() >= *large;
        if (old || full || in_its_own_way || in_others_way) due.push_back(key);
    }
    return due;
}

void Batcher::tick() {
    budget_.tick();
    if (budget_.is_short()) sealing_.text_memory().clear();
    for (const auto& key : due_batches()) flush(key);
    auto now = clock_.steady();
    std::erase_if(sealed_soon_, [&](const auto& one) { return one.second + options_.fleeting_flush_after <= now; });
    memory_gauge_.set(static_cast<double>(budget_.held()));
    standing_gauge_.set(static_cast<double>(budget_.standing()));
    waiting_gauge_.set(static_cast<double>(budget_.waiting()));
}

std::vector<Feed*> Batcher::feeds_of(const TenantId& tenant) const {
    auto found = feeds_.find(tenant);
    return found == feeds_.end() ? std::vector<Feed*>{}
                                 : std::vector<Feed*>{found->second.begin(), found->second.end()};
}

void Batcher::seal_tenant(const TenantId& tenant) {
    // Keys begin with the tenant's name, which holds no '\n', and a '\n'.
    auto start = tenant.str() + "\n";
    std::vector<std::string> keys;
    for (auto at = batches_.lower_bound(start); at != batches_.end() && at->first.starts_with(start); ++at)
        keys.push_back(at->first);
    for (const auto& key : keys) flush(key);
}

std::size_t Batcher::flush_all() {
    std::vector<std::string> keys;
    for (const auto& [key, growing] : batches_) keys.push_back(key);
    for (const auto& key : keys) flush(key);
    return keys.size();
}

}  // namespace boatswain::batch
