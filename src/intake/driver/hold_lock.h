// The directory of holds belongs to one holder at a time. Whoever has no lock binds no socket for the engine
// (PluginServer::bind asks for it): a second process would take the engine's requests from the first, and could do
// nothing with them.
//
// The kernel gives it back whatever way the process ends.
#pragma once

#include "base/file.h"
#include "base/result.h"

namespace boatswain::intake::driver {

class HoldLock {
  public:
    // Makes the directory where it is missing (check_in_memory). Remedy::back_off: another holder works in it.
    static Result<HoldLock> take(const Path& hold_dir);

  private:
    explicit HoldLock(Fd file) : file_(std::move(file)) {}
    Fd file_;
};

}  // namespace boatswain::intake::driver
