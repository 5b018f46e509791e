// A cell: the process in which one tenant's segments are opened and searched for `boatswain serve`.
//
// Invariants
//   - It is confined before the first byte of a tenant's is in it (sandbox/isolation.h), and ends when it cannot be.
//   - It answers for one tenant, from its beginning to its end.
//   - It has that tenant's identities while it answers, and only then: they are wiped behind each question.
//   - It ends with its server.
#pragma once

namespace boatswain::cell {

// The kernel ends this process before its server, where memory is short. Before core dumps are forbidden: what /proc has
// of this process is root's from then on.
void end_before_the_server();

// The whole life of a cell. The code with which the process is to end at once, by _exit().
int run_cell();

}  // namespace boatswain::cell
