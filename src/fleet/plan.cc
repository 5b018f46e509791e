#include "fleet/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/bytes.h"
#include "base/text.h"

namespace boatswain::fleet {
namespace {

constexpr auto remembered_max = std::chrono::hours{24 * 365};
constexpr std::size_t named_max = 5;  // hosts that a sentence names

std::string names(const std::vector<std::string>& all) {
    std::string text;
    for (std::size_t i = 0; i < all.size() && i < named_max; ++i) text += (i > 0 ? ", " : "") + printable(all[i], 80);
    if (all.size() > named_max) text += fmt::format(" and {} more", all.size() - named_max);
    return text;
}

bool is_live(const Task& task) { return task.state == TaskState::running || task.state == TaskState::starting; }

class Planner {
  public:
    Planner(const Cluster& cluster, const History& history, const Options& options, Timestamp now)
        : cluster_(cluster), options_(options), now_(now) {
        plan_.history = history;
    }

    Plan run() {
        if (!check_app() || !check_sight()) return std::move(plan_);
        plan_.hosts = lay_out();
        choose_fitting();
        remember();
        if (!check_deployments()) return std::move(plan_);
        grow();
        shrink();
        cancel_stuck();
        conclude();
        return std::move(plan_);
    }

  private:
    bool stop(Verdict verdict, std::string note) {
        plan_.verdict = verdict;
        plan_.notes.push_back(std::move(note));
        return false;
    }
    void note(std::string text) { plan_.notes.push_back(std::move(text)); }

    bool check_app() {
        if (!cluster_.marathon.app) return stop(Verdict::refuse, "Marathon has no such app: deploy it first");
        app_ = &*cluster_.marathon.app;
        plan_.instances = app_->instances;
        auto made = ConstraintSet::make(app_->constraints);
        if (!made) return stop(Verdict::refuse, made.error().what);
        constraints_.emplace(std::move(*made));
        if (!constraints_->one_per_host() && !options_.force_unique)
            return stop(Verdict::refuse,
                        "the app lacks the constraint [\"hostname\", \"UNIQUE\"]: two instances could run on one host "
                        "(--force-unique acts all the same)");
        return true;
    }

    // Whether what Mesos says can be the whole truth.
    bool check_sight() {
        const auto& mesos = cluster_.mesos;
        if (mesos.agents.empty()) return stop(Verdict::wait, "Mesos lists no agent: nothing is concluded from that");
        for (const auto& agent : mesos.agents) known_.insert(agent.id);
        for (const auto& agent : mesos.recovered) known_.insert(agent.id);
        std::size_t running = 0, seen = 0;
        for (const auto& task : app_->tasks) {
            if (task.state != TaskState::running || task.agent_id.empty()) continue;
            ++running;
            seen += known_.contains(task.agent_id) ? 1 : 0;
        }
        if (running > 0 && seen == 0)
            return stop(Verdict::wait,
                        "Mesos knows none of the agents on which Marathon says that instances run: is it the same "
                        "cluster, or has its master just started?");
        return true;
    }

    // Puts every task at its host, or among those whose host has gone.
    std::vector<HostLine> lay_out() {
        std::vector<HostLine> lines;
        std::map<std::string, std::size_t> place;
        for (auto& host : judge_hosts(cluster_, *app_, *constraints_)) {
            place.emplace(host.hostname, lines.size());
            lines.push_back({.host = std::move(host)});
        }
        for (const auto& task : app_->tasks) {
            if (task.state == TaskState::ended) continue;
            ++occupying_;
            auto at = place.find(task.host);
            bool known = at != place.end() && (task.agent_id.empty() || known_.contains(task.agent_id));
            if (!known) {
                plan_.gone.push_back(task);
                continue;
            }
            auto& line = lines[at->second];
            line.covered |= is_live(task);
            line.tasks.push_back(task);
        }
        return lines;
    }

