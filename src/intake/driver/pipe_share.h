// How many FIFOs may be widened. The kernel counts pipes' pages for the user who made them (fs.pipe-user-pages-soft):
// FIFOs of log drivers belong to the engine's user, which is root. Above that number every new pipe of root's, in each
// container that runs as root too, has two pages instead of sixteen. So wide FIFOs take half of it at most.
#pragma once

#include <cstddef>
#include <cstdint>

namespace boatswain::intake::driver {

// `pages_soft`: fs.pipe-user-pages-soft, 0: no limit. Page size 4096.
constexpr std::size_t wide_fifos_max(std::uint64_t pages_soft, std::size_t bytes_each) {
    if (pages_soft == 0) return SIZE_MAX;
    return static_cast<std::size_t>(pages_soft / 2 * 4096 / bytes_each);
}

// As the kernel says; where it can not be asked (a confined process), as it said last, and at first its default.
std::uint64_t pipe_pages_soft();

}  // namespace boatswain::intake::driver
