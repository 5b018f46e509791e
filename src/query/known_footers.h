// Footers of segments that were opened before: who answers one question after the other need not fetch them again. What
// a roll-up describes is not kept: that costs a request a day.
//
// A segment never changes under its key, so nothing has to be invalidated; one that somebody exchanged for another is
// noticed when a frame is read (open/segment_reader.h). A footer is known to those identities alone that opened it.
// Bounded: those that were not asked for longest go first. In memory only.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>

#include "open/identity.h"
#include "open/segment_reader.h"
#include "query/opened.h"

namespace boatswain::query {

struct KnownFooter {
    open::Footer footer;
    std::string header_mac;
};

class KnownFooters {
  public:
    explicit KnownFooters(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
    KnownFooters(const KnownFooters&) = delete;
    KnownFooters& operator=(const KnownFooters&) = delete;

    // Names who holds these identities, by their public halves.
    static std::string reader_of(std::span<const open::Identity> identities);

    // Nothing: `reader` did not open this object lately.
    std::shared_ptr<const KnownFooter> find(const std::string& reader, const SegmentInfo& info);
    // What `reader` has opened.
    void add(const std::string& reader, const Opened& opened);

    std::uint64_t bytes() const;

  private:
    struct Kept {
        std::string name;
        std::shared_ptr<const KnownFooter> footer;
        std::uint64_t bytes = 0;
    };
    static std::string name_of(const std::string& reader, const SegmentInfo& info);

    const std::uint64_t bytes_max_;
    mutable std::mutex guard_;  // of what follows
    std::list<Kept> kept_;      // that was asked for last stands first
    std::unordered_map<std::string, std::list<Kept>::iterator> places_;
    std::uint64_t bytes_ = 0;
};

}  // namespace boatswain::query
