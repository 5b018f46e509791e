// What a Mesos master says, read: of its v1 operator API (Mesos 1.0 and later) and of the older GET /slaves.
//
// Sources: apache/mesos, include/mesos/v1/master/master.proto, docs/operator-http-api.md, docs/maintenance.md,
// src/master/readonly_handler.cpp and src/common/http.cpp for /slaves.
// Hostile input: each list has a bound, beyond which the whole answer is refused (Remedy::quarantine).
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "fleet/cluster.h"

namespace boatswain::fleet {

inline constexpr std::size_t agents_max = 100'000;
inline constexpr std::size_t attributes_max = 1000;       // of one agent
inline constexpr std::size_t resources_max = 10'000;      // of one agent
inline constexpr std::size_t machines_max = 100'000;      // in one maintenance schedule
inline constexpr auto drain_margin = std::chrono::seconds{120};  // Marathon's --draining_seconds: it declines so early

// The agents of an answer to GET_AGENTS, or of GET /slaves.
Result<MesosState> parse_agents(std::string_view body);
Result<MesosState> parse_slaves(std::string_view body);

// Adds what GET_MAINTENANCE_STATUS says and, of those machines that are only scheduled, what GET_MAINTENANCE_SCHEDULE
// says of their windows (empty: not known).
Result<void> add_maintenance(MesosState& mesos, std::string_view status, std::string_view schedule, Timestamp now);

// The region of the master itself, of GET_MASTER; empty when it has none.
Result<std::string> parse_master_region(std::string_view body);

// "[31000-32000, 33000-33000]" as /slaves prints ranges. What is not such a range is left out.
std::vector<PortRange> parse_ranges(std::string_view text);

// A scalar attribute as Marathon compares it: at most three digits behind the point.
std::string scalar_text(double value);

}  // namespace boatswain::fleet
