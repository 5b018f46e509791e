// What the agent shows of itself: /metrics (Prometheus' text format 0.0.4), /healthz and /version.
//
// None of them tells a tenant's line, a secret or an environment value; who may reach them is the operator's choice of
// address.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/metrics.h"
#include "serve/http_server.h"

namespace boatswain::serve {

struct Health {
    bool healthy = true;
    std::map<std::string, std::string> detail;  // "engine": "connected", "store": "unreachable for 12s"
};

// `metrics` outlives the server. `health` is asked on the I/O thread at each GET /healthz, which answers
// {"healthy":true,"detail":{...}} with 200, or with 503 when not healthy. /version answers {"version":"0.1.0"}.
HttpRoutes observe_routes(const Metrics& metrics, std::function<Health()> health, std::string version);

}  // namespace boatswain::serve
