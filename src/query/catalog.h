// What lies in a store, told from the names of its objects alone: tenants, hours, segments. Opens nothing, needs no
// key.
//
// A bucket may hold other people's objects. A name that is not exactly one of ours is passed over and counted.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "query/budget.h"
#include "query/range.h"
#include "record/source.h"
#include "segment/object_key.h"
#include "store/pages.h"
#include "store/store.h"

namespace boatswain::query {

struct SegmentInfo {
    segment::ObjectKey key;
    std::uint64_t size = 0;  // of the object, in bytes
};

// Where segments of one hour lie: those that keep to it and its neighbour, or those that span more.
struct HourPlace {
    Timestamp hour{};
    bool spanning = false;
    auto operator<=>(const HourPlace&) const = default;
};

// The roll-up of a day, by its name alone.
struct RollupInfo {
    Timestamp day{};
    std::uint64_t size = 0;
};

// What it costs to hold one, in bytes: an estimate, rather too high.
std::uint64_t memory_of(const SegmentInfo& info);

// More tenants, or hours of one tenant, or segments of one hour than this are refused (Remedy::stop): a listing is held
// in memory.
inline constexpr std::size_t listed_max = 1'000'000;

class Catalog {
  public:
    // A listing that would not fit into what is left of `budget` is refused (is_over_budget()); the caller holds what
    // it keeps (memory_of()). Without one, listed_max is all that bounds it.
    explicit Catalog(store::Store& store, Budget* budget = nullptr) : store_(store), budget_(budget) {}

    // In name order.
    Result<std::vector<TenantId>> tenants();
    // The hours of `tenant` that have segments and lie in `span`, earliest first; spanning ones from before `span` too.
    // The roll-ups that lie beside them are put into `rollups`, if that is given.
    Result<std::vector<HourPlace>> hours(const TenantId& tenant, const HourSpan& span = {},
                                         std::vector<RollupInfo>* rollups = nullptr);
    // Segments of one hour, in the order of their names: by host, epoch and sequence number. Of a day of which hours()
    // found day_hours_min and more, a listing of all of it is asked for, page by page, and serves the hours that lie
    // whole in what has come: of a tenant that prints little a day is one request, and of others one for each 1,000
    // segments, where that is less than one for each hour and hours are asked for one after the other.
    Result<std::vector<SegmentInfo>> segments(const TenantId& tenant, const HourPlace& place);
    static constexpr std::size_t day_hours_min = 4;

    // Names seen so far that are not ours.
    std::uint64_t foreign() const { return foreign_; }

  private:
    Result<void> for_each_prefix(const std::string& under, const std::function<bool(std::string_view)>& each,
                                 const std::function<bool(const store::ObjectInfo&)>& is_ours = {});

    // What the first pages of a day say.
    struct Day {
        std::unique_ptr<store::Pages> pages{};
        Timestamp whole_before = Timestamp::min();  // hours before this lie in them whole
        std::chrono::hours of_last_page{};          // that it made whole
        std::map<Timestamp, std::vector<SegmentInfo>> hours{};
        std::map<Timestamp, std::uint64_t> foreign{};
        std::vector<Share> held{};

        // Whether the next page can be expected to have `hour`, and to spare a request.
        bool next_page_has(Timestamp hour) const;
    };
    Result<void> read_page(const TenantId& tenant, Timestamp day, Day& found);
    std::optional<std::vector<SegmentInfo>> from_day(const TenantId& tenant, const HourPlace& place);

    // Whether there is room for what was listed.
    Result<void> check_room(std::uint64_t bytes, std::string_view what) const;

    store::Store& store_;
    Budget* budget_;
    std::uint64_t foreign_ = 0;
    std::map<std::pair<TenantId, Timestamp>, std::size_t> hours_of_day_;  // that hours() found
    std::map<TenantId, std::pair<Timestamp, Day>> days_;                  // of each tenant the one asked for last
};

}  // namespace boatswain::query
