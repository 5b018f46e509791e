// What the guard's own log says of refusals: who asked for what and why not, and never more than a reader can follow.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "guard/refusal.h"

namespace boatswain::guard {

// More refusals are counted, and told in one line a second.
inline constexpr std::size_t refusals_logged_per_second_max = 10;

class RefusalLog {
  public:
    explicit RefusalLog(Log& log) : log_(log) {}

    void tell(std::string_view shown, std::optional<unsigned> uid, const Refusal& refusal) {
        auto now = std::chrono::steady_clock::now();
        if (now - since_ >= std::chrono::seconds{1}) {
            if (silent_ > 0) log_.warning("more requests refused", {{"count", silent_}});
            since_ = now;
            told_ = silent_ = 0;
        }
        if (told_ >= refusals_logged_per_second_max) {
            ++silent_;
            return;
        }
        ++told_;
        log_.warning("request refused", {{"request", shown},
                                         {"uid", uid ? std::to_string(*uid) : "unknown"},
                                         {"status", refusal.status},
                                         {"why", refusal.why}});
    }

  private:
    Log& log_;
    std::chrono::steady_clock::time_point since_{};
    std::size_t told_ = 0, silent_ = 0;
};

}  // namespace boatswain::guard
