// Those who want to know when something happens: a list, for the part where it happens.
//
// Invariants
//   - Thread-safe. Observers are called by the thread that tells, in the order in which they came, one call at a time.
//   - An observer returns at once, and neither begins nor ends a watch.
//   - When a Watch has ended, its observer is not called any more, and no call of it is under way.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace boatswain {

template <class... Facts>
class Observers {
    struct State {
        std::mutex mutex;
        std::list<std::function<void(const Facts&...)>> observers;
    };

  public:
    // Ends when it is destroyed.
    class Watch {
      public:
        Watch(Watch&&) noexcept = default;
        Watch& operator=(Watch&&) = delete;
        ~Watch() {
            if (!state_) return;
            std::scoped_lock lock{state_->mutex};
            state_->observers.erase(observer_);
        }

      private:
        friend class Observers;
        Watch(std::shared_ptr<State> state, decltype(State::observers)::iterator observer)
            : state_(std::move(state)), observer_(observer) {}
        std::shared_ptr<State> state_;  // shared with Observers, which may go first
        decltype(State::observers)::iterator observer_;
    };

    [[nodiscard]] Watch watch(std::function<void(const Facts&...)> observer) {
        std::scoped_lock lock{state_->mutex};
        return Watch{state_, state_->observers.insert(state_->observers.end(), std::move(observer))};
    }
    void tell(const Facts&... facts) const {
        std::scoped_lock lock{state_->mutex};
        for (const auto& observer : state_->observers) observer(facts...);
    }

  private:
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace boatswain
