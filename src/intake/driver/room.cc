#include "intake/driver/room.h"

#include <algorithm>
#include <limits>

namespace boatswain::intake::driver {

std::uint64_t Room::of(const std::map<std::string, std::uint64_t>& sums, const std::string& key) {
    auto found = sums.find(key);
    return found == sums.end() ? 0 : found->second;
}

void Room::change(const HoldName& name, Entry& entry, std::uint64_t bytes) {
    auto adjust = [&](std::map<std::string, std::uint64_t>& sums, const std::string& key) {
        auto& sum = sums[key];
        sum = sum - entry.bytes + bytes;
        if (sum == 0) sums.erase(key);
    };
    adjust(containers_, name.container);
    adjust(shares_, entry.share);
    total_ = total_ - entry.bytes + bytes;
    entry.bytes = bytes;
}

void Room::set(const HoldName& name, const std::string& share, std::uint64_t bytes) {
    change(name, holds_.try_emplace(name, Entry{.share = share}).first->second, bytes);
}

void Room::set(const HoldName& name, std::uint64_t bytes) {
    if (auto found = holds_.find(name); found != holds_.end()) change(name, found->second, bytes);
}

void Room::add(const HoldName& name, std::uint64_t bytes) {
    if (auto found = holds_.find(name); found != holds_.end()) change(name, found->second, found->second.bytes + bytes);
}

void Room::move(const std::string& container, const std::string& share) {
    for (auto hold = holds_.lower_bound({.container = container, .number = 0});
         hold != holds_.end() && hold->first.container == container; ++hold) {
        auto bytes = hold->second.bytes;
        change(hold->first, hold->second, 0);
        hold->second.share = share;
        change(hold->first, hold->second, bytes);
    }
}

void Room::forget(const HoldName& name) {
    auto found = holds_.find(name);
    if (found == holds_.end()) return;
    change(name, found->second, 0);
    holds_.erase(found);
}

Room::Bound Room::against(const std::string& container, const std::string& share, std::uint64_t bytes) const {
    if (total_ + bytes > hold_total_) return Bound::all;
    if (of(containers_, container) + bytes > hold_bytes_) return Bound::container;
    auto free = hold_total_ - total_ - bytes;
    return of(shares_, share) + bytes > free ? Bound::share : Bound::none;
}

std::uint32_t Room::last_number(const std::string& container) const {
    auto behind = holds_.upper_bound({.container = container, .number = std::numeric_limits<std::uint32_t>::max()});
    if (behind == holds_.begin()) return 0;
    auto last = std::prev(behind);
    return last->first.container == container ? last->first.number : 0;
}

std::string_view to_string(Room::Bound bound) {
    switch (bound) {
        case Room::Bound::none: return "none";
        case Room::Bound::container: return "driver.hold_bytes, of one container";
        case Room::Bound::share: return "a tenant's share of driver.hold_total";
        case Room::Bound::all: return "driver.hold_total";
    }
    return "unknown";
}

}  // namespace boatswain::intake::driver
