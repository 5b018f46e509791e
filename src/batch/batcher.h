// Gathers lines by tenant: sources write into feeds, feeds close frames, frames gather in the tenant's batch, and a
// batch that is full, old or in the way is sealed.
//
// Invariants
//   - A batch holds lines of one tenant and one set of recipients. A feed is bound to both when it is opened; there is
//     no way to hand it another tenant's line.
//   - What mark() has covered is in the batch's checkpoints, and becomes durable with exactly the lines before it.
//   - A source has frames in one growing batch at most, so its checkpoints are sealed in the order of its lines.
//   - Belongs to the I/O thread; only the Sealing behind it has threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "batch/batch.h"
#include "batch/following.h"
#include "batch/sealing.h"
#include "spool/spool.h"

namespace boatswain::batch {

struct Options {
    std::chrono::nanoseconds flush_after{std::chrono::seconds{60}};
    // For a batch of which every line can be read again (Feed::set_patient), while it is smaller than worth_bytes. Less
    // than flush_after: as long as that.
    std::chrono::nanoseconds flush_after_max{};
    std::uint64_t worth_bytes = 1U << 20;  // compressed: from there on a batch is worth an object of its own
    std::uint64_t flush_bytes = 8U << 20;  // of a segment, sealed
    std::size_t frame_bytes = 256U << 10;  // of a frame's text: frames close at the first mark() past it
    std::chrono::nanoseconds fleeting_flush_after{std::chrono::seconds{1}};  // for lines that cannot be read again
};

// Frames of a batch at most, however small: far below what a segment's footer may hold (segment/format.h).
inline constexpr std::size_t batch_frames_max = 2'000;

class Batcher;

// Where one source's lines go. Move-only; what it holds is closed into the batch at destruction.
class Feed {
  public:
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;
    ~Feed();

    // The frame that grows, for a reader that writes lines in place. Valid until the next mark().
    segment::FrameText& text();
    void append(const Line& line) { text().append(line); }
    void append(const Gap& gap) { text().append(gap); }

    // Writes the closing record, with the source's totals in place of those of `end`. Nothing is appended afterwards.
    void close(End end);

    // Everything appended so far is what the source holds before `position`. May close the frame.
    void mark(const Position& position);

    // So many bytes of the source may be read now. 0: wait, and ask again when the batcher says it has progressed, or
    // soon: who does not ask loses his place in the line (memory_budget.h).
    std::size_t ask_room();
    bool has_room() const;  // whether it would say yes, for those who watch
    bool is_held() const;   // Batcher::hold
    // Every line from now on stays in the source's log for a good while: its batch may wait for more. Not so at first.
    void set_patient(bool patient) { patient_ = patient; }
    bool is_patient() const { return patient_; }
    // What was appended so far will not be in the source's log for much longer.
    void end_patience() const;
    // Of lines that are not complete the reader holds so much.
    void note_pending(std::size_t bytes);
    bool has_pending() const { return pending_charge_.bytes() > 0; }
    // Memory is short, or the tenant has its share: a long line that is not complete should become pieces, which can be
    // sealed. Else it could keep its own tenant waiting for ever.
    bool should_put_down() const;

    const Source& source() const { return source_; }
    const std::vector<crypto::Recipient>& recipients() const { return recipients_; }
    std::uint64_t lines() const { return next_ordinal_; }  // marked so far, since the source's first
    bool unreplayable() const { return unreplayable_; }
    // The latest time of a line or gap that was appended; nothing when there was none.
    std::optional<Timestamp> last_time() const;
    std::size_t open_bytes() const { return text_ ? text_->text().size() : 0; }  // of the frame that grows
    // Where a feed that follows this one starts: behind everything that was marked here.
    Checkpoint handover() const;
    // `next` takes the source over, where this one stands now. Another tenant's: this tenant is told in a closing
    // record.
    void hand_over(Feed& next);

    // For those who follow it; the same one for as long as the feed lives.
    const FollowedSourcePtr& followed();

  private:
    friend class Batcher;
    Feed(Batcher& batcher, Source source, std::vector<crypto::Recipient> recipients, Checkpoint start,
         bool unreplayable);

    Batcher& batcher_;
    Source source_;
    std::vector<crypto::Recipient> recipients_;
    std::string batch_key_;
    bool unreplayable_;
    bool patient_ = false;
    std::uint64_t next_ordinal_;  // of the first line of the open frame, plus its lines at the last mark
    std::optional<std::uint64_t>
        next_bytes_;  // of messages before the open frame; nothing where they were never counted
    Position position_;
    bool moved_ = false;            // the position moved since the last closed frame
    std::size_t marked_bytes_ = 0;  // of the open frame's text
    std::uint64_t marked_lines_ = 0;
    FollowedSourcePtr followed_;  // once it is followed
    std::unique_ptr<segment::FrameText> text_;
    std::size_t last_text_bytes_ = 0;  // of the frame before
    struct Counters {                  // of its tenant and reader
        Counter& lines;
        Counter& bytes;
        Counter& gaps;
    } counters_;
    Timestamp last_time_{};  // of closed frames
    Charge charge_;          // of the frame that grows
    Charge pending_charge_;
    Charge own_charge_;  // of this, whether lines come or not
};

class Batcher {
  public:
    Batcher(Options options, Sealing& sealing, spool::Spool& spool, MemoryBudget& budget, const Clock& clock,
            Metrics& metrics);
    Batcher(const Batcher&) = delete;
    ~Batcher();  // no feed is left by then

