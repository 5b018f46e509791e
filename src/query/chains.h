// The chains of a store, told from the names of its objects: per tenant, host and epoch, which sequence numbers are
// there.
//
// A stretch of time asks for segments by their hours, and a chain counts by sealing: what an agent sealed while it
// caught up with an old log lies in an older hour than its neighbours. So all names of a tenant are listed, and of each
// chain everything between the first and the last number of the stretch belongs to the answer, wherever it lies. What
// is not among all names is missing, and not only elsewhere.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/catalog.h"
#include "query/range.h"
#include "record/source.h"
#include "segment/object_key.h"

namespace boatswain::query {

struct ChainId {
    TenantId tenant = TenantId::unassigned();
    std::string host;
    std::string epoch;
    auto operator<=>(const ChainId&) const = default;
};

// One object's place in its chain: what of its name the chain does not say. In the order of these members: of one
// number, the first form before the second.
struct Link {
    std::uint64_t sequence = 0;
    Timestamp hour{};
    bool spanning = false;
    bool second_form = false;
    std::uint64_t hash = 0;  // of the second form: its 16 hex digits, as a number
    std::uint64_t size = 0;
    auto operator<=>(const Link&) const = default;
};

struct ListedChain {
    ChainId id;
    std::vector<Link> links;           // of the stretch, by sequence number; one number may be there twice
    std::uint64_t first_in_store = 0;  // sequence numbers, of the whole store
    std::uint64_t last_in_store = 0;
    Share held{};

    segment::ObjectKey key(const Link& link) const;
};

// By tenant, host and epoch. `tenant` and `host` absent: all. Links are held in memory; more than listed_max of one
// tenant, or than fit into `budget`, are refused (Remedy::stop).
Result<std::vector<ListedChain>> list_chains(Catalog& catalog, const std::optional<TenantId>& tenant,
                                             const std::optional<std::string>& host, const TimeRange& range,
                                             Budget& budget);

}  // namespace boatswain::query
