#include "fleet/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.h"

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;

constexpr auto settling = 2min;  // after an instance started, before its heartbeat is missed
constexpr auto age_max = std::chrono::hours{24 * 3650};
constexpr std::size_t expected_max = 100'000;

std::string short_name(const std::string& host) { return host.substr(0, host.find('.')); }

std::string age_text(Nanoseconds age) { return to_text(std::chrono::floor<std::chrono::seconds>(age)); }

std::string_view trouble_text(std::string_view trouble) {
    if (trouble == heartbeat::trouble::engine) return "the engine is not followed";
    if (trouble == heartbeat::trouble::spool_write) return "the spool cannot be written";
    if (trouble == heartbeat::trouble::spool_full) return "the spool is full, reading pauses";
    if (trouble == heartbeat::trouble::store) return "the store does not take segments";
    if (trouble == heartbeat::trouble::keyring) return "a key file is broken";
    if (trouble == heartbeat::trouble::key_removed) return "a key file was removed";
    if (trouble == heartbeat::trouble::conflict) return "the store held something else under its keys";
    return trouble;
}

std::string held_text(const heartbeat::Heartbeat& beat) {
    return fmt::format("{} of {} containers are held: {}", beat.held.value_or(0), beat.containers.value_or(0),
                       beat.held_for.empty() ? "it does not say why" : printable(beat.held_for, 120));
}

std::string_view state_text(TaskState state) {
    switch (state) {
        case TaskState::running: return "running";
        case TaskState::starting: return "starting";
        case TaskState::killing: return "being killed";
        case TaskState::unreachable: return "unreachable";
        case TaskState::ended: return "ended";
    }
    return "?";
}

std::string agent_text(const HostJudgement& host) {
    if (host.agent == nullptr) return "not back yet";
    if (host.agent->draining) return "draining";
    if (host.agent->deactivated) return "deactivated";
    if (!host.agent->active) return "disconnected";
    return "active";
}

// The one that matters most: a running instance before one that starts.
const Task* best_of(const std::vector<Task>& tasks) {
    auto rank = [](const Task& task) { return static_cast<int>(task.state == TaskState::running ? -1 : 0); };
    auto best = std::ranges::min_element(tasks, {}, rank);
    return best == tasks.end() ? nullptr : &*best;
}

class StatusMaker {
  public:
    StatusMaker(const StatusInput& input, Timestamp now) : input_(input), now_(now) {}

    FleetHealth run() {
        if (input_.plan != nullptr) add_cluster();
        for (const auto& host : input_.expected) row(host).required = true;
        if (input_.heartbeats != nullptr) add_heartbeats();
        for (auto& [name, host] : rows_) {
            judge(host);
            standing_.required += host.required ? 1 : 0;
            standing_.well += host.required && host.ok ? 1 : 0;
            standing_.ok &= host.ok;
            standing_.hosts.push_back(std::move(host));
        }
        if (standing_.hosts.empty()) {
            standing_.ok = false;
            standing_.notes.emplace_back("there is no host: no agent has left a heartbeat, and none is expected");
        }
        return std::move(standing_);
    }

  private:
    // The row of a host, by its whole name or, where that says nothing, by the part before the first dot.
    HostStatus& row(const std::string& host) {
        if (auto found = rows_.find(host); found != rows_.end()) return found->second;
        auto alike = by_short_name_.find(short_name(host));
        if (alike != by_short_name_.end() && alike->second && (alike->first == host || alike->first == *alike->second))
            return rows_.at(*alike->second);
        auto [place, fresh] = by_short_name_.emplace(short_name(host), host);
        if (!fresh) place->second = std::nullopt;  // two hosts of one short name: only whole names count
        auto& made = rows_[host];
        made.host = host;
        return made;
    }

    void add_cluster() {
        const auto& plan = *input_.plan;
        for (const auto& line : plan.hosts) {
            auto& host = row(line.host.hostname);
            host.agent = agent_text(line.host);
            const auto* task = best_of(line.tasks);
            host.instance = task == nullptr ? "none" : std::string{state_text(task->state)};
            host.health = health_of(task);
            host.required = line.host.standing == Eligibility::eligible;
            if (line.host.standing != Eligibility::eligible) host.why = line.host.why;
            if (host.required && !line.covered) missing_[host.host] = missing_text(line);
            if (task != nullptr && task->started) started_[host.host] = *task->started;
        }
        for (const auto& task : plan.gone) {
            auto& host = row(task.host);
            if (!host.agent.empty()) continue;  // the same name came back as another agent
            host.agent = "gone";
            host.instance = state_text(task.state);
            host.why = "Mesos does not know it any more";
        }
        standing_.notes = plan.notes;
        if (plan.verdict == Verdict::refuse) standing_.ok = false;
    }

    std::string health_of(const Task* task) const {
        const auto& app = input_.cluster->marathon.app;
        if (task == nullptr || !app || !app->has_health_checks) return "";
        return !task->healthy ? "unknown" : *task->healthy ? "healthy" : "unhealthy";
    }

