// Everything that one object shows by itself: its hash and its place in the chain without a key; with one, that every
// chunk, frame and line of it is as it was sealed and counted.
//
// The findings are facts for verify.h to judge: what they mean for the chain, it says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "open/bounds.h"
#include "open/identity.h"
#include "record/end.h"
#include "record/gap.h"
#include "segment/object_key.h"
#include "store/store.h"

namespace boatswain::query {

// What can be wrong.
enum class Fault {
    missing,      // a sequence number is not in the store
    repeated,     // one is there twice
    conflict,     // an object's key was taken by another, and both are there
    damaged,      // an object is no segment, or not as it was sealed
    renamed,      // an object is not what its name says
    broken_link,  // an object does not name the hash of the one before it
    unopened,     // no identity opens an object, though they open others of its tenant: changed, or for another key
    miscounted,   // a frame's text is not what the footer says of it
    lines,        // lines of a source are missing, repeated, or follow its closing record
    totals,       // a closing record does not fit what was found
};
inline constexpr std::size_t fault_kinds = 10;
std::string_view to_string(Fault fault);  // "broken-link"

struct Problem {
    Fault fault = Fault::damaged;
    std::string what;  // names the object, or chain and source
};

// A frame, as counted from its text where that could be read.
struct ExaminedFrame {
    std::size_t source = 0;  // index into Examined::sources
    std::uint64_t first_ordinal = 0;
    std::uint64_t lines = 0;
    std::uint64_t message_bytes = 0;
    std::optional<End> end;
};

struct ExaminedSource {
    std::string id;
    std::string name;
    std::string app;
};

struct ExaminedGap {
    std::size_t source = 0;
    Gap gap;
};

struct Examined {
    std::string name;    // of the object
    std::string sha256;  // hex, of all of it; empty when it is gone
    std::optional<std::string>
        previous_sha256;      // what it says of its predecessor (empty: it is the first); nothing: it does not say
    bool opened = false;      // an identity opened it, and all of it is sound
    bool for_others = false;  // no identity fits
    std::vector<ExaminedSource> sources;
    std::vector<ExaminedFrame> frames;
    std::vector<ExaminedGap> gaps;  // all that the frames hold, up to examined_gaps_max
    std::uint64_t gap_count = 0;
    std::vector<Problem> problems;
};

inline constexpr std::size_t examined_gaps_max = 1'000;
inline constexpr std::size_t examined_name_bytes_max = 256;  // of a source's name and app: they are for people here
// Objects up to this size are held in memory while they are examined; larger ones are fetched twice: to be hashed, and,
// by their frames, to be opened.
inline constexpr std::uint64_t held_bytes_max = 16U << 20;

// Errors are the store's own trouble. What is wrong with the object is a problem among the findings; so is that it is
// not within `bounds`.
Result<Examined> examine(store::Store& store, const segment::ObjectKey& key, std::uint64_t size,
                         std::span<const open::Identity> identities, const open::Bounds& bounds = {});

}  // namespace boatswain::query
