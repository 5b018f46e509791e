// Lines of many sources in the order of their times.
//
// Each source (one container on one host) is a sequence: its frames by epoch (what was sealed earlier first), sequence
// number of the segment, and place in the segment; its lines in the order in which they came. That order is kept where
// its times step back, too: a clock that was corrected must not shuffle what a program printed. (Only where a clock was
// set back by more than the hours that are open at a time, two or three, is the later part met first.) Between sources,
// the one whose next entry has the smallest time goes first; equal times go by which source was met first. A gap stands
// in its place, at the time where it begins.
//
// Memory is bounded by a budget (budget.h), not by the size of the store or by what overlaps in it: segments are opened
// hour by hour as the merge gets there, a frame is fetched when the merge reaches its first time, and one frame of each
// such source is held while there is room. When there is not, a part of each is held, and a frame is read again for its
// next part when that is due. Per segment that is still needed its footer is held; when those do not fit, or reading
// again would come to more than reread_max times the text, the question is refused (is_over_budget()).
//
// An object that is damaged, larger than agents write (open/bounds.h) or not what its name says goes to the observer
// and left out; so is what follows the damage in a frame, where a line is met. (A search that finds nothing in a line
// does not look at its form: verify does.) Objects that no identity opens are counted.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "open/identity.h"
#include "open/segment_reader.h"
#include "query/budget.h"
#include "query/catalog.h"
#include "query/opened.h"
#include "query/selection.h"

namespace boatswain::query {

// How far reading has come, and what it met.
struct Tally {
    std::uint64_t hours_listed = 0;
    std::uint64_t hours_total = 0;
    std::uint64_t segments_listed = 0;
    std::uint64_t segments_opened = 0;
    std::uint64_t rolled_up = 0;   // of those opened, with the footer from a roll-up
    std::uint64_t for_others = 0;  // segments that none of the identities opens
    std::uint64_t foreign = 0;     // names in the store that are not ours
    std::uint64_t damaged = 0;     // objects that were left out, wholly or in part
    std::uint64_t copies = 0;      // objects left out: another form of their key holds the same bytes
    std::uint64_t conflicts = 0;   // numbers of a chain with several objects: lines of all of them are read
    std::uint64_t entries = 0;     // handed out
};

// Who hears of what is not a line. Called from the thread that reads.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void damaged(const Error& error) = 0;  // the error names the object
    virtual void progress(const Tally&) {}
    // A roll-up that is not to be believed, or does not fit the store: reading goes on without it.
    virtual void rollup_refused(const Error&) {}
    // A source of a segment that was opened, whether or not the question is about it.
    virtual void met(const Source&) {}
};

// A part of a frame is at least so much; and what is read again is at most so many times what was read, and as much as
// reread_bytes_free in any case.
inline constexpr std::uint64_t text_part_bytes_min = 4U << 10;
inline constexpr std::uint64_t reread_max = 32;
inline constexpr std::uint64_t reread_bytes_free = 1U << 30;

// Hands out every matching entry until `each` returns false. The error is the store's, or says that the budget was used
// up: reading could not go on.
Result<Tally> read_lines(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                         const Limits& limits, Observer& observer, const std::function<bool(const Entry&)>& each);

// Opens the segments of `selection` one after the other and hands them out: what is in their footers, no line.
Result<Tally> read_footers(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                           const Limits& limits, Observer& observer,
                           const std::function<bool(const SegmentInfo&, const open::Footer&)>& each);

// The hours, earliest first, in which the selection's tenants have segments that can hold its lines.
Result<std::vector<Timestamp>> hours_with_segments(store::Store& store, const Selection& selection, Budget& budget);

}  // namespace boatswain::query
