// One instance per state directory: a lock on a file in it, held as long as the process lives. The kernel gives it back
// whatever way the process ends.
//
// The second instance waits instead of ending: during an upgrade the new one is started beside the old one, and an
// orchestrator would count an exit as a failure (Marathon's UNIQUE constraint does not keep two versions apart).
#pragma once

#include <functional>

#include "base/file.h"
#include "base/log.h"
#include "base/result.h"

namespace boatswain::boatswaind {

class StateLock {
  public:
    // Waits for the lock until it holds it, or `give_up` says so (asked a few times a second): Remedy::stop then.
    static Result<StateLock> acquire(const Path& state_dir, Log& log, const std::function<bool()>& give_up);

  private:
    explicit StateLock(Fd file) : file_(std::move(file)) {}
    Fd file_;
};

}  // namespace boatswain::boatswaind