    // `start` is what is already sealed of the source. `unreplayable`: the source cannot be read again. Was that another
    // tenant's, in an earlier process, that tenant is told in a closing record: its log has no more of the source.
    std::unique_ptr<Feed> open_feed(Source source, std::vector<crypto::Recipient> recipients, Checkpoint start,
                                    bool unreplayable);

    // The lines of `source` cannot be read again from now on, or soon not: they are sealed with the next tick(), or,
    // where lines of that tenant were sealed so within fleeting_flush_after, when that has passed.
    void seal_soon(const std::string& source);
    // The batch that holds lines of `source` is sealed at once: what waits for them to be durable is running out of
    // room.
    void seal_now(const std::string& source);
    // The batch that holds lines of `source` waits no longer than flush_after.
    void end_patience(const std::string& source);
    // The source is gone and its feed is closed: it is sealed soon, and its checkpoint is dropped when all of it is in
    // the spool.
    void forget_when_sealed(const std::string& source) { forget_when_sealed(std::vector{source}); }
    void forget_when_sealed(const std::vector<std::string>& sources);
    // Nothing more may be read of the source, or (`held` false) it may again: its feed has no room meanwhile.
    void hold(const std::string& source, bool held);
    // The source has stopped, and all it printed was appended and marked; or it runs again. Known to the spool when
    // that is sealed. The last lines of one that has stopped wait no longer than flush_after.
    void note_ended(const std::string& source, bool ended);

    // Reading of the feed's source began at `from`, which the spool is told at once. Its container is there `since`.
    void note_begun(const Feed& feed, const Position& from, Timestamp since);

    // Lines of `tenant` from now on, as its feeds are marked; ends before the batcher does.
    Result<std::unique_ptr<Following>> follow(const TenantId& tenant, std::function<void()> came) {
        return followings_.follow(tenant, std::move(came));
    }

    // The feeds of `tenant`, in no order; valid until one is opened or ends.
    std::vector<Feed*> feeds_of(const TenantId& tenant) const;
    // Everything that was marked of the tenant is sealed at once.
    void seal_tenant(const TenantId& tenant);

    void tick();              // seals what is due by time or memory; called a few times a second
    std::size_t flush_all();  // seals everything that was marked; how many batches that was
    std::size_t open_batches() const { return batches_.size(); }
    MemoryBudget& budget() { return budget_; }

    // The batch that `feed` writes into, with all its feeds: what is held back until it is sealed.
    struct Growth {
        std::uint64_t lines = 0;
        std::uint64_t bytes = 0;  // of text, before compression
        Nanoseconds age{};        // since its first line came
    };
    std::optional<Growth> growth(const Feed& feed) const;

  private:
    friend class Feed;
    struct Growing {
        Batch batch;
        std::set<Feed*> open_feeds;                   // with an open frame
        std::vector<std::string> sources;             // as of where_
        std::chrono::steady_clock::time_point due{};  // when it is sealed at the latest
        std::uint64_t closed_lines = 0;
        std::uint64_t closed_bytes = 0;  // of text
        Timestamp told_time{};           // the newest line's time, as the metric has it
        std::size_t held_bytes() const;  // of memory, about
    };
    using Batches = std::map<std::string, Growing>;
    Feed::Counters counters_of(const Source& source);
    Counter& gaps_for(std::string_view reason);
    void tell_newest(Growing& growing);
    void close_frame(Feed& feed);
    void mark_text(Feed& feed);
    void flush_others_of(const Feed& feed);
    Batches::iterator entry_of(const Feed& feed);
    Growing& growing(const Feed& feed) { return entry_of(feed)->second; }
    void tell_former_tenant(const Feed& feed);
    void flush(const std::string& key);
    bool others_have_room(const Feed& feed) const;
    std::vector<std::string> due_batches();
    void note_where(Batches::iterator entry, const std::string& source);
    std::vector<Batches::iterator> batches_of(const std::string& source);
    void erase(Batches::iterator entry);

    const Options options_;
    Sealing& sealing_;
    spool::Spool& spool_;
    MemoryBudget& budget_;
    const Clock& clock_;
    Metrics& metrics_;
    Batches batches_;             // by tenant and recipients
    std::set<std::string> held_;  // sources
    // By key of a batch, when one was last due for seal_soon(); those of the last fleeting_flush_after.
    std::map<std::string, std::chrono::steady_clock::time_point> sealed_soon_;
    Followings followings_;
    std::map<TenantId, std::set<Feed*>> feeds_;
    // By source, the growing batches that have or had an open frame of it. Mostly one: what is asked of a source must
    // not take a look at every tenant.
    std::unordered_map<std::string, std::vector<Batches::iterator>> where_;
    Gauge& memory_gauge_;
    Gauge& standing_gauge_;
    Gauge& waiting_gauge_;
};

}  // namespace boatswain::batch
