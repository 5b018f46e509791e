// What the API server says of pods, and the logs that wait for it.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "intake/cri/cri_intake.h"
#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds news_pause{500};
// A watch that began says what there is within so long, on a busy machine too.
constexpr std::chrono::milliseconds catch_up_max{10'000};
constexpr std::size_t events_at_once = 32;  // then others have their turn on the thread

}  // namespace

asio::awaitable<void> CriIntake::follow_api() {
    for (;;) {
        co_await api_->wait_for(news_pause);
        for (std::size_t count = 0; auto taken = api_->take(); ++count) {
            take_event(*taken);
            if (count % events_at_once == events_at_once - 1) co_await asio::post(executor_, asio::use_awaitable);
        }
        tell_of_api(api_->standing());
        look_at_waiting();
    }
}

void CriIntake::take_event(const ApiWatch::Taken& taken) {
    if (std::exchange(known_round_, taken.round) != taken.round) {
        known_pods_.begin_again();
        proven_.reset();
    }
    prove(taken);
    auto event = parse_pod_event(taken.line, assigner_.keep);
    if (!event) {
        if (events_not_understood_++ == 0)
            log_.warning("an event of the API server was not understood", {{"error", event.error()}});
        return;
    }
    if (event->is == PodEvent::Is::expired) return api_->begin_again();
    if (event->is == PodEvent::Is::refused)
        return api_->ended(event->why.empty() ? "the API server ended the watch" : event->why);
    api_->reached(event->version);
    auto pod = event->pod;
    if (!known_pods_.take(std::move(*event))) return;
    known_charge_.resize(known_pods_.bytes());
    learn(pod);
}

void CriIntake::learn(const Pod& pod) {
    for (const auto& id : ids_of(pod, {})) {
        auto found = containers_.find(id);
        if (found == containers_.end() || found->second.words == Words::known) continue;
        use_words(found->second, *known_pods_.find(pod));
        assign_again(id, found->second);
    }
}

void CriIntake::use_words(Container& container, const KnownPods::Attributes& words) {
    auto& attributes = container.facts.attributes;
    std::erase_if(attributes, [](const auto& one) {
        return tenancy::is_pod_word(one.first) || one.first == tenancy::pod_not_known;
    });
    attributes.insert(words.begin(), words.end());
    container.words = known_pods_.is_current(container.log.pod) ? Words::known : Words::stale;
}

// A watch says first what there is or what happened meanwhile, at once, then what happens, in its order. So whatever
// comes later, a bookmark if nothing else, says that everything before it was said.
void CriIntake::prove(const ApiWatch::Taken& taken) {
    auto now = clock_.steady();
    if (std::exchange(known_watch_, taken.watch) != taken.watch) watch_heard_ = now;
    if (now - watch_heard_ >= catch_up_max) proven_ = now;
}

// Its pod was bound to this node before its log appeared.
bool CriIntake::is_missing(const Container& container) const {
    return proven_ && *proven_ - container.found >= options_.words_wait;
}

// Told of each change; a trouble is one when the watch could not be begun again at once.
void CriIntake::tell_of_api(const ApiWatch::Standing& standing) {
    metrics_.gauge("boatswain_api_watch_up", "1: the API server's watch of this node's pods is followed")
        .set(standing.trouble.empty() && standing.heard ? 1 : 0);
    metrics_.gauge("boatswain_api_pods", "Pods whose labels and annotations are known")
        .set(static_cast<double>(known_pods_.size()));
    auto raise = [&](std::string_view name, std::string_view help, std::uint64_t total) {
        metrics_.counter(name, help).raise_to(static_cast<double>(total));
    };
    raise("boatswain_api_watches_total", "Watches of the API server that were begun", standing.watches);
    raise("boatswain_api_watch_failures_total", "Watches of the API server that failed", standing.failures);
    raise("boatswain_api_events_refused_total",
          "Events of the API server that were too long, not understood, or of a pod too many",
          standing.too_long + events_not_understood_ + known_pods_.passed_over());
    if (api_trouble_.empty()) api_trouble_since_ = clock_.steady();
    if (std::exchange(api_trouble_, standing.trouble) == standing.trouble) return;
    if (standing.trouble.empty())
        log_.info("the API server's watch is followed");
    else
        log_.warning("the API server's watch is not followed; trying again", {{"error", standing.trouble}});
}

bool CriIntake::is_overdue(const Container& container) const {
    return clock_.steady() - container.found >= options_.words_wait;
}

// What is removed meanwhile stays held open: it is nobody's fault but the server's that it waits.
Assignment CriIntake::waiting(const Container& container) const {
    Assignment held{.soon = container.removed || !is_overdue(container)};
    held.decision.lack = tenancy::Lack::pod;
    held.decision.reason = "waits for its pod's labels from the API server" +
                           (api_trouble_.empty() ? std::string{} : ", which cannot be followed: " + api_trouble_);
    held.whose.app = container.facts.name;
    return held;
}

void CriIntake::look_at_waiting() {
    std::vector<std::string> ids;
    for (const auto& [id, container] : containers_)
        if (container.words == Words::waited_for) ids.push_back(id);
    for (const auto& id : ids) {
        auto found = containers_.find(id);
        if (found == containers_.end()) continue;
        auto& container = found->second;
        if (is_missing(container)) {
            container.words = Words::missing;
            container.facts.attributes.emplace(tenancy::pod_not_known, "the API server knows no such pod");
            metrics_
                .counter("boatswain_pods_not_known_total",
                         "Logs whose pod the API server does not know: rules that read its labels have no answer")
                .add();
        }
        assign_again(id, container);
    }
}

void CriIntake::forget_pods() {
    if (!api_) return;
    known_pods_.forget([&](const Pod& pod) { return !ids_of(pod, {}).empty(); }, proven_.has_value());
    known_charge_.resize(known_pods_.bytes());
}

// Rules read other words of pods now. Those that are known are used until they are said again.
void CriIntake::learn_again() {
    for (auto& [id, container] : containers_) {
        if (container.words == Words::known) container.words = Words::stale;
        if (container.environment == Words::known) container.environment = Words::stale;
    }
    if (api_) api_->begin_again();
    if (tasks_watch_) tasks_watch_->look();
}

// A server that is started again is away for a moment, and nobody waits for it.
std::optional<std::string> CriIntake::api_health_trouble() const {
    if (api_trouble_.empty() || clock_.steady() - api_trouble_since_ < options_.words_wait) return std::nullopt;
    return "labels of pods are not followed: " + api_trouble_;
}

}  // namespace boatswain::intake::cri
