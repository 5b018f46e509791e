// The tool as a function: the arguments in, the exit code out (0 done, 1 something failed, 2 the command line is
// wrong, 3 no agent answers).
#pragma once

#include "boatswain/output.h"

namespace boatswain::tool {

int run(int argc, const char* const* argv, Console& console);

}  // namespace boatswain::tool
