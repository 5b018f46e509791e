#include "intake/pod_watch/known_pods.h"

#include <utility>

namespace boatswain::intake::cri {
namespace {

constexpr std::size_t pod_bytes = 400, word_bytes = 120;  // nodes of maps and their strings, about

std::size_t bytes_of(const KnownPods::Attributes& attributes) {
    auto bytes = pod_bytes;
    for (const auto& [key, value] : attributes) bytes += word_bytes + key.size() + value.size();
    return bytes;
}

}  // namespace

bool KnownPods::take(PodEvent event) {
    auto found = pods_.find(event.pod);
    if (event.is == PodEvent::Is::gone) {
        if (found != pods_.end()) found->second.gone = true;
        return false;
    }
    if (event.is != PodEvent::Is::there) return false;
    bool is_new = found == pods_.end();
    if (is_new && pods_.size() >= known_pods_max) {
        ++passed_over_;
        return false;
    }
    auto& known = is_new ? pods_[event.pod] : found->second;
    bool is_news = is_new || known.round != round_;
    bytes_ -= known.bytes;
    known = {.attributes = std::move(event.attributes), .round = round_};
    known.bytes = bytes_of(known.attributes);
    bytes_ += known.bytes;
    return is_news;
}

const KnownPods::Attributes* KnownPods::find(const Pod& pod) const {
    auto found = pods_.find(pod);
    return found == pods_.end() ? nullptr : &found->second.attributes;
}

bool KnownPods::is_current(const Pod& pod) const {
    auto found = pods_.find(pod);
    return found != pods_.end() && found->second.round == round_;
}

void KnownPods::forget(const std::function<bool(const Pod&)>& is_needed, bool all_said) {
    std::erase_if(pods_, [&](const auto& one) {
        const auto& [pod, known] = one;
        bool gone = known.gone || (all_said && known.round != round_);
        if (!gone || is_needed(pod)) return false;
        bytes_ -= known.bytes;
        return true;
    });
}

}  // namespace boatswain::intake::cri
