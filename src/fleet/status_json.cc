#include "fleet/status_json.h"

namespace boatswain::fleet {
namespace {

std::string_view proof_word(heartbeat::Proof proof) {
    switch (proof) {
        case heartbeat::Proof::proven: return "proven";
        case heartbeat::Proof::not_checked: return "not checked";
        case heartbeat::Proof::forged: return "forged";
    }
    return "?";
}

void write_host(JsonWriter& json, const HostStatus& host) {
    json.object()
        .member("host", host.host)
        .member("ok", host.ok)
        .member("required", host.required)
        .member("agent", host.agent)
        .member("instance", host.instance)
        .member("health", host.health)
        .member("why", host.why);
    if (host.heartbeat) {
        const auto& [beat, proof] = *host.heartbeat;
        json.object("heartbeat")
            .member("time", beat.time)
            .member("proof", proof_word(proof))
            .member("version", beat.version)
            .member("epoch", beat.epoch)
            .member_if_there("lag_bytes", beat.lag_bytes)
            .member_if_there("spool_bytes", beat.spool_bytes)
            .member_if_there("spool_segments", beat.spool_segments)
            .member_if_there("containers", beat.containers)
            .member_if_there("reading", beat.reading)
            .member_if_there("last_segment", beat.last_segment)
            .member_if_there("started", beat.started)
            .member_if_there("stored_segments", beat.stored_segments)
            .member_if_there("stored_bytes", beat.stored_bytes)
            .member_if_there("put_requests", beat.put_requests)
            .member_if_there("objects_per_hour", objects_per_hour(beat))
            .end();
    }
    json.end();
}

}  // namespace

std::optional<std::uint64_t> objects_per_hour(const heartbeat::Heartbeat& beat) {
    constexpr std::chrono::minutes too_short{10};
    if (!beat.stored_segments || !beat.started || beat.time - *beat.started < too_short) return std::nullopt;
    auto minutes = std::chrono::duration_cast<std::chrono::minutes>(beat.time - *beat.started).count();
    return static_cast<std::uint64_t>(static_cast<double>(*beat.stored_segments) * 60 / static_cast<double>(minutes));
}

void write_status(JsonWriter& json, const FleetHealth& standing, const std::vector<std::string>& troubles,
                  Timestamp now) {
    json.member("time", now)
        .member("ok", standing.ok && troubles.empty())
        .member("required", standing.required)
        .member("well", standing.well)
        .array("hosts");
    for (const auto& host : standing.hosts) write_host(json, host);
    json.end().member("notes", standing.notes).member("not_found_out", troubles);
}

}  // namespace boatswain::fleet
