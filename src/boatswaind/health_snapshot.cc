#include "boatswaind/health_snapshot.h"

#include <algorithm>

#include "base/text.h"

namespace boatswain::boatswaind {
namespace {

std::string seconds_of(Nanoseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

std::optional<std::string> spool_trouble(const HealthSnapshot& condition) {
    if (condition.spool_bytes >= condition.spool_bytes_max)
        return "full: reading pauses until the store takes segments";
    auto paused = condition.tenants_without_room;
    if (paused == 0) return std::nullopt;
    return "full for " + std::to_string(paused) + (paused == 1 ? " tenant" : " tenants") +
           ": reading of their containers pauses until the store takes segments";
}

std::optional<std::string> aside_trouble(const HealthSnapshot& condition) {
    const auto& aside = condition.aside;
    if (aside.refused == 0) return std::nullopt;
    return "the store refuses " + counted(aside.refused, "segment") +
           ", offered again each hour (`boatswain spool`): " + aside.last_reason;
}

// Names no tenant: whoever reaches the port reads it.
std::optional<std::string> conflict_trouble(const HealthSnapshot& condition) {
    const auto& conflicts = condition.conflicts;
    if (conflicts.empty()) return std::nullopt;
    auto last = std::ranges::max(conflicts, {}, &spool::Conflict::noticed).noticed;
    return "the store held something else under keys of " + counted(conflicts.size(), "tenant") + ", the last at " +
           to_text(last).substr(0, 19) +
           "Z: somebody else wrote there, or this agent's state is an old one or a copy. Nothing of ours is lost. "
           "`boatswain spool` names the keys, `boatswain spool acknowledge` ends this";
}

void judge_reading(const HealthSnapshot& condition, std::vector<serve::Health::Reason>& reasons) {
    for (const auto& intake : condition.intakes)
        for (const auto& trouble : intake.troubles) reasons.push_back({intake.part, trouble});
    const auto& reading = condition.reading;
    if (reading.stuck > 0)
        reasons.push_back({"reading", std::to_string(reading.stuck) +
                                          " containers are not read on for a minute: " + reading.stuck_trouble});
    if (!reading.ended_readers.empty())
        reasons.push_back({"reading", std::to_string(reading.ended_readers.size()) +
                                          " readers ended by a fault of ours; until the next start these containers "
                                          "are not read: " +
                                          reading.ended_readers.front()});
}

void judge_storing(const HealthSnapshot& condition, std::vector<serve::Health::Reason>& reasons) {
    if (condition.sealing_trouble)
        reasons.push_back({"sealing", "the spool cannot be written: " + *condition.sealing_trouble});
    else if (condition.sealing_for > seal_stuck_after)
        reasons.push_back({"sealing", "writing to the spool takes " + seconds_of(*condition.sealing_for) + " by now"});
    if (auto full = spool_trouble(condition)) reasons.push_back({"spool", "the spool is " + *full});
    if (auto aside = aside_trouble(condition)) reasons.push_back({"store", *aside});
    if (auto conflict = conflict_trouble(condition)) reasons.push_back({"conflict", *conflict});
    if (condition.shipping_trouble)
        reasons.push_back({"store", "the store does not take segments: " + *condition.shipping_trouble});
    else if (condition.putting_for > put_stuck_after)
        reasons.push_back({"store", "one put takes " + seconds_of(*condition.putting_for) + " by now"});
}

void judge_held(const HealthSnapshot& condition, serve::Health& health) {
    const auto& reading = condition.reading;
    if (auto held = held_text(reading))
        (reading.reading == 0 ? health.reasons : health.notes)
            .push_back({"held", *held + ". `boatswain why` names them" +
                                    (reading.reading == 0 ? "; no container is read" : "")});
    if (reading.unreadable > 0 && reading.reading == 0)
        health.notes.push_back({"reading", "no container is read: " + std::to_string(reading.unreadable) + " of " +
                                               counted(reading.containers, "container") +
                                               " cannot be read. `boatswain why` says why"});
    for (const auto& removed : condition.removed_keys) health.notes.push_back({"keyring", removed});
    for (const auto& hub : condition.hub_troubles) health.notes.push_back({"hub", hub});
}

}  // namespace

std::size_t held_count(const intake::ReadingStatus& reading) {
    std::size_t held = 0;
    for (const auto& [lack, count] : reading.held) held += count;
    return held;
}

std::string held_words(const intake::ReadingStatus& reading) {
    std::string words;
    for (const auto& [lack, count] : reading.held)
        words += (words.empty() ? "" : ", ") + std::string{tenancy::to_string(lack)};
    return words;
}

std::optional<std::string> held_text(const intake::ReadingStatus& reading) {
    auto held = held_count(reading);
    if (held == 0) return std::nullopt;
    auto text = std::to_string(held) + " of " + counted(reading.containers, "container") +
                (held == 1 ? " is" : " are") + " held: ";
    if (reading.held.size() == 1) return text + held_words(reading);
    std::string why;
    for (const auto& [lack, count] : reading.held)
        why += (why.empty() ? "" : ", ") + std::string{tenancy::to_string(lack)} + " (" + std::to_string(count) + ")";
    return text + why;
}

bool follows_all(const HealthSnapshot& condition) {
    return std::ranges::all_of(condition.intakes, &intake::IntakeHealth::follows);
}

bool follows(const HealthSnapshot& condition, std::string_view part) {
    return std::ranges::any_of(condition.intakes,
                               [&](const auto& intake) { return intake.part == part && intake.follows; });
}

serve::Health aliveness(const HealthSnapshot& condition) {
    serve::Health health;
    auto ended = condition.ended_tasks;
    for (const auto& intake : condition.intakes)
        ended.insert(ended.end(), intake.ended_tasks.begin(), intake.ended_tasks.end());
    for (const auto& task : ended)
        health.reasons.push_back(
            {"tasks", "\"" + task + "\" ended by a fault of ours; only a new start brings it back"});
    if (condition.store_lost) health.reasons.push_back({"store", *condition.store_lost});
    for (const auto& intake : condition.intakes)
        for (const auto& why : intake.restart_helps) health.reasons.push_back({intake.part, why});
    return health;
}

serve::Health readiness(const HealthSnapshot& condition) {
    const auto& reading = condition.reading;
    auto health = aliveness(condition);
    judge_reading(condition, health.reasons);
    judge_storing(condition, health.reasons);
    for (const auto& trouble : condition.key_troubles) health.reasons.push_back({"keyring", trouble});
    judge_held(condition, health);
    if (condition.canary_trouble) health.reasons.push_back({"canary", *condition.canary_trouble});
    health.detail = {{"containers", std::to_string(reading.containers)},
                     {"reading", std::to_string(reading.reading)},
                     {"held", std::to_string(held_count(reading))},
                     {"read_lag_bytes", std::to_string(reading.lag_bytes)},
                     {"sealing", condition.sealing_trouble.value_or("ok")},
                     {"spool", spool_trouble(condition).value_or("ok")},
                     {"state", condition.state_trouble.value_or("ok")},
                     {"keys", conflict_trouble(condition).value_or("ok")},
                     {"aside", aside_trouble(condition).value_or("ok")},
                     {"spool_bytes", std::to_string(condition.spool_bytes)},
                     {"spool_segments", std::to_string(condition.spool_segments)},
                     {"shipping", condition.shipping_trouble.value_or("ok")}};
    for (const auto& intake : condition.intakes) {
        if (!intake.state.empty()) health.detail[intake.part] = intake.state;
        health.detail.insert(intake.detail.begin(), intake.detail.end());
    }
    if (condition.has_canary) health.detail["canary"] = condition.canary_trouble.value_or("ok");
    return health;
}

}  // namespace boatswain::boatswaind
