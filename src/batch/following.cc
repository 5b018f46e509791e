#include "batch/following.h"

#include <algorithm>

namespace boatswain::batch {

Following::~Following() { std::erase(all_.all_, this); }

std::vector<Following::Portion> Following::take() {
    bytes_ = 0;
    return std::exchange(waiting_, {});
}

std::uint64_t Following::take_dropped_lines() { return std::exchange(dropped_lines_, 0); }

// What was dropped leaves a hole: what comes later does not go around it until who follows has looked.
void Following::add(const std::string& source, std::string_view text) {
    bool goes_on = !waiting_.empty() && waiting_.back().source == source;
    auto cost = text.size() + (goes_on ? 0 : sizeof(Portion) + source.size());
    if (dropped_lines_ > 0 || cost > following_bytes_max - bytes_) {
        dropped_lines_ += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    } else {
        bytes_ += cost;
        if (goes_on)
            waiting_.back().text += text;
        else
            waiting_.push_back({.source = source, .text = std::string{text}});
    }
    came_();
}

Result<std::unique_ptr<Following>> Followings::follow(const TenantId& tenant, std::function<void()> came) {
    if (all_.size() == followings_max)
        return fail(Remedy::back_off, "lines are followed " + std::to_string(followings_max) + " times already");
    std::unique_ptr<Following> following{new Following{*this, tenant, std::move(came)}};
    all_.push_back(following.get());
    return following;
}

void Followings::add(const TenantId& tenant, const std::string& source, std::string_view text) {
    for (auto* following : all_)
        if (following->tenant_ == tenant) following->add(source, text);
}

}  // namespace boatswain::batch
