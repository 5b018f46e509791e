// What is left of a frame's text when the lines that nobody wants are out of it: a search looks over a whole text, and
// at the few lines in which something was found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/filter.h"
#include "query/selection.h"

namespace boatswain::query {

// Of `text`, a whole frame's, the heading and the lines and gaps that `selection` wants; "" where there is none.
// Nothing: each entry has to be asked, since all are wanted or something found is not of the form. (Lines in which
// nothing was found are not looked at: `verify` does that.)
std::optional<std::string> wanted_of(const Selection& selection, const FrameSummary& frame, std::string_view text);

}  // namespace boatswain::query
