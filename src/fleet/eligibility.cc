#include "fleet/eligibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/bytes.h"

namespace boatswain::fleet {
namespace {

constexpr double resource_precision = 0.0005;  // Mesos rounds to three digits

bool holds(const std::vector<PortRange>& ranges, std::uint32_t port) {
    return std::ranges::any_of(ranges, [&](const PortRange& one) { return one.first <= port && port <= one.last; });
}

std::uint64_t count(const std::vector<PortRange>& ranges) {
    std::uint64_t sum = 0;
    for (const auto& [first, last] : ranges) sum += last - first + 1;
    return sum;
}

Resources sum_of(const ResourcesByRole& by_role, const std::vector<std::string>& roles) {
    Resources sum;
    for (const auto& [role, resources] : by_role) {
        if (std::ranges::find(roles, role) == roles.end()) continue;
        sum.cpus += resources.cpus;
        sum.mem += resources.mem;
        sum.disk += resources.disk;
        sum.gpus += resources.gpus;
        sum.ports.insert(sum.ports.end(), resources.ports.begin(), resources.ports.end());
    }
    return sum;
}

// What is missing of `have` (less `used`) for one instance; nothing when it is enough.
std::optional<std::string> lacks(const App& app, const Resources& have, const Resources& used) {
    auto scarce = [](std::string_view name, double wanted, double there) -> std::optional<std::string> {
        if (wanted <= there + resource_precision) return std::nullopt;
        return fmt::format("{} {:g} of {:g}", name, std::max(there, 0.0), wanted);
    };
    if (auto what = scarce("cpus", app.cpus, have.cpus - used.cpus)) return what;
    if (auto what = scarce("mem", app.mem, have.mem - used.mem)) return what;
    if (auto what = scarce("disk", app.disk, have.disk - used.disk)) return what;
    if (auto what = scarce("gpus", app.gpus, have.gpus - used.gpus)) return what;
    for (auto port : app.fixed_ports) {
        if (!holds(have.ports, port)) return fmt::format("port {} is not one that it offers", port);
        if (holds(used.ports, port)) return fmt::format("port {} is taken", port);
    }
    auto ports = count(have.ports), taken = count(used.ports), wanted = app.fixed_ports.size() + app.other_ports;
    if (ports < taken + wanted) return fmt::format("ports {} of {}", ports - std::min(ports, taken), wanted);
    return std::nullopt;
}

bool names_fault_domain(const App& app) {
    return std::ranges::any_of(app.constraints,
                               [](const Constraint& one) { return one.field == "@region" || one.field == "@zone"; });
}

// What keeps this agent from having an instance, whatever it has room for.
void judge(HostJudgement& host, const Cluster& cluster, const App& app, const ConstraintSet& constraints,
           const std::vector<std::string>& roles) {
    const auto& agent = *host.agent;
    const auto& mesos = cluster.mesos;
    auto no = [&](std::string why) {
        host.standing = Eligibility::no;
        host.why = std::move(why);
    };
    if (agent.draining) {
        host.leaving = true;
        return no("is being drained");
    }
    if (agent.deactivated) return no("is deactivated");
    auto is_among = [&](const std::set<std::string>& machines) {
        return machines.contains(agent.hostname) || (!agent.address.empty() && machines.contains(agent.address));
    };
    if (is_among(mesos.down)) {
        host.leaving = true;
        return no("is down for maintenance");
    }
    if (is_among(mesos.in_window)) return no("is in its maintenance window");
    if (auto why = constraints.refuses(agent)) return no(*why);
    if (!mesos.region.empty() && !agent.region.empty() && agent.region != mesos.region && !names_fault_domain(app))
        return no("is in another region (" + printable(agent.region) + ")");
    auto total = sum_of(agent.total, roles);
    if (auto why = lacks(app, total, {})) return no("is too small for an instance: " + *why);
    // A disconnected agent is listed until Mesos gives it up (75 s by default): not one to scale up for, nor one that
    // has left.
    if (!agent.active) {
        host.standing = Eligibility::unsure;
        host.why = "is not connected";
        return;
    }
    if (is_among(mesos.maybe_in_window)) {
        host.standing = Eligibility::unsure;
        host.why = "is scheduled for maintenance";
        return;
    }
    host.standing = Eligibility::eligible;
    auto used = agent.used ? sum_of(*agent.used, roles) : Resources{};
    if (auto why = lacks(app, total, used))
        host.no_room = *why;
    else
        host.has_room = true;
}

int rank(const HostJudgement& host) {
    if (host.standing == Eligibility::eligible) return host.has_room ? 3 : 2;
    return host.standing == Eligibility::unsure ? 1 : 0;
}

}  // namespace

std::vector<std::string> accepted_roles(const App& app, const std::string& marathon_role) {
    if (!app.roles.empty()) return app.roles;
    std::vector<std::string> roles{"*"};
    const auto& own = app.role.empty() ? marathon_role : app.role;
    if (!own.empty() && own != "*") roles.push_back(own);
    return roles;
}

std::vector<HostJudgement> judge_hosts(const Cluster& cluster, const App& app, const ConstraintSet& constraints) {
    auto roles = accepted_roles(app, cluster.marathon.role);
    std::map<std::string, HostJudgement> hosts;
    for (const auto& agent : cluster.mesos.agents) {
        HostJudgement host{.hostname = agent.hostname, .agent = &agent};
        judge(host, cluster, app, constraints, roles);
        auto [there, fresh] = hosts.try_emplace(agent.hostname, host);
        if (!fresh && rank(there->second) < rank(host)) there->second = std::move(host);
    }
    for (const auto& recovered : cluster.mesos.recovered) {
        HostJudgement host{.hostname = recovered.hostname,
                           .standing = Eligibility::unsure,
                           .why = "has not come back yet since the master failed over"};
        auto [there, fresh] = hosts.try_emplace(recovered.hostname, host);
        if (!fresh && rank(there->second) < rank(host)) there->second = std::move(host);
    }
    std::vector<HostJudgement> all;
    all.reserve(hosts.size());
    for (auto& [name, host] : hosts) all.push_back(std::move(host));
    return all;
}

}  // namespace boatswain::fleet
