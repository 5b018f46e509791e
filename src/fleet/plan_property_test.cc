// Whatever happens to a cluster: no plan does harm, and once things are quiet the plans bring every eligible host its
// instance and then do nothing. The seed of a failure is printed; BOATSWAIN_SEED runs it alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "fleet/cluster_for_test.h"

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;
using namespace test;

constexpr int seeds = 400;
constexpr int rounds = 60;
constexpr int quiet_rounds = 80;

// What the model knows of a host, whatever Mesos says of it.
struct Host {
    std::string name;
    int incarnation = 0;  // of its agent
    bool up = true;
    bool recovered = false;  // the master has failed over and it has not come back
    bool full = false;
    bool small = false;
    bool wrong_rack = false;
    bool draining = false, deactivated = false, down = false, disconnected = false;

    std::string agent_id() const { return "agent-" + name + "-" + std::to_string(incarnation); }
    // The oracle: written apart from eligibility.cc.
    bool can_run() const {
        return up && !recovered && !small && !wrong_rack && !draining && !deactivated && !down && !disconnected;
    }
};

class World {
  public:
    explicit World(unsigned seed) : random_(seed) {
        auto& app = cluster_.marathon.app.emplace(make_app(0));
        app.constraints.push_back(make_constraint("rack", "UNLIKE", "x.*"));
        for (int i = 0; i < pick(1, 12); ++i) add_host();
        app.instances = static_cast<std::uint32_t>(pick(0, static_cast<int>(hosts_.size()) + 2));
        options_.drop_max = pick(0, 1) != 0 ? 0.25 : 1.0;
        tell();
        settle();
    }

    void run() {
        for (int i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
            for (int events = pick(0, 2); events > 0; --events) happen();
            now_ += std::chrono::seconds{pick(5, 900)};
            step();
        }
        calm();
        std::size_t last_actions = 1;
        for (int i = 0; i < quiet_rounds && !testing::Test::HasFailure(); ++i) {
            now_ += 60s;
            last_actions = step();
        }
        EXPECT_EQ(last_actions, 0U) << "it never comes to rest";
        for (const auto& host : hosts_) {
            auto count = instances_on(host);
            if (host.can_run() && !host.full) EXPECT_EQ(count, 1U) << host.name;
            EXPECT_LE(count, 1U) << host.name;
        }
    }

  private:
    int pick(int least, int most) { return std::uniform_int_distribution{least, most}(random_); }
    bool chance(int percent) { return pick(1, 100) <= percent; }
    Host& any() { return hosts_.at(static_cast<std::size_t>(pick(0, static_cast<int>(hosts_.size()) - 1))); }
    App& app() { return *cluster_.marathon.app; }

    void add_host() {
        hosts_.push_back({.name = "h" + std::to_string(hosts_.size()),
                          .full = chance(10),
                          .small = chance(10),
                          .wrong_rack = chance(10)});
    }

    std::size_t instances_on(const Host& host) {
        return static_cast<std::size_t>(std::ranges::count_if(app().tasks, [&](const Task& task) {
            return task.agent_id == host.agent_id() && task.state == TaskState::running;
        }));
    }

    void lose(Host& host) {
        host.up = host.recovered = false;
        // Marathon hears of it now, or only later.
        for (auto& task : app().tasks)
            if (task.agent_id == host.agent_id() && chance(70)) task.state = TaskState::unreachable;
    }

    void come_back(Host& host) {
        if (!host.up && chance(30)) ++host.incarnation;  // with a new disk
        host.up = true;
        host.recovered = host.disconnected = false;
        for (auto& task : app().tasks)
            if (task.agent_id == host.agent_id()) task.state = TaskState::running;
    }

    void drain(Host& host) {
        host.draining = true;
        bool seen = chance(50);  // a plan may see the instance before Mesos has killed it
        if (!seen) std::erase_if(app().tasks, [&](const Task& task) { return task.agent_id == host.agent_id(); });
    }

    void happen() {
        switch (pick(0, 12)) {
            case 0: return hosts_.size() < 20 ? add_host() : void();
            case 1: return lose(any());
            case 2: return come_back(any());
            case 3: return drain(any());
            case 4: any().draining = false; return;
            case 5: any().deactivated = chance(50); return;
            case 6: any().down = chance(50); return;
            case 7: any().disconnected = chance(50); return;
            case 8: any().full = chance(50); return;
            case 9:  // the master fails over: some are not back yet
                for (auto& host : hosts_) host.recovered = host.up && chance(60);
                return;
            case 10:
                cluster_.marathon.deployments = {
                    make_deployment("d" + std::to_string(++deployments_),
                                    chance(50) ? "RestartApplication" : "ScaleApplication")};
                return;
            case 11: cluster_.marathon.deployments.clear(); return;
            case 12:  // an instance dies
                if (!app().tasks.empty()) app().tasks.erase(app().tasks.begin());
                return;
            default: return;
        }
    }

    void calm() {
        cluster_.marathon.deployments.clear();
        for (auto& host : hosts_) {
            if (host.recovered || host.disconnected) come_back(host);
            if (!host.up)
                for (auto& task : app().tasks)
                    if (task.agent_id == host.agent_id()) task.state = TaskState::unreachable;
        }
        // What ran for an agent before its last one.
        for (auto& task : app().tasks)
            if (std::ranges::none_of(hosts_, [&](const Host& host) { return host.up && task.agent_id == host.agent_id(); }))
                task.state = TaskState::unreachable;
        options_.drop_max = 1.0;
    }

