// Lines of one tenant as they are read, for somebody in this process who follows them.
//
// A feed copies what was appended to it at its next mark(), before it is compressed and sealed. Nobody waits for who
// follows: what does not fit is dropped here and counted, and is in the tenant's log all the same.
//
// Belongs to the I/O thread, as the feeds do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/recipient.h"
#include "record/source.h"

namespace boatswain::batch {

// What waits in one following, and in all together, and how many there may be at a time. They are not charged against
// memory_max.
inline constexpr std::size_t following_bytes_max = 2U << 20;
inline constexpr std::size_t followings_bytes_max = 16U << 20;
inline constexpr std::size_t followings_max = 256;
// Texts that go on are joined up to this: small enough for memory that the allocator has at hand.
inline constexpr std::size_t portion_bytes = 64U << 10;

class Followings;

// Whose lines they are, and for whom they are sealed. Shared by all portions of one feed.
struct FollowedSource {
    Source source;
    std::vector<crypto::Recipient> recipients;
    bool unreplayable = false;  // its lines cannot be read again
};
using FollowedSourcePtr = std::shared_ptr<const FollowedSource>;

// Ends when it is destroyed.
class Following {
  public:
    struct Portion {
        FollowedSourcePtr source;
        std::uint64_t first_ordinal = 0;  // of its first line
        std::string text;  // whole lines and records, as in a frame behind its heading (docs/formats/segment.md)
    };
    Following(const Following&) = delete;
    Following& operator=(const Following&) = delete;
    ~Following();

    std::vector<Portion> take();         // all that waits
    std::uint64_t take_dropped_lines();  // how many did not fit since this was asked last

  private:
    friend class Followings;
    Following(Followings& all, TenantId tenant, std::function<void()> came)
        : all_(all), tenant_(std::move(tenant)), came_(std::move(came)) {}
    void add(const FollowedSourcePtr& source, std::uint64_t first_ordinal, std::string_view text);

    Followings& all_;
    TenantId tenant_;
    std::function<void()> came_;
    std::vector<Portion> waiting_;
    std::size_t bytes_ = 0;  // of waiting_
    std::uint64_t dropped_lines_ = 0;
};

// All who follow. Outlives them.
class Followings {
  public:
    // `came` is called when something waits or was dropped: it returns at once. Remedy::back_off: too many follow.
    Result<std::unique_ptr<Following>> follow(const TenantId& tenant, std::function<void()> came);
    bool has(const TenantId& tenant) const { return !all_.empty() && all_.contains(tenant); }
    void add(const FollowedSourcePtr& source, std::uint64_t first_ordinal, std::string_view text);

  private:
    friend class Following;
    std::map<TenantId, std::vector<Following*>> all_;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;  // that wait in all of them
};

}  // namespace boatswain::batch
