// `boatswaind check`: what the agent would start with, and what is wrong with it, without starting anything.
#pragma once

#include "config/config.h"

namespace boatswain::boatswaind {

// Prints the effective configuration on standard output and every problem on standard error. The exit code: 0 when the
// agent would start, else 1.
int check(const config::Config& config);

}  // namespace boatswain::boatswaind
