// A cell that code from outside has taken over: it is confined as cells are, speaks their protocol, and does what the
// question's `query` says. What it found out is its answer.
#pragma once

namespace boatswain::cell::testing {

inline constexpr const char* hostile_word = "hostile-cell";
int run_hostile_cell();

}  // namespace boatswain::cell::testing
