// Proof that nothing is missing: over a stretch of a store, chain by chain.
//
// A chain is all segments of one tenant, host and epoch. Proven is, from its first to its last segment in the stretch
//   without a key   every sequence number is there once, and every object names the SHA-256 of the one before it
//   with a key      besides: every object opens and is as it was sealed, every line of it is counted; the ordinals of
//                   every source follow each other; a source's closing record states what was found
// What cannot be proven (what a host sealed after the last segment that is there; who sealed) is in
// docs/operate/verify.md.
//
// ChainChecker is the judge: fed with what examine() found, in order; no I/O. verify_store() runs it all.
//
// Memory: names of the stretch (chains.h) and, per source that has not ended, some 400 bytes, of a budget; a few
// objects.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "query/chains.h"
#include "query/examine.h"

namespace boatswain::query {

// So many are named each; all are counted.
inline constexpr std::size_t problems_named_max = 1'000;
inline constexpr std::size_t gaps_named_max = 1'000;
// Gaps of further reasons are counted under "other".
inline constexpr std::size_t gap_reasons_max = 100;

struct NamedGap {
    ChainId chain;
    std::string source;  // its id
    std::string name;
    std::string app;
    Gap gap;
};

struct GapTotal {
    std::uint64_t count = 0;
    std::uint64_t lines_min = 0;
    std::uint64_t bytes_min = 0;
};

// What was wrong, and what was told missing, over all chains.
struct Findings {
    std::vector<Problem> problems;
    std::array<std::uint64_t, fault_kinds> faults{};  // by Fault
    std::vector<NamedGap> gaps;
    std::map<std::string, GapTotal> gaps_by_reason;
    std::uint64_t gap_count = 0;

    void add(Problem problem);
    std::uint64_t problem_count() const;
};

// What was proven of one chain.
struct ChainReport {
    ChainId id;
    std::uint64_t first = 0;  // sequence numbers of the stretch
    std::uint64_t last = 0;
    std::uint64_t first_in_store = 0;
    std::uint64_t last_in_store = 0;
    std::uint64_t segments = 0;
    std::uint64_t opened = 0;      // with an identity, and sound
    std::uint64_t for_others = 0;  // seen from outside alone
    std::uint64_t unlinked = 0;    // of these, that say nothing of their predecessor
    std::uint64_t copies = 0;      // of the second form, with the very bytes that lie under the first
    std::uint64_t bytes = 0;       // of objects
    std::uint64_t lines = 0;
    std::uint64_t message_bytes = 0;
    std::uint64_t lines_missing = 0;  // at least; of sources that go on behind what is missing or damaged
    std::uint64_t sources = 0;
    std::uint64_t ended = 0;         // with a closing record: read to their end, and all there
    std::uint64_t begun_before = 0;  // sources whose first lines are not in the stretch
    std::uint64_t gaps = 0;
    std::uint64_t problems = 0;
    std::vector<std::string> unopened;  // names of those for_others, the first problems_named_max
    std::string last_sha256;  // of the last object: whoever keeps it can tell later that all of this is still there
};

// More sources without an end than this, in one chain, are refused.
inline constexpr std::size_t open_sources_max = 1'000'000;
// Lines after a closing record are noticed for so many sources, those that ended last.
inline constexpr std::size_t ended_sources_max = 100'000;

class ChainChecker {
  public:
    // Sources are held of `budget`, where there is one.
    ChainChecker(const ListedChain& chain, Findings& findings, Budget* budget = nullptr);

    // The next link of the chain, in its order. Remedy::stop when there are more sources than can be held.
    Result<void> take(const Link& link, const Examined& object);
    const ChainReport& report() const { return report_; }

  private:
    struct Progress {  // of a source
        std::uint64_t next_ordinal = 0;
        std::uint64_t bytes = 0;
        bool whole = false;        // from its first line on, without a hole
        bool reassigned = false;   // its lines went to another tenant for a while
        std::uint64_t unseen = 0;  // unseen_ at its last frame
        Share held{};
    };
    void add(Fault fault, const std::string& what);
    bool take_place(const Link& link, const Examined& object);
    bool is_copy(const Link& link, const Examined& object) const;
    void take_another(const Link& link, const Examined& object);
    void take_link(const Link& link, const Examined& object);
    Result<void> take_frame(const Examined& object, const ExaminedFrame& frame);
    void take_ordinals(Progress& progress, const ExaminedFrame& frame, std::uint64_t named, const std::string& where);
    void take_end(const std::string& id, Progress& progress, const End& end, const std::string& where);
    void take_gaps(const Examined& object);

    const ListedChain& chain_;
    Findings& findings_;
    Budget* budget_;
    ChainReport report_;
    std::string name_;              // of the chain, for people
    std::uint64_t at_ = 0;          // the last sequence number taken
    std::set<std::string> hashes_;  // of the objects of that number: where two claim it, the next one says which
    bool at_is_opened_ = false;
    std::string last_name_;
    std::uint64_t unseen_ = 0;  // segments whose lines are not known: missing, damaged or for others
    std::unordered_map<std::string, Progress> open_;
    std::deque<std::string> ended_in_order_;
    std::set<std::string> ended_;
};

struct Verification {
    std::vector<ChainReport> chains;
    Findings findings;
    std::uint64_t foreign = 0;  // names in the store that are not ours

    bool proven() const { return !chains.empty() && findings.problem_count() == 0; }
};

// Adds what only all chains together show: objects that do not open, of tenants whose others do. A flipped bit in what
// wraps the key for a recipient looks like another recipient's object; so it must not pass for one.
void judge_unopened(Verification& verification);

struct VerifyRequest {
    std::optional<TenantId> tenant;
    std::optional<std::string> host;
    TimeRange range;
    bool oversized = false;  // objects that are larger than agents write, too
};

// Objects are fetched and opened in so many threads at once.
inline constexpr std::size_t verifiers = 4;

// `progress` hears how many of how many segments are done, from the calling thread. Errors: the store's, and what is
// too much to hold.
Result<Verification> verify_store(store::Store& store, std::span<const open::Identity> identities,
                                  const VerifyRequest& request, Budget& budget,
                                  const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace boatswain::query
