// How long to wait before trying again: exponential, with jitter, within a deadline.
//
// Waits double from `first_delay` to `delay_max`; each is cut by up to a half at random, so that many hosts that failed
// together do not come back together. A server's own wish (Retry-After) is a lower bound.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

#include "base/time.h"

namespace boatswain::store {

struct RetryOptions {
    std::chrono::milliseconds first_delay{200};
    std::chrono::milliseconds delay_max{10'000};
    std::chrono::milliseconds deadline{
        60'000};  // no attempt begins later than this after the first; one under way goes on
};

class Backoff {
  public:
    Backoff(const RetryOptions& options, const Clock& clock, std::uint64_t seed)
        : options_(options), clock_(clock), began_(clock.steady()), random_(seed) {}

    // The wait before the next attempt, or nothing when it would begin after the deadline. The caller waits that long.
    std::optional<std::chrono::milliseconds> next(std::optional<std::chrono::seconds> retry_after);

    unsigned attempts() const { return attempts_; }  // asked for so far, the first included

  private:
    const RetryOptions options_;
    const Clock& clock_;
    const std::chrono::steady_clock::time_point began_;
    std::mt19937_64 random_;
    std::chrono::milliseconds waited_{0};  // counts too: a simulated clock may stand still
    unsigned attempts_ = 1;
};

// The value of a Retry-After header: seconds (RFC 9110 section 10.2.3). Its other form, a date, and nonsense are
// nothing.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value);

}  // namespace boatswain::store