    // Of the eligible hosts, those that the constraints allow to have an instance at the same time.
    void choose_fitting() {
        std::vector<const Agent*> candidates;
        std::map<const Agent*, HostLine*> line_of;
        auto add = [&](auto&& wanted) {
            for (auto& line : plan_.hosts)
                if (line.host.agent != nullptr && wanted(line) && line_of.emplace(line.host.agent, &line).second)
                    candidates.push_back(line.host.agent);
        };
        auto is_eligible = [](const HostLine& line) { return line.host.standing == Eligibility::eligible; };
        add([](const HostLine& line) { return line.covered; });
        auto placed = candidates.size();
        add([&](const HostLine& line) { return is_eligible(line) && line.host.has_room; });
        add(is_eligible);
        std::set<const Agent*> fit;
        for (const auto* agent : constraints_->fitting(candidates, placed)) fit.insert(agent);
        for (auto& line : plan_.hosts) {
            if (!is_eligible(line)) continue;
            if (!fit.contains(line.host.agent) && !line.covered) {
                line.host.standing = Eligibility::no;
                line.host.why = "is left out by the constraints, which other hosts satisfy already";
                continue;
            }
            ++plan_.eligible;
            plan_.covered += line.covered ? 1 : 0;
            if (line.host.has_room && line.tasks.empty() && !is_held(line.host.hostname))
                free_.push_back(line.host.hostname);
        }
    }

    // For Marathon an instance of the agent that was there before still runs on this host, so it starts none.
    bool is_held(const std::string& hostname) const {
        return std::ranges::any_of(plan_.gone, [&](const Task& task) {
            return task.host == hostname && task.state != TaskState::unreachable;
        });
    }

    void remember() {
        History fresh;
        auto since = [&](const std::map<std::string, Timestamp>& before, const std::string& id, Timestamp otherwise) {
            auto found = before.find(id);
            return within_reach(found == before.end() ? otherwise : found->second);
        };
        for (const auto& task : plan_.gone) fresh.gone_since[task.id] = since(plan_.history.gone_since, task.id, now_);
        for (const auto& deployment : cluster_.marathon.deployments)
            fresh.deployment_since[deployment.id] =
                since(plan_.history.deployment_since, deployment.id, deployment.version.value_or(now_));
        // An instance that waits for a host is counted by Marathon's queue too; whichever says more.
        plan_.waiting = app_->instances > occupying_ ? app_->instances - occupying_ : 0;
        std::size_t places = 0;
        for (const auto& line : plan_.hosts) {
            bool leaving = line.host.leaving;
            places += (line.host.standing != Eligibility::no || (!line.tasks.empty() && !leaving)) ? 1 : 0;
            if (leaving)
                for (const auto& task : line.tasks) leaving_.push_back(task);
        }
        surplus_ = app_->instances > places ? app_->instances - places : 0;
        places_ = static_cast<std::uint32_t>(places);
        if (surplus_ > plan_.gone.size() + leaving_.size())
            fresh.surplus_since = within_reach(plan_.history.surplus_since.value_or(now_));
        plan_.history = std::move(fresh);
    }

    // Times come from a file and from Marathon: whatever they say, differences to now have to be numbers.
    Timestamp within_reach(Timestamp time) const { return std::clamp(time, now_ - remembered_max, now_); }

    bool check_deployments() {
        std::set<std::string> listed;
        for (const auto& deployment : cluster_.marathon.deployments) {
            listed.insert(deployment.id);
            if (!is_pure_scaling(deployment, app_->id))
                return stop(Verdict::wait, "deployment " + printable(deployment.id) +
                                               " is more than a scaling of this app: it is waited for, never forced");
            over_.push_back(deployment.id);
        }
        for (const auto& id : app_->deployments)
            if (!listed.contains(id))
                return stop(Verdict::wait, "Marathon names deployment " + printable(id) + ", but does not list it");
        return true;
    }

