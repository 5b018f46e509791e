// The place of a unix socket in the file system, which one process has at a time.
//
// A socket's file outlives its process, so whoever listens has to remove an old one first. Without a lock two that start
// at the same moment remove each other's: both run, and one serves nobody. So nothing is removed and nothing is bound
// there without this. The kernel gives the lock back whatever way the process ends.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::net {

class SocketPlace {
  public:
    // Locks PATH.lock, which stays. Remedy::back_off: another process, or another listener of this one, has the place.
    static Result<SocketPlace> take(const std::string& path);

  private:
    explicit SocketPlace(Fd lock) : lock_(std::move(lock)) {}
    Fd lock_;
};

}  // namespace boatswain::net
