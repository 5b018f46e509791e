// Whether the store has an object behind the end of a chain as the state knows it: then the state is an old one, of a
// snapshot or of another machine (docs/decisions/0027-a-key-that-is-taken.md).
//
// The next object's number is known, its hour is not. So the hours from that of the chain's end on are listed: few as a
// rule, and never more than look_requests_max requests. Spanning segments, which are few, are not looked for.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "record/source.h"
#include "spool/taken_key.h"
#include "store/store.h"

namespace boatswain::ship {

inline constexpr std::size_t look_requests_max = 24;
// Where nothing was sealed for longer, what follows is looked for in so many days behind the end.
inline constexpr std::chrono::days look_days_max{7};
// What was sealed last holds lines from a little before that, and its successor may, too.
inline constexpr std::chrono::minutes look_margin{10};

// The key of such an object; nothing when none was found. Errors are the store's: Remedy::stop when it does not let us
// list.
Result<std::optional<std::string>> object_behind(store::Store& store, const TenantId& tenant, const std::string& host,
                                                 const spool::HeadAtStart& head, Timestamp now);

}  // namespace boatswain::ship
