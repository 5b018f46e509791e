// Says on standard error that a store keeps us waiting, and why: silence for a minute looks like a hang.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "boatswain/output.h"
#include "store/store.h"

namespace boatswain::tool {

// Thread-safe: several threads may wait for one store. What it says is a line of its own, written at once.
class Patience {
  public:
    static constexpr std::chrono::seconds first_after{3};  // of waiting
    static constexpr std::chrono::seconds again_after{15};

    // `console` is borrowed, and only what does not change of it is used.
    explicit Patience(const Console& console) : console_(console) {}

    void waiting(const store::Waiting& waiting);

  private:
    const Console& console_;
    std::mutex mutex_;
    std::optional<std::chrono::steady_clock::time_point> said_;
};

// Opens a store to read from it, with this patience. A directory that is not there is an error.
Result<std::unique_ptr<store::Store>> open_store(std::string_view url, const Console& console);

}  // namespace boatswain::tool
