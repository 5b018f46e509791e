#include "store/retry.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace boatswain::store {

using std::chrono::milliseconds;

std::optional<milliseconds> Backoff::next(std::optional<std::chrono::seconds> retry_after) {
    auto doublings = std::min(attempts_ - 1, 16U);
    auto longest = std::min<milliseconds>(options_.first_delay * (1 << doublings), options_.delay_max);
    std::uniform_int_distribution<milliseconds::rep> jitter{longest.count() / 2, longest.count()};
    auto delay = milliseconds{jitter(random_)};
    if (retry_after) delay = std::max<milliseconds>(delay, *retry_after);

    auto elapsed = std::chrono::duration_cast<milliseconds>(clock_.steady() - began_);
    if (std::max(elapsed, waited_) + delay > options_.deadline) return std::nullopt;
    waited_ += delay;
    ++attempts_;
    return delay;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value) {
    constexpr unsigned seconds_max = 24 * 3600;
    unsigned seconds = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc{} || end != value.data() + value.size() || seconds > seconds_max) return std::nullopt;
    return std::chrono::seconds{seconds};
}

}  // namespace boatswain::store
