// For tests: the system's clock, its time of day moved. Who waits for a time waits no longer than usual.
#pragma once

#include <atomic>

#include "base/time.h"

namespace boatswain::testing {

class JumpingClock final : public Clock {
  public:
    Timestamp now() const override { return system_.now() + Nanoseconds{ahead_}; }
    std::chrono::steady_clock::time_point steady() const override { return system_.steady(); }
    void jump(Nanoseconds by) { ahead_ += by.count(); }

  private:
    SystemClock system_;
    std::atomic<std::int64_t> ahead_ = 0;
};

}  // namespace boatswain::testing
