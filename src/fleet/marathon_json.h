// What Marathon says, read: in the shapes of 1.x, and those before 1.5 that still run.
//
// Source: mesosphere/marathon, docs/docs/rest-api/public/api/v2 (RAML) and the formats in its Scala code.
// Hostile input: each list has a bound, beyond which the whole answer is refused (Remedy::quarantine).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/cluster.h"

namespace boatswain::fleet {

inline constexpr std::size_t tasks_max = 200'000;
inline constexpr std::size_t deployments_max = 10'000;
inline constexpr std::size_t deployment_actions_max = 100'000;  // of one deployment
inline constexpr std::size_t queue_max = 100'000;
inline constexpr std::size_t ports_max = 1000;
inline constexpr std::uint32_t instances_max = 1'000'000;

struct MarathonInfo {
    std::string version;
    std::string role;       // that it is registered with; "*" when it does not say
    std::string mesos_url;  // of the leading master; may be empty
    std::string leader;     // "host:port"
};

// {"app": {...}} of GET /v2/apps/ID.
Result<App> parse_app(std::string_view body);
// Of GET /v2/deployments, those that touch `app`: of them all actions, so that is_pure_scaling() can judge.
Result<std::vector<Deployment>> parse_deployments(std::string_view body, const std::string& app);
// What GET /v2/queue says of `app`; nothing when it is not there.
Result<std::optional<QueueItem>> parse_queue(std::string_view body, const std::string& app);
Result<MarathonInfo> parse_info(std::string_view body);

// Of a 409: the deployments that hold the lock. Of any refusal: its message, made printable; empty when there is none.
std::vector<std::string> parse_blocking(std::string_view body);
std::string parse_message(std::string_view body);

}  // namespace boatswain::fleet
