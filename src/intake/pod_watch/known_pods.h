// What the API server said of this node's pods, as long as somebody needs it. Bounded. Belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "intake/pod_watch/pod_event.h"

namespace boatswain::intake::cri {

// A kubelet runs 110 pods by default, and hardly any more than 1,000. Those beyond are not known.
inline constexpr std::size_t known_pods_max = 5'000;

class KnownPods {
  public:
    using Attributes = std::map<std::string, std::string>;

    // True: of its pod something is known that was not before, or is said again after begin_again().
    bool take(PodEvent event);
    const Attributes* find(const Pod& pod) const;
    bool is_current(const Pod& pod) const;  // said since the last begin_again()
    // All that are there are going to be said again. What was known stays until forget().
    void begin_again() { ++round_; }
    // Forgets those that are gone and that nobody needs; where `all_said`, those that were not said again are gone.
    void forget(const std::function<bool(const Pod&)>& is_needed, bool all_said);

    std::size_t size() const { return pods_.size(); }
    std::size_t bytes() const { return bytes_; }  // of their words, about
    std::uint64_t passed_over() const { return passed_over_; }

  private:
    struct Known {
        Attributes attributes;
        std::uint64_t round = 0;
        bool gone = false;
        std::size_t bytes = 0;
    };
    std::map<Pod, Known> pods_;
    std::uint64_t round_ = 0, passed_over_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace boatswain::intake::cri
