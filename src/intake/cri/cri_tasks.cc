// What containerd's tasks say of containers' variables, and the logs that wait for it.
#include <algorithm>

#include "intake/cri/cri_intake.h"
#include "net/event.h"
#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

namespace asio = boost::asio;
using Action = tenancy::Decision::Action;

constexpr std::chrono::milliseconds look_pause{500};
// The directory is read again as long as a log waits: so often.
constexpr unsigned looks_between = 10;

}  // namespace

asio::awaitable<void> CriIntake::follow_tasks() {
    for (unsigned looks = 0;; ++looks) {
        bool begun = !tasks_watch_ && open_tasks();
        if (begun) {
            tasks_.spawn("watch for tasks", tasks_watch_->follow());
            tasks_.spawn("read tasks", tasks_watch_->read_again());
        }
        bool waits = std::ranges::any_of(containers_,
                                         [](const auto& one) { return one.second.environment == Words::waited_for; });
        if (tasks_watch_ && (begun || !tasks_trouble_.empty() || (waits && looks % looks_between == 0)))
            tasks_trouble_ = tasks_watch_->look() ? "" : options_.tasks.string() + " cannot be read";
        if (waits) look_at_unknown();
        co_await net::sleep_for(look_pause);
    }
}

bool CriIntake::open_tasks() {
    auto opened = TasksWatch::open(executor_, options_.tasks, assigner_.keep, clock_,
                                   [this](const TasksWatch::ContainerOfPod& whose) { learn(whose); });
    if (!opened) {
        if (std::exchange(tasks_trouble_, opened.error().what) != opened.error().what)
            log_.warning("tasks directory not read; trying again", {{"error", opened.error()}});
        return false;
    }
    tasks_watch_ = std::move(*opened);
    tasks_trouble_.clear();
    return true;
}

// A task is of the run that began last.
bool CriIntake::is_newest(const Container& container) const {
    auto all = ids_of(container.log.pod, container.log.container);
    return std::ranges::all_of(all, [&](const auto& id) { return containers_.at(id).log.run <= container.log.run; });
}

bool CriIntake::take_environment(Container& container) {
    if (!tasks_watch_ || !is_newest(container)) return false;
    const auto* found = tasks_watch_->find({container.log.pod, container.log.container}, container.created);
    if (!found) return false;
    container.facts.environment = *found;
    container.facts.attributes.erase(std::string{tenancy::environment_not_known});
    container.environment = Words::known;
    return true;
}

void CriIntake::learn(const TasksWatch::ContainerOfPod& whose) {
    for (const auto& id : ids_of(whose.first, whose.second)) {
        auto found = containers_.find(id);
        if (found == containers_.end()) continue;
        auto& container = found->second;
        // Of one that is known the variables of its start hold, but where rules read others since.
        if (container.environment == Words::known) continue;
        if (take_environment(container)) assign_again(id, container);
    }
}

void CriIntake::look_at_unknown() {
    std::vector<std::string> ids;
    for (const auto& [id, container] : containers_)
        if (container.environment == Words::waited_for) ids.push_back(id);
    for (const auto& id : ids) {
        auto found = containers_.find(id);
        if (found == containers_.end()) continue;
        auto& container = found->second;
        if (is_overdue(container) && tasks_trouble_.empty() && !take_environment(container)) {
            container.environment = Words::missing;
            if (auto before = spool_.was_of_another(id, TenantId::unassigned()))
                container.before = std::make_shared<const spool::ResumeRecord>(std::move(*before));
            container.facts.attributes.emplace(tenancy::environment_not_known, "containerd has no such task");
            metrics_
                .counter("boatswain_tasks_not_known_total",
                         "Logs whose task containerd does not have: rules that read its variables have no answer")
                .add();
        }
        assign_again(id, container);
    }
}

// What is removed meanwhile stays held open.
Assignment CriIntake::waiting_for_task(const Container& container) const {
    Assignment held{.soon = container.removed || !is_overdue(container)};
    held.decision.lack = tenancy::Lack::pod;
    held.decision.reason = "waits for its task in " + options_.tasks.string() + ", which says its variables" +
                           (tasks_trouble_.empty() ? std::string{} : "; " + tasks_trouble_);
    held.whose.app = container.facts.name;
    return held;
}

// A container that has ended has no task any more; an agent that was started since may know it.
Assignment CriIntake::as_before(const spool::ResumeRecord& before) {
    Assignment same{.whose = before.source.whose, .labels = before.source.labels};
    same.decision = {.action = Action::seal,
                     .tenant = before.source.whose.tenant,
                     .recipients = before.recipients,
                     .reason = "as before: its task, which said its variables, is gone"};
    return same;
}

}  // namespace boatswain::intake::cri
