// Shows standard output page by page: through the program that PAGER names, where both ends are a terminal.
#pragma once

#include <sys/types.h>

#include "boatswain/output.h"

namespace boatswain::tool {

// While it lives, what is written to standard output goes through the pager, and so do notes on standard error, which
// would else be drawn over what somebody reads. At its end it waits for the pager. Ctrl-C is the pager's meanwhile: who
// leaves it ends the tool.
class Pager {
  public:
    // Does nothing unless `wanted`, and PAGER is set to something else than "cat", and standard output is a terminal.
    // A pager that cannot be started is passed over: then lines are printed as without one.
    Pager(bool wanted, Console& console);
    ~Pager();
    Pager(const Pager&) = delete;
    Pager& operator=(const Pager&) = delete;

  private:
    Console& console_;
    pid_t process_ = -1;
    int out_ = -1, err_ = -1;  // standard output, and standard error, as they were
};

}  // namespace boatswain::tool
