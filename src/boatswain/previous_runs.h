// Earlier runs of a container, from footers alone.
//
// A pod's container that is started again is another source each time, as is a container that was removed and made
// again under the same name. `docker restart` is none: that container's lines are those of one source.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "query/merge.h"
#include "query/selection.h"

namespace boatswain::tool {

// Of each container that `selection` wants: the id of the run before its last one, where there is one. Runs are ordered
// by their first lines in the selection's range.
Result<std::vector<std::string>> previous_runs(store::Store& store, const std::vector<open::Identity>& identities,
                                               const query::Selection& selection, const query::Limits& limits,
                                               query::Observer& observer);

}  // namespace boatswain::tool
