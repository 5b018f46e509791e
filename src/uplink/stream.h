// One tenant's lines on their way to one hub: taken from the batcher, sealed to the recipients for which they are
// sealed in segments, as messages (docs/formats/live.md, "A stream").
//
// Belongs to the I/O thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/secret.h"
#include "base/time.h"
#include "batch/batcher.h"
#include "batch/following.h"
#include "batch/sealing.h"
#include "crypto/key32.h"
#include "crypto/sealing_cipher.h"
#include "live/record.h"
#include "spool/spool.h"

namespace boatswain::uplink {

// Sets of recipients of one tenant that have a part; lines of others are in the store alone.
inline constexpr std::size_t parts_max = 16;
inline constexpr std::chrono::milliseconds mark_pause{1000};  // between two marks of a tenant

// What streams stand on. All borrowed.
struct StreamGround {
    batch::Batcher& batcher;
    const batch::Sealing& sealing;
    const spool::Spool& spool;
    const Clock& clock;
    Metrics& metrics;
};

class TenantStream {
  public:
    // Remedy::back_off: too many are followed.
    static Result<std::unique_ptr<TenantStream>> open(const StreamGround& ground, TenantId tenant, std::uint32_t number,
                                                      std::string hub_nonce, std::function<void()> came);

    // The hub wants a mark with this number, or a later one.
    void ask_mark(std::uint32_t mark) { wanted_mark_ = std::max(wanted_mark_, mark); }
    // Appends the messages that are due. Remedy::stop: this stream cannot go on.
    Result<void> append_due(std::string& out);
    // Whether something will be due without that anything comes: a mark that waits for its turn, or for the store.
    bool waits() const { return wanted_mark_ > told_mark_ || !unstored_.empty(); }
    std::uint32_t number() const { return number_; }

  private:
    struct Part {
        std::uint32_t number = 0;
        SecretValue<crypto::Key32> key;
        std::uint64_t counter = 0;
        std::map<batch::FollowedSourcePtr, std::uint32_t> sources;
        std::string record;  // that grows
    };
    struct Unstored {
        std::uint32_t mark = 0;
        std::uint64_t orders = 0;                    // of sealing, that come before it
        std::optional<std::int64_t> last_segment{};  // once those are done: the last one that waits for the store
    };

    TenantStream(const StreamGround& ground, TenantId tenant, std::uint32_t number, std::string hub_nonce);
    // nullptr: there are parts_max.
    Result<Part*> part_of(const batch::FollowedSource& source, std::string& out);
    std::uint32_t source_of(Part& part, const batch::FollowedSourcePtr& source, std::string& out);
    void close_record(Part& part, std::string& out);
    Result<void> append_lines(std::string& out);
    Result<void> append_mark(std::string& out);
    void append_stored(std::string& out);

    const StreamGround& ground_;
    const TenantId tenant_;
    const std::uint32_t number_;
    const std::string hub_nonce_;
    std::unique_ptr<batch::Following> following_;
    crypto::SealingCipher cipher_;
    std::map<std::string, Part> parts_;  // by recipients
    std::uint32_t wanted_mark_ = 0, told_mark_ = 0;
    std::optional<std::chrono::steady_clock::time_point> marked_at_;
    std::vector<Unstored> unstored_;
    Counter& lines_dropped_;
};

}  // namespace boatswain::uplink
