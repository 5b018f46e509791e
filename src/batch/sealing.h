// The sealing threads: a few compress frames, one seals batches and hands them to the spool.
//
// Invariants
//   - compress() and give() never block the I/O thread.
//   - Orders are done in the order in which give() took them, so positions of a source never step back in the spool.
//   - Those that are ready when the sealing thread looks are sealed as one group and go to the spool together, whosever
//     they are: many small tenants cost the disk what one costs. None waits for others to come.
//   - A group that the spool cannot take (disk full) is kept in memory and tried again until it succeeds or the daemon
//     ends; meanwhile its memory stays charged, so that readers pause. Nothing is dropped here.
//   - A batch that cannot be sealed at all, whatever is tried, is given up; its sources read it again after a restart.
//     Should a later batch of theirs be sealed first, it begins with gap records of what was given up.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/observers.h"
#include "base/time.h"
#include "batch/batch.h"
#include "batch/text_memory.h"
#include "spool/spool.h"

namespace boatswain::batch {

// Text that may wait for a worker; when more waits, readers pause.
inline constexpr std::size_t compress_queue_bytes_max = 4U << 20;

// A group has so many batches at most, and ends with the one that makes it so large: what is sealed stays in memory
// until all of the group is on disk.
inline constexpr std::size_t group_batches_max = 256;
inline constexpr std::uint64_t group_bytes_max = 8U << 20;

class Sealing {
  public:
    // `progressed` is called from the threads of Sealing whenever memory was given back. `workers` >= 1.
    Sealing(int zstd_level, unsigned workers, spool::Spool& spool, MemoryBudget& budget, const Clock& clock,
            Metrics& metrics, Log& log, std::function<void()> progressed);
    Sealing(const Sealing&) = delete;
    ~Sealing();  // stops; batches that are not in the spool by then are given up: their sources read them again

    // Of every segment once it is in the spool, on the sealing thread.
    using SealedObservers = Observers<segment::SealedSegment>;
    SealedObservers& sealed() { return sealed_; }

    void compress(std::shared_ptr<PendingFrame> frame, ByteCount count);
    void give(SealingOrder order);

    // How many orders were given so far, and how many of those, the first ones, are done: what they said is durable.
    std::uint64_t given() const;
    std::uint64_t done() const;

    bool queue_has_room() const;
    TextMemory& text_memory() { return text_memory_; }
    // Waits until everything handed over is in the spool; false when `deadline` came first.
    bool drain(std::chrono::steady_clock::time_point deadline);
    // The error that keeps the spool from taking segments now; nothing when all is well.
    std::optional<std::string> trouble() const;
    // How long the group that is being sealed and spooled has taken by now; nothing when there is none.
    std::optional<std::chrono::nanoseconds> busy_for() const;

  private:
    struct Job {
        std::shared_ptr<PendingFrame> frame;
        ByteCount count;
    };
    // A frame of a batch, for when the batch is lost.
    struct LostFrame {
        std::size_t source = 0;
        segment::FrameCounts counts;
    };
    void compress_frames(std::stop_token stop);
    void do_orders(std::stop_token stop);
    // What a group of batches has become so far.
    struct Group {
        std::vector<spool::Addition> additions;
        std::vector<Charge> charges;                    // of the sealed bytes
        std::map<std::string, spool::ChainHead> heads;  // by tenant, of those that have a segment in it
    };
    bool first_is_ready() const;
    std::vector<SealingOrder> take_ready();
    // False: it was told to stop before all of them were in the spool. None may follow: a later one's checkpoints would
    // pass over what these held.
    bool do_group(std::vector<SealingOrder> orders, std::stop_token stop);
    // What the order makes durable; nothing: it was told to stop.
    using Made = std::optional<spool::Addition>;
    Made make(Batch batch, Group& group, std::stop_token stop);
    Made make(SourceBegan began, Group& group, std::stop_token stop);
    Made make(SourceEnded ended, Group& group, std::stop_token stop);
    Made make(ForgetSources gone, Group& group, std::stop_token stop);
    std::optional<spool::ChainHead> chain_head(const TenantId& tenant, const Group& group, std::stop_token stop);
    bool add_until_done(const Group& group, std::stop_token stop);
    void count_sealed(const segment::SealedSegment& sealed);
    void give_up(const Batch& batch, std::span<const LostFrame> frames);
    void insert_gap(Batch& batch, std::vector<std::shared_ptr<PendingFrame>>::iterator next, const Gap& gap);
    void begin_with_gaps(Batch& batch);
    void tell_key_was_taken(Batch& batch);
    void keep_open_what_lost_unnamed(Batch& batch);
    bool wait(std::stop_token stop, std::chrono::milliseconds time);

    const int zstd_level_;
    spool::Spool& spool_;
    MemoryBudget& budget_;
    const Clock& clock_;
    Metrics& metrics_;
    Log& log_;
    std::function<void()> progressed_;
    Counter& failures_;
    Counter& given_up_;
    std::map<std::string, Gap> unsealed_;  // by source; of the sealing thread
    TextMemory text_memory_;
    SealedObservers sealed_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Job> jobs_;
    std::size_t queued_bytes_ = 0;
    std::deque<SealingOrder> orders_;
    std::uint64_t given_ = 0;
    std::uint64_t done_ = 0;
    bool sealing_ = false;  // a group is out of orders_ and not yet in the spool
    std::chrono::steady_clock::time_point sealing_since_{};
    std::optional<std::string> trouble_;
    std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace boatswain::batch
