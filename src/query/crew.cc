#include "query/crew.h"

#include <algorithm>
#include <system_error>

namespace boatswain::query {

std::size_t hands_of_this_machine() {
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), hands_min, hands_max);
}

Crew::Crew(std::size_t hands) : hands_allowed_(hands) {}

Crew::~Crew() {
    {
        std::scoped_lock lock{guard_};
        is_over_ = true;
    }
    is_called_.notify_all();
    threads_.clear();
}

std::list<Crew::Enlisted>::iterator Crew::find(const Work& work) {
    return std::ranges::find(enlisted_, &work, &Enlisted::work);
}

void Crew::enlist(Work& work) {
    std::scoped_lock lock{guard_};
    enlisted_.push_back({.work = &work});
}

void Crew::call(Work& work) {
    std::scoped_lock lock{guard_};
    auto enlisted = find(work);
    if (enlisted == enlisted_.end() || enlisted->has_called) return;
    enlisted->has_called = true;
    if (idle_ > 0) {
        is_called_.notify_one();
    } else if (threads_.size() < hands_allowed_) {
        try {
            threads_.emplace_back([this] { stand_by(); });
        } catch (const std::system_error&) {
            // The system has no thread for us: who asks does the work.
        }
    }
}

void Crew::dismiss(Work& work) {
    std::unique_lock lock{guard_};
    auto enlisted = find(work);
    if (enlisted == enlisted_.end()) return;
    enlisted->work = nullptr;  // nobody finds it
    enlisted->has_called = false;
    is_left_.wait(lock, [&] { return enlisted->hands == 0; });
    enlisted_.erase(enlisted);
}

std::size_t Crew::hands() const {
    std::scoped_lock lock{guard_};
    return threads_.size();
}

void Crew::stand_by() {
    open::FrameOpener opener;
    std::unique_lock lock{guard_};
    for (;;) {
        auto next = std::ranges::find_if(enlisted_, &Enlisted::has_called);
        if (is_over_) return;
        if (next == enlisted_.end()) {
            ++idle_;
            is_called_.wait(lock);
            --idle_;
            continue;
        }
        // What is called for while the piece is done is another one.
        next->has_called = false;
        ++next->hands;
        enlisted_.splice(enlisted_.end(), enlisted_, next);
        auto* work = next->work;
        lock.unlock();
        work->do_one(opener);
        lock.lock();
        if (--next->hands == 0) is_left_.notify_all();
    }
}

}  // namespace boatswain::query
