#include "boatswaind/condition.h"

namespace boatswain::boatswaind {
namespace {

std::string seconds_of(Nanoseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

void judge_reading(const Condition& condition, std::vector<serve::Health::Reason>& reasons) {
    const auto& intake = condition.intake;
    if (!intake.engine_connected)
        reasons.push_back({"engine", "the engine is not followed" +
                                         (intake.engine_trouble.empty() ? "" : ": " + intake.engine_trouble)});
    if (intake.stuck > 0)
        reasons.push_back({"reading", std::to_string(intake.stuck) +
                                          " containers are not read on for a minute: " + intake.stuck_trouble});
    if (!intake.ended_readers.empty())
        reasons.push_back({"reading", std::to_string(intake.ended_readers.size()) +
                                          " readers ended by a fault of ours; until the next start these containers "
                                          "are not read: " +
                                          intake.ended_readers.front()});
}

void judge_storing(const Condition& condition, std::vector<serve::Health::Reason>& reasons) {
    if (condition.sealing_trouble)
        reasons.push_back({"sealing", "the spool cannot be written: " + *condition.sealing_trouble});
    else if (condition.sealing_for > seal_stuck_after)
        reasons.push_back({"sealing", "writing to the spool takes " + seconds_of(*condition.sealing_for) + " by now"});
    if (!condition.spool_has_room())
        reasons.push_back({"spool", "the spool is full: reading pauses until the store takes segments"});
    if (condition.shipping_trouble)
        reasons.push_back({"store", "the store does not take segments: " + *condition.shipping_trouble});
    else if (condition.putting_for > put_stuck_after)
        reasons.push_back({"store", "one put takes " + seconds_of(*condition.putting_for) + " by now"});
}

}  // namespace

serve::Health aliveness(const Condition& condition) {
    serve::Health health;
    for (const auto* tasks : {&condition.ended_tasks, &condition.intake.ended_tasks})
        for (const auto& task : *tasks)
            health.reasons.push_back(
                {"tasks", "\"" + task + "\" ended by a fault of ours; only a new start brings it back"});
    return health;
}

serve::Health readiness(const Condition& condition) {
    const auto& intake = condition.intake;
    auto health = aliveness(condition);
    judge_reading(condition, health.reasons);
    judge_storing(condition, health.reasons);
    health.detail = {
        {"engine", intake.engine_connected ? "followed" : "not followed: " + intake.engine_trouble},
        {"containers", std::to_string(intake.containers)},
        {"reading", std::to_string(intake.reading)},
        {"read_lag_bytes", std::to_string(intake.lag_bytes)},
        {"sealing", condition.sealing_trouble.value_or("ok")},
        {"spool", condition.spool_has_room() ? "ok" : "full: reading pauses until the store takes segments"},
        {"spool_bytes", std::to_string(condition.spool_bytes)},
        {"spool_segments", std::to_string(condition.spool_segments)},
        {"shipping", condition.shipping_trouble.value_or("ok")}};
    return health;
}

}  // namespace boatswain::boatswaind
