// Lines of many sources, the latest first: what `--tail` and a limited question about the end of a stretch need.
//
// Time is cut where segments can begin and end, and read from its last piece to its first; within a piece read_lines()
// goes forward, and the last entries of it are kept. So of a question for the last hundred lines the newest hours alone
// are read, and order is the exact opposite of read_lines() (of sources whose clock stepped back over the cut, the part
// with later times comes first). A piece with much text is cut further, where its footers say that enough lines follow.
#pragma once

#include <cstdint>
#include <functional>

#include "query/merge.h"

namespace boatswain::query {

// Pieces with less text than this are read whole: looking into their footers first would cost as much.
inline constexpr std::uint64_t whole_piece_bytes_max = 4U << 20;

// Hands out at most `most` entries, latest first, until `each` returns false. `accepts` is asked of every entry that
// the selection wants, in the order of read_lines(); those it refuses are not counted and not handed out. What is kept
// of one piece, at most `most` entries, is held of the budget. Errors are those of read_lines().
Result<Tally> read_lines_backward(store::Store& store, std::span<const open::Identity> identities,
                                  const Selection& selection, const Limits& limits, Observer& observer,
                                  std::uint64_t most, const std::function<bool(const Entry&)>& accepts,
                                  const std::function<bool(const Entry&)>& each,
                                  std::uint64_t whole_piece_bytes = whole_piece_bytes_max);

// Where the last `wanted` entries of `selection` begin, as far as footers tell: an estimate for who reads forward and goes
// further back where it was too late. The selection's own beginning where all of it is to be read.
Result<Timestamp> begin_of_last(store::Store& store, std::span<const open::Identity> identities,
                                const Selection& selection, const Limits& limits, std::uint64_t wanted);

}  // namespace boatswain::query
