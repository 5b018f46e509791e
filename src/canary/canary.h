// The canary: lines of the agent's own, one a second, of the tenant "_canary", that go the way of every line (feed,
// batch, sealing, spool, store) and are then read back from the store. It tells what no counter on the way can: that
// the store has what it acknowledged, and how long a line takes to get there.
//
// The daemon cannot open what it sealed, and need not: a segment in the store is what was sealed when its SHA-256 is,
// and how many of the canary's lines are in it, the sealing side said (docs/decisions/0010-canary.md).
//
// A line is, in this order: printed; sealed; and then either verified (its segment was acknowledged by the store, and
// read back with the same SHA-256) or lost (acknowledged or put aside, and not there, or other bytes). A store that
// cannot be asked now is asked again later. Lines that wait are in `boatswain_canary_waiting_seconds`.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "batch/batcher.h"
#include "spool/spool.h"
#include "store/store.h"

namespace boatswain::canary {

struct Options {
    std::chrono::milliseconds print_pause{1'000};
    std::chrono::milliseconds look_pause{1'000};
    std::chrono::milliseconds trouble_pause{30'000};  // after the store could not be asked
};

// Segments whose reading back is outstanding; at so many (a store that is away for days) no lines are printed.
inline constexpr std::size_t outstanding_max = 1'000;

class Canary {
  public:
    Canary(Options options, batch::Batcher& batcher, spool::Spool& spool, store::Store& store, const Clock& clock,
           Metrics& metrics, Log& log);
    Canary(const Canary&) = delete;
    ~Canary();  // stops looking; finish() was called

    // On the I/O thread: prints a line when it is time for one; called a few times a second.
    void tick();
    // On the I/O thread: no line is printed any more.
    void finish();
    // On the sealing thread, of every segment that is in the spool.
    void sealed(const segment::SealedSegment& segment);

    struct Status {
        std::uint64_t printed = 0;
        std::uint64_t verified = 0;
        std::uint64_t lost = 0;
        std::optional<Nanoseconds> delay;  // of the last segment verified: since its first line was printed
        std::string last_loss;             // the last key that was not as it was sealed
    };
    Status standing() const;
    // Nothing when no line was lost; else a sentence.
    std::optional<std::string> trouble() const;

    static crypto::Recipient recipient();

  private:
    struct Outstanding {
        std::string key;
        std::string sha256;
        std::uint64_t lines = 0;
        Timestamp first_printed{};
    };
    enum class Finding { verified, lost, not_yet, not_asked };
    void look_back(const std::stop_token& stop);
    Finding look_at(const Outstanding& segment);
    void conclude(const Outstanding& segment, Finding finding);

    const Options options_;
    spool::Spool& spool_;
    store::Store& store_;
    const Clock& clock_;
    Log& log_;
    Counter& printed_counter_;
    Counter& verified_counter_;
    Counter& lost_counter_;
    Gauge& delay_gauge_;
    Gauge& waiting_gauge_;
    std::unique_ptr<batch::Feed> feed_;  // of the I/O thread
    std::chrono::steady_clock::time_point next_print_{};
    std::uint64_t next_number_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Timestamp> unsealed_;  // when the lines were printed that are in no segment yet
    std::deque<Outstanding> outstanding_;
    Status standing_;
    std::jthread looking_;  // last: it ends before what it uses
};

}  // namespace boatswain::canary