    // What Mesos says.
    void tell() {
        auto& mesos = cluster_.mesos;
        mesos = {};
        for (const auto& host : hosts_) {
            if (host.recovered) mesos.recovered.push_back({host.agent_id(), host.name});
            if (!host.up || host.recovered) continue;
            auto agent = make_agent(host.name, host.agent_id());
            if (host.small) agent.total["*"].mem = 100;
            if (host.full) agent.used = ResourcesByRole{{"*", {.cpus = 3.9}}};
            agent.attributes["rack"] = host.wrong_rack ? "x1" : "r1";
            agent.draining = host.draining;
            agent.deactivated = host.deactivated;
            agent.active = !host.disconnected && !host.deactivated && !host.draining;
            if (host.down) mesos.down.insert(host.name);
            mesos.agents.push_back(std::move(agent));
        }
    }

    const Host* host_of(const std::string& agent_id) const {
        auto found = std::ranges::find_if(hosts_, [&](const Host& host) { return host.agent_id() == agent_id; });
        return found == hosts_.end() ? nullptr : &*found;
    }

    void settle() {
        for (const auto& host : hosts_)
            if (host.draining)
                std::erase_if(app().tasks, [&](const Task& task) { return task.agent_id == host.agent_id(); });
        marathon_.place([&](const Agent& agent) {
            const auto* host = host_of(agent.id);
            return host != nullptr && host->can_run() && !host->full;
        });
    }

    std::size_t step() {
        tell();
        auto plan = make_plan(cluster_, history_, options_, now_);
        check(plan);
        history_ = plan.history;
        auto is_eligible = [&](const Task& task) {
            const auto* host = host_of(task.agent_id);
            return host != nullptr && host->can_run();
        };
        auto instances_before = app().instances;
        for (const auto& action : plan.actions) marathon_.apply(action, is_eligible);
        EXPECT_TRUE(marathon_.wrongly_killed.empty()) << "killed " << marathon_.wrongly_killed.front();
        // Two that planned from the same state: the second one changes nothing more.
        auto after = app();
        for (const auto& action : plan.actions) marathon_.apply(action, is_eligible);
        EXPECT_EQ(app().instances, after.instances) << "from " << instances_before;
        EXPECT_EQ(app().tasks, after.tasks);
        settle();
        return plan.actions.size();
    }

    void check(const Plan& plan) {
        bool foreign = std::ranges::any_of(cluster_.marathon.deployments, [](const Deployment& one) {
            return one.actions.front().action != "ScaleApplication";
        });
        if (cluster_.mesos.agents.empty() || foreign) {
            EXPECT_TRUE(plan.actions.empty()) << "a write while unsure";
        }
        std::size_t free = 0;
        for (const auto& host : hosts_) {
            bool taken = std::ranges::any_of(
                app().tasks, [&](const Task& task) { return task.agent_id == host.agent_id(); });
            if (host.can_run() && !host.full && !taken) ++free;
        }
        std::size_t replaced = 0;
        for (const auto& action : plan.actions) {
            if (std::holds_alternative<ReplaceInstance>(action.what)) ++replaced;
            if (const auto* scale = std::get_if<ScaleTo>(&action.what)) {
                EXPECT_GT(scale->to, app().instances) << "a count lowered without a name";
                EXPECT_LE(scale->to, app().tasks.size() - replaced + free) << "more than can be placed at once";
            }
            if (const auto* remove = std::get_if<RemoveInstances>(&action.what)) check(*remove);
        }
        EXPECT_LE(replaced, free);
    }

    void check(const RemoveInstances& remove) {
        EXPECT_TRUE(cluster_.mesos.recovered.empty()) << "lowered before all agents were back";
        std::size_t gone = 0;
        for (const auto& id : remove.tasks) {
            auto task = std::ranges::find(app().tasks, id, &Task::id);
            ASSERT_NE(task, app().tasks.end());
            const auto* host = host_of(task->agent_id);
            bool leaving = host != nullptr && host->up && (host->draining || host->down);
            if (leaving) continue;
            ++gone;
            EXPECT_TRUE(host == nullptr || !host->up) << "the host of " << id << " is there";
            EXPECT_GE(now_ - history_.gone_since.at(id), options_.hold);
        }
        EXPECT_LE(static_cast<double>(gone), std::max(1.0, options_.drop_max * app().instances));
    }

    std::mt19937 random_;
    std::vector<Host> hosts_;
    Cluster cluster_;
    Marathon marathon_{cluster_};
    History history_;
    Options options_;
    Timestamp now_ = start;
    int deployments_ = 0;
};

TEST(PlanProperties, NoPlanDoesHarmAndTheFleetComesToRestWithOneInstanceOnEachEligibleHost) {
    if (const char* seed = std::getenv("BOATSWAIN_SEED")) {
        World{static_cast<unsigned>(std::stoul(seed))}.run();
        return;
    }
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("BOATSWAIN_SEED=" + std::to_string(seed));
        World{seed}.run();
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace boatswain::fleet
