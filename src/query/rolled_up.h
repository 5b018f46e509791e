// What roll-ups say of segments that a listing has found: their footers and filters, so that they need not be opened
// (docs/formats/rollup.md). A roll-up that is missing, old or not to be believed costs requests, and changes no answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "open/identity.h"
#include "query/budget.h"
#include "query/catalog.h"
#include "query/opened.h"
#include "rollup/rollup.h"

namespace boatswain::query {

// A few stretches of an object, fetched in larger pieces than asked for: parts that are read one after the other cost
// one request together.
class ReadAhead {
  public:
    static constexpr std::size_t pieces = 2;

    ReadAhead(store::Store& store, std::string name, std::uint64_t object_bytes, std::uint64_t piece)
        : store_(store), name_(std::move(name)), object_bytes_(object_bytes), piece_(piece) {}
    Result<std::string> read(std::uint64_t first, std::uint64_t length);

  private:
    struct Piece {
        std::uint64_t first = 0;
        std::string bytes;
    };
    store::Store& store_;
    std::string name_;
    std::uint64_t object_bytes_, piece_;
    std::vector<Piece> kept_;  // the one that was used last is at the end
};

// The roll-up that was listed for `tenant`, read in pieces of `piece` bytes. Errors as of rollup::Rollup::open().
Result<rollup::Rollup> open_rollup(store::Store& store, std::span<const open::Identity> identities,
                                   const TenantId& tenant, const RollupInfo& listed, std::uint64_t piece);

// Not for several threads at once. What it gives back borrows `store` and `identities`.
class RolledUp {
  public:
    // `refused` hears of each roll-up that is not to be believed. Frames are looked up in filters for `filter`.
    RolledUp(store::Store& store, std::span<const open::Identity> identities, const Limits& limits, FilterPtr filter,
             std::function<void(const Error&)> refused);
    ~RolledUp();

    void add(const TenantId& tenant, const RollupInfo& found) { known_[{tenant, found.day}] = found.size; }

    // For each of `infos`, all of one tenant and hour: the segment, where a roll-up describes exactly this object.
    std::vector<std::optional<Opened>> find(std::span<const SegmentInfo> infos);

  private:
    struct Day;
    struct Hour;
    Day* day_of(const TenantId& tenant, Timestamp day);
    Result<Hour> read_hour(Day& day, const rollup::IndexHour& hour);
    Result<void> look_up(Day& day, const rollup::IndexHour& described, Hour& hour, std::size_t frames);
    void refuse(const TenantId& tenant, Timestamp day, const Error& error);

    store::Store& store_;
    std::span<const open::Identity> identities_;
    Limits limits_;
    FilterPtr filter_;
    std::function<void(const Error&)> refused_;
    std::map<std::pair<TenantId, Timestamp>, std::uint64_t> known_;  // sizes
    std::map<TenantId, std::unique_ptr<Day>> open_;                  // of each tenant the day that was read last
};

}  // namespace boatswain::query
