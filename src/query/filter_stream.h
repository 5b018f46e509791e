// A filter on standard output or standard error. A gap belongs to no stream: what is missing may be of either.
#pragma once

#include "query/filter.h"
#include "record/line.h"

namespace boatswain::query {

FilterPtr stream_is(Stream stream);

}  // namespace boatswain::query
