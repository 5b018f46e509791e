// What the agent shows of itself: /healthz, /readyz, /metrics (Prometheus' text format 0.0.4) and /version.
//
//   /healthz  whether it lives. Whoever started the agent ends it when this fails, so it fails only when a new start
//             helps: a full disk, a store or an engine that is away are no reason.
//   /readyz   whether it does its work: reads, ships, and nothing is stuck. The reasons are told.
// Both answer {"ok":true,"reasons":[{"part":"store","what":"..."}],"notes":[...],"detail":{...}} with 200, or 503 when
// there is a reason. A note has the same form: somebody has to look at it, and it says nothing against the agent.
//
// None of them tells a tenant's line, a secret or an environment value. But metrics, and the reasons in words, name
// tenants: so /metrics may ask for a token, and health can be had at an address of its own, where it names nobody.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/secret.h"
#include "http/server.h"

namespace boatswain::serve {

struct Health {
    struct Reason {
        std::string part;  // one word: "engine", "store"
        std::string what;  // a sentence for people
        bool operator==(const Reason&) const = default;
    };
    std::vector<Reason> reasons;                // what is wrong; nothing when all is well
    std::vector<Reason> notes;                  // what somebody has to see to, though the agent does its work
    std::map<std::string, std::string> detail;  // "spool_bytes": "0"

    bool ok() const { return reasons.empty(); }
};

// Asked on the I/O thread, once for each request.
struct ObserveSources {
    std::function<Health()> alive;
    std::function<Health()> ready;
    std::function<std::string()> metrics;  // Prometheus' text
    std::string version;
    std::optional<Secret> metrics_token = {};  // nothing: /metrics is for whoever reaches the address
};

http::Routes observe_routes(ObserveSources sources);
// /healthz, /readyz and /version for everybody: of a reason or note only its part, without detail.
http::Routes health_routes(ObserveSources sources);

inline constexpr std::size_t token_bytes_min = 16, token_bytes_max = 4096;
// A file of one token, which clients send as "Authorization: Bearer TOKEN". Read at each start.
Result<Secret> read_token(const Path& path);

// Reasons or notes as a JSON array.
std::string to_json(const std::vector<Health::Reason>& reasons);

}  // namespace boatswain::serve
