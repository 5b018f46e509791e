// How much memory holds may take, and who may take more of it. Pure: the holder says what lies in its directory.
//
//   a container   hold_bytes: all its holds together, those of runs that ended too
//   a share       no more than what is still free: half of hold_total for one alone, a third each for two, ...
//   all           hold_total
//
// A share is a tenant that the keyring knows; all other containers have one share together, or whoever makes up names
// of tenants would have as many shares. Since nobody takes more than he leaves, there is always room for who comes
// next.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "intake/driver/hold.h"

namespace boatswain::intake::driver {

class Room {
  public:
    Room(std::uint64_t hold_bytes, std::uint64_t hold_total) : hold_bytes_(hold_bytes), hold_total_(hold_total) {}

    // A hold takes so many bytes of memory now; one that was not known belongs to `share` from here on.
    void set(const HoldName& name, const std::string& share, std::uint64_t bytes);
    void set(const HoldName& name, std::uint64_t bytes);                // of a known one; else nothing
    void add(const HoldName& name, std::uint64_t bytes);                // so many more
    void move(const std::string& container, const std::string& share);  // all its holds, to another share
    void forget(const HoldName& name);
    bool knows(const HoldName& name) const { return holds_.contains(name); }

    enum class Bound { none, container, share, all };
    // The bound that keeps `container` from taking so many bytes more.
    Bound against(const std::string& container, const std::string& share, std::uint64_t bytes) const;

    std::uint64_t total() const { return total_; }
    std::uint64_t total_max() const { return hold_total_; }
    std::uint32_t last_number(const std::string& container) const;  // of its holds; 0: it has none
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [name, entry] : holds_) visit(name);
    }

  private:
    struct Entry {
        std::string share;
        std::uint64_t bytes = 0;
    };
    static std::uint64_t of(const std::map<std::string, std::uint64_t>& sums, const std::string& key);
    void change(const HoldName& name, Entry& entry, std::uint64_t bytes);

    const std::uint64_t hold_bytes_, hold_total_;
    std::map<HoldName, Entry> holds_;
    std::map<std::string, std::uint64_t> containers_, shares_;
    std::uint64_t total_ = 0;
};

std::string_view to_string(Room::Bound bound);

}  // namespace boatswain::intake::driver
