// logs and query --follow: what there is, then each line when it reaches the store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "open/identity.h"
#include "query/merge.h"
#include "query/selection.h"
#include "store/store.h"

namespace boatswain::tool {

struct FollowReading {
    store::Store& store;
    std::span<const open::Identity> identities;
    const query::Selection& selection;
    query::Limits limits;
    query::Observer& observer;
    std::optional<std::uint64_t> tail;  // of what there is, the last lines alone
};

// Until `show` returns false, which it does when nobody reads any more: it is asked with nullptr now and then. `held`
// keeps what --tail waits for, and returns a function that shows it, or none where the entry is left out.
struct FollowOutput {
    std::function<bool(const query::Entry* entry)> show;
    std::function<std::function<bool()>(const query::Entry& entry)> held;
    std::function<void(const std::string& note)> note;
};
Result<void> follow_lines(const FollowReading& reading, const FollowOutput& output);

}  // namespace boatswain::tool
