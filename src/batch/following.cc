#include "batch/following.h"

#include <algorithm>

namespace boatswain::batch {

Following::~Following() {
    auto found = all_.all_.find(tenant_);
    std::erase(found->second, this);
    if (found->second.empty()) all_.all_.erase(found);
    --all_.count_;
    all_.bytes_ -= bytes_;
}

std::vector<Following::Portion> Following::take() {
    all_.bytes_ -= std::exchange(bytes_, 0);
    return std::exchange(waiting_, {});
}

std::uint64_t Following::take_dropped_lines() { return std::exchange(dropped_lines_, 0); }

// What was dropped leaves a hole: what comes later does not go around it until who follows has looked.
void Following::add(const FollowedSourcePtr& source, std::uint64_t first_ordinal, std::string_view text) {
    bool goes_on = !waiting_.empty() && waiting_.back().source == source &&
                   waiting_.back().text.size() + text.size() <= portion_bytes;
    auto cost = text.size() + (goes_on ? 0 : sizeof(Portion));
    if (dropped_lines_ > 0 || cost > following_bytes_max - bytes_ || cost > followings_bytes_max - all_.bytes_) {
        dropped_lines_ += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    } else {
        bytes_ += cost;
        all_.bytes_ += cost;
        if (goes_on)
            waiting_.back().text += text;
        else
            waiting_.push_back({.source = source, .first_ordinal = first_ordinal, .text = std::string{text}});
    }
    came_();
}

Result<std::unique_ptr<Following>> Followings::follow(const TenantId& tenant, std::function<void()> came) {
    if (count_ == followings_max)
        return fail(Remedy::back_off, "lines are followed " + std::to_string(followings_max) + " times already");
    std::unique_ptr<Following> following{new Following{*this, tenant, std::move(came)}};
    all_[tenant].push_back(following.get());
    ++count_;
    return following;
}

void Followings::add(const FollowedSourcePtr& source, std::uint64_t first_ordinal, std::string_view text) {
    auto found = all_.find(source->source.whose.tenant);
    if (found == all_.end()) return;
    for (auto* following : found->second) following->add(source, first_ordinal, text);
}

}  // namespace boatswain::batch
