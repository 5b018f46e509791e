// A segment of the store, opened: its footer is read and agrees with the name under which it was found.
//
// Whoever can write to the store could put one tenant's segment under another's name, and a reader that believed the
// name would show it as theirs. So a segment whose footer and name disagree is refused, whoever holds the key.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "open/identity.h"
#include "open/segment_reader.h"
#include "query/budget.h"
#include "query/catalog.h"
#include "query/filter.h"
#include "store/store.h"

namespace boatswain::query {

struct Opened {
    SegmentInfo info;
    std::string name;  // info.key as text
    open::SegmentReader reader;
    Share held, tail;               // of the budget: the footer and what a merge notes of it; the end of the object
    std::vector<bool> ruled_out{};  // frames that nothing matches, as the filters of a roll-up say; empty: none

    bool is_ruled_out(std::size_t frame) const { return frame < ruled_out.size() && ruled_out[frame]; }
    // What is known of a frame before it is fetched.
    FrameSummary summary(std::size_t frame) const;
};

// What `footer` says against what the key says; Remedy::quarantine where they differ.
Result<void> check_against_key(const open::Footer& footer, const segment::ObjectKey& key);

// Nothing: none of `identities` opens it, it is for somebody else. Errors:
//   Remedy::quarantine   the object is not a segment, is damaged, or is not what its name says
//   Remedy::re_resolve   it is gone
//   others               the store's own trouble, or over budget: other objects will fare no better
// `store` and the budget must outlive what is returned.
Result<std::optional<Opened>> open_segment(store::Store& store, const SegmentInfo& info,
                                           std::span<const open::Identity> identities, const Limits& limits);

// The same from what a roll-up says of it: nothing is fetched before a frame is read. `identities` outlives it.
Result<Opened> open_rolled_up(store::Store& store, const SegmentInfo& info, open::Footer footer, std::string header_mac,
                              std::span<const open::Identity> identities, const Limits& limits);

// Exactly the bytes [first, first + length), or Remedy::quarantine where the store has others, or fewer. A store that
// sends more than was asked for is not listened to.
Result<std::string> read_exactly(store::Store& store, const std::string& name, std::uint64_t first,
                                 std::uint64_t length);

// Whether an error concerns one object only, so that reading may go on with the others.
bool is_of_one_object(const Error& error);

}  // namespace boatswain::query