    void grow() {
        std::size_t waiting =
            std::max<std::size_t>(plan_.waiting, cluster_.marathon.queue ? cluster_.marathon.queue->count : 0);
        // Marathon has not heard yet that these hosts have gone; then their places can be used.
        waiting += static_cast<std::size_t>(std::ranges::count_if(plan_.gone, is_live));
        if (free_.size() <= waiting) return;
        auto need = free_.size() - waiting;
        auto why = fmt::format("{} without an instance and with room: {}", counted(free_.size(), "eligible host"),
                               names(free_));
        for (const auto& task : plan_.gone) {
            if (need == 0) break;
            if (task.state != TaskState::unreachable) continue;
            replaced_.insert(task.id);
            --need;
            plan_.actions.push_back(
                {.what = ReplaceInstance{.task = task.id, .host = task.host},
                 .why = "the instance on " + printable(task.host) + ", which has gone, takes a place; " + why});
        }
        if (need > 0)
            plan_.actions.push_back({.what = ScaleTo{.from = app_->instances,
                                                     .to = app_->instances + static_cast<std::uint32_t>(need),
                                                     .over = over_},
                                     .why = why});
    }

    void shrink() {
        if (surplus_ == 0) return;
        if (!cluster_.mesos.recovered.empty())
            return note(counted(cluster_.mesos.recovered.size(), "agent") +
                        " have not come back since the master failed over: the count is not lowered before");
        RemoveInstances remove{.over = over_};
        std::size_t held = 0;
        Nanoseconds longest{0};
        auto take = [&](const Task& task) {
            if (remove.tasks.size() == surplus_ || replaced_.contains(task.id)) return;
            remove.tasks.push_back(task.id);
            remove.hosts.push_back(task.host);
        };
        for (const auto& task : leaving_) take(task);
        bool allowed = drop_allowed(plan_.gone.size() - replaced_.size());
        for (const auto& task : plan_.gone) {
            if (replaced_.contains(task.id) || !allowed) continue;
            auto gone_for = now_ - plan_.history.gone_since.at(task.id);
            if (gone_for >= options_.hold) {
                take(task);
                continue;
            }
            ++held;
            longest = std::max<Nanoseconds>(longest, options_.hold - gone_for);
        }
        if (held > 0)
            note(fmt::format("{} of hosts that have gone: removed when the hold time is over, in {} at the latest",
                             counted(held, "instance"), to_text(std::chrono::ceil<std::chrono::seconds>(longest))));
        if (!remove.tasks.empty()) {
            auto why = "these hosts have gone or are being emptied: " + names(remove.hosts);
            plan_.actions.push_back({.what = std::move(remove), .why = std::move(why)});
            return;
        }
        if (plan_.history.surplus_since) lower_by_number();
    }

    bool drop_allowed(std::size_t drop) {
        auto most = std::max<std::size_t>(
            1, static_cast<std::size_t>(std::floor(options_.drop_max * static_cast<double>(app_->instances))));
        if (options_.force_drop || drop <= most) return true;
        note(fmt::format("{} of {} have gone, and at most {} are removed at once: if that is right, --force-drop",
                         counted(drop, "host"), app_->instances, most));
        refused_ = true;
        return false;
    }

    // More instances than hosts, and none that could be named: they wait for a host.
    void lower_by_number() {
        auto unnamed = surplus_ - std::min<std::size_t>(surplus_, plan_.gone.size() + leaving_.size());
        bool early = now_ - *plan_.history.surplus_since < options_.hold;
        if (!options_.allow_restart || !plan_.gone.empty()) {
            note(
                fmt::format("the app has {} than there are hosts for. It waits and does no harm, but an upgrade would "
                            "not end; lowering the count restarts a healthy agent, which only --allow-restart does",
                            counted(unnamed, "instance") + " more"));
            return;
        }
        if (early || !drop_allowed(surplus_)) return;
        plan_.actions.push_back({.what = ScaleTo{.from = app_->instances,
                                                 .to = app_->instances - static_cast<std::uint32_t>(surplus_),
                                                 .over = over_},
                                 .why = fmt::format("only {} can have an instance, and --allow-restart was given",
                                                    counted(places_, "host"))});
    }