    std::string missing_text(const HostLine& line) const {
        if (!line.host.no_room.empty()) return "no room: " + line.host.no_room;
        const auto& queue = input_.cluster->marathon.queue;
        if (!queue || queue->count == 0)
            return input_.plan->actions.empty() ? "no instance" : "no instance; fleet sync would start one";
        auto said = queue->by_host.find(line.host.hostname);
        if (said != queue->by_host.end() && !said->second.empty()) {
            std::string text;
            for (const auto& reason : said->second) text += (text.empty() ? "" : ", ") + reject_reason_text(reason);
            return "Marathon turns its offer down: " + text;
        }
        if (queue->delay_seconds > 0)
            return fmt::format("Marathon waits {} s before the next launch, as the last ones failed",
                               queue->delay_seconds);
        auto worst = std::ranges::max_element(queue->reasons, {}, &RejectReason::declined);
        if (worst != queue->reasons.end() && worst->declined > 0)
            return fmt::format("waits for an offer; of the last ones Marathon turned {} down: {}", worst->declined,
                               reject_reason_text(worst->reason));
        return "waits for an offer of this host";
    }

    void add_heartbeats() {
        for (const auto& read : input_.heartbeats->heartbeats) {
            auto& host = row(read.heartbeat.host);
            if (input_.plan == nullptr) host.required = true;
            host.heard = age_of(read.heartbeat.time, now_);
            host.heartbeat = read;
        }
        for (const auto& problem : input_.heartbeats->problems) {
            standing_.notes.push_back(problem);
            standing_.ok = false;
        }
    }

    void judge(HostStatus& host) {
        auto amiss = [&](std::string why) {
            host.ok = false;
            host.why += (host.why.empty() ? "" : "; ") + std::move(why);
        };
        // Not listed by Mesos, but it left a heartbeat once: one that has gone.
        if (input_.plan != nullptr && host.agent.empty()) {
            host.agent = "not listed";
            if (!host.required) host.why = "Mesos does not know it";
        }
        if (auto missing = missing_.find(host.host); missing != missing_.end()) return amiss(missing->second);
        if (!host.required) return;
        if (host.health == "unhealthy") amiss("Marathon's health check fails");
        if (input_.heartbeats == nullptr) {
            if (input_.plan == nullptr || host.instance.empty()) amiss("nothing is known of it");
            return;
        }
        if (!host.heartbeat) {
            auto started = started_.find(host.host);
            bool settles = started != started_.end() && age_of(started->second, now_) < settling;
            if (!settles) amiss("no heartbeat");
            return;
        }
        const auto& [beat, proof] = *host.heartbeat;
        if (proof == heartbeat::Proof::forged) amiss("its heartbeat is forged, or made with another key");
        auto late_after = std::chrono::seconds{beat.interval_seconds} * heartbeat::late_intervals;
        if (*host.heard > late_after)
            amiss("last heard of " + age_text(*host.heard) + " ago");
        else if (*host.heard < -heartbeat::ahead_max)
            amiss("its heartbeat is from the future: a clock is wrong");
        for (const auto& trouble : beat.troubles)
            amiss(trouble == heartbeat::trouble::held ? held_text(beat) : std::string{trouble_text(trouble)});
        if (beat.healthy == false && beat.troubles.empty()) amiss("it says that it is not healthy");
    }

    const StatusInput& input_;
    const Timestamp now_;
    FleetHealth standing_;
    std::map<std::string, HostStatus> rows_;
    std::map<std::string, std::optional<std::string>> by_short_name_;
    std::map<std::string, std::string> missing_;  // host: why it has no instance
    std::map<std::string, Timestamp> started_;    // host: when its instance did
};

}  // namespace

Nanoseconds age_of(Timestamp time, Timestamp now) { return now - std::clamp(time, now - age_max, now + age_max); }

FleetHealth make_status(const StatusInput& input, Timestamp now) { return StatusMaker{input, now}.run(); }

// Source: Marathon's RAML, v2/types/queue.raml and SC/mesos/NoOfferMatchReason.
std::string reject_reason_text(std::string_view reason) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> words{{
        {"UnfulfilledRole", "what it offers is reserved for other roles"},
        {"UnfulfilledConstraint", "the app's constraints refuse it"},
        {"NoCorrespondingReservationFound", "it has no reservation for the app's volume"},
        {"AgentMaintenance", "it is in maintenance, or soon will be"},
        {"InsufficientCpus", "not enough cpus are free"},
        {"InsufficientMemory", "not enough memory is free"},
        {"InsufficientDisk", "not enough disk is free"},
        {"InsufficientGpus", "not enough GPUs are free"},
        {"InsufficientPorts", "a port that the app needs is taken"},
        {"DeclinedScarceResources", "Marathon keeps it for apps that need its GPUs"},
    }};
    auto found = std::ranges::find(words, reason, &std::pair<std::string_view, std::string_view>::first);
    return found == words.end() ? printable(reason) : std::string{found->second};
}

std::vector<std::string> parse_hosts(std::string_view text) {
    std::vector<std::string> hosts;
    while (!text.empty() && hosts.size() < expected_max) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        line = line.substr(0, line.find('#'));
        while (!line.empty()) {
            auto word = line.substr(0, line.find_first_of(", \t\r"));
            line.remove_prefix(std::min(line.size(), word.size() + 1));
            if (!word.empty()) hosts.emplace_back(word);
        }
    }
    return hosts;
}

}  // namespace boatswain::fleet
