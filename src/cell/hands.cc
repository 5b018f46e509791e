#include "cell/hands.h"

#include <system_error>
#include <utility>

namespace boatswain::cell {

Hands::~Hands() {
    {
        std::scoped_lock lock{guard_};
        is_over_ = true;
    }
    is_called_.notify_all();
    threads_.clear();
}

void Hands::call(std::function<void()> work) {
    {
        std::scoped_lock lock{guard_};
        bool has_hand = idle_ > waiting_.size();
        if (!has_hand && threads_.size() < most_) {
            try {
                threads_.emplace_back([this] { stand_by(); });
            } catch (const std::system_error&) {
                // The others do it, where there are any.
            }
        }
        if (!threads_.empty()) waiting_.push_back(std::exchange(work, {}));
    }
    if (work)
        work();
    else
        is_called_.notify_one();
}

void Hands::stand_by() {
    std::unique_lock lock{guard_};
    for (;;) {
        if (!waiting_.empty()) {
            auto work = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            work();
            work = {};
            lock.lock();
            continue;
        }
        if (is_over_) return;
        ++idle_;
        is_called_.wait(lock);
        --idle_;
    }
}

}  // namespace boatswain::cell