    // A scaling to more than can be placed holds the app's lock for ever. Whatever we do with the count replaces it;
    // when we do nothing, it is ended, and the count and the instances stay as they are.
    void cancel_stuck() {
        bool replaced_anyway = std::ranges::any_of(plan_.actions, [](const Action& action) {
            return std::holds_alternative<ScaleTo>(action.what) || std::holds_alternative<RemoveInstances>(action.what);
        });
        if (replaced_anyway) return;
        for (const auto& id : over_) {
            auto age = now_ - plan_.history.deployment_since.at(id);
            if (age < options_.stuck) continue;
            plan_.actions.push_back({.what = CancelDeployment{.deployment = id},
                                     .why = "this scaling of the app has not ended for " +
                                            to_text(std::chrono::floor<std::chrono::seconds>(Nanoseconds{age})) +
                                            " and holds its lock"});
        }
    }

    void conclude() {
        std::vector<std::string> full;
        for (const auto& line : plan_.hosts)
            if (line.host.standing == Eligibility::eligible && !line.covered && !line.host.has_room)
                full.push_back(line.host.hostname + " (" + line.host.no_room + ")");
        if (!full.empty()) note("no room for an instance on " + names(full));
        if (!plan_.actions.empty())
            plan_.verdict = Verdict::act;
        else if (refused_)
            plan_.verdict = Verdict::refuse;
        else if (plan_.covered < plan_.eligible || surplus_ > 0)
            plan_.verdict = Verdict::wait;
    }

    const Cluster& cluster_;
    const Options& options_;
    const Timestamp now_;
    Plan plan_;
    const App* app_ = nullptr;
    std::optional<ConstraintSet> constraints_;
    std::set<std::string> known_;     // ids of agents that are there, or may come back
    std::uint32_t occupying_ = 0;     // tasks that take a place in the count
    std::vector<std::string> free_;   // eligible hosts with room and no task
    std::vector<Task> leaving_;       // tasks on hosts that are being emptied
    std::set<std::string> replaced_;  // tasks
    std::vector<std::string> over_;   // pure scalings under way
    std::size_t surplus_ = 0;         // instances beyond the hosts that may have one
    std::uint32_t places_ = 0;
    bool refused_ = false;
};

}  // namespace

bool is_pure_scaling(const Deployment& deployment, const std::string& app) {
    return !deployment.has_pods && !deployment.actions.empty() &&
           std::ranges::all_of(deployment.apps, [&](const std::string& one) { return one == app; }) &&
           std::ranges::all_of(deployment.actions, [&](const DeploymentAction& one) {
               return one.action == "ScaleApplication" && one.app == app;
           });
}

Plan make_plan(const Cluster& cluster, const History& history, const Options& options, Timestamp now) {
    return Planner{cluster, history, options, now}.run();
}

std::string describe(const Action& action) {
    struct {
        std::string operator()(const ScaleTo& one) const {
            return fmt::format("scale from {} to {}", one.from, counted(one.to, "instance"));
        }
        std::string operator()(const RemoveInstances& one) const {
            return "remove the instances on " + names(one.hosts) + " and lower the count by " +
                   std::to_string(one.tasks.size());
        }
        std::string operator()(const ReplaceInstance& one) const {
            return "give up the instance on " + printable(one.host) + ", so that another one starts elsewhere";
        }
        std::string operator()(const CancelDeployment& one) const {
            return "end deployment " + printable(one.deployment);
        }
    } in_words;
    return std::visit(in_words, action.what);
}

}  // namespace boatswain::fleet
