#include "hub/follower.h"

#include <algorithm>
#include <iterator>

namespace boatswain::hub {
namespace {

constexpr std::size_t event_cost = 128, place_cost = 64;

bool is_lines(const LiveEvent& event) { return std::holds_alternative<std::shared_ptr<const LiveLines>>(event); }

std::size_t cost_of(const LiveEvent& event) {
    if (const auto* lines = std::get_if<std::shared_ptr<const LiveLines>>(&event))
        return event_cost + (*lines)->text.size();
    if (const auto* marked = std::get_if<std::shared_ptr<const Marked>>(&event))
        return event_cost + (*marked)->sources.size() * place_cost;
    return event_cost;
}

}  // namespace

// Lines alone are dropped: without marks and ends nobody would find his way back.
void Follower::add(const LiveEvent& event) {
    {
        std::lock_guard lock{mutex_};
        auto cost = cost_of(event);
        if (is_lines(event) && (bytes_ + cost > follower_bytes_max || *all_ + cost > followers_bytes_max)) {
            std::erase_if(events_, is_lines);
            *all_ -= bytes_;
            bytes_ = 0;
            for (const auto& one : events_) bytes_ += cost_of(one);
            *all_ += bytes_;
            dropped_ = true;
            return;
        }
        bytes_ += cost;
        *all_ += cost;
        events_.push_back(event);
    }
    came_.notify_one();
}

Follower::Taken Follower::take(std::chrono::milliseconds wait) {
    std::unique_lock lock{mutex_};
    came_.wait_for(lock, wait, [this] { return !events_.empty() || dropped_; });
    Taken taken{.events = {std::make_move_iterator(events_.begin()), std::make_move_iterator(events_.end())},
                .dropped = std::exchange(dropped_, false)};
    events_.clear();
    *all_ -= std::exchange(bytes_, 0);
    return taken;
}

}  // namespace boatswain::hub
