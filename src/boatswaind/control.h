// What the running agent answers on its unix socket: `boatswain why` and `boatswain status` ask here.
//
//   GET /v1/containers            every container it knows, also those that it does not read, with the reason
//   GET /v1/containers/ID         one of them, by id, by name, or by the start of its id
//   GET /v1/status                the agent itself
//   GET /v1/spool                 segments that stand aside, and keys that were taken
//   POST /v1/flush                seals what was read so far
//   POST /v1/spool/retry          offers to the store again what stands aside
//   POST /v1/spool/acknowledge    a person knows of the keys that were taken
//
// The answers are JSON (docs/operate/why.md describes them). They hold no line of a container, no environment value and
// no secret. Who may connect is decided by the socket's mode (0660) and by the directory it lies in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "http/server.h"
#include "intake/source/description.h"
#include "serve/observe.h"
#include "spool/spool.h"

namespace boatswain::boatswaind {

struct AgentStatus {
    serve::Health health;
    std::string version, host, epoch, store;
    Timestamp started{};
    Nanoseconds uptime{};
    std::uint64_t memory_bytes = 0, memory_bytes_max = 0;
    std::size_t memory_waiting_tenants = 0;  // wait for their turn
    std::uint64_t spool_bytes = 0, spool_bytes_max = 0;
    std::size_t spool_segments = 0;
    std::optional<Timestamp> spool_oldest;
};

struct SpoolStatus {
    spool::AsideTotals totals;
    std::uint64_t bytes_max = 0;
    std::vector<spool::AsideSegment> aside;
    std::vector<spool::Conflict> conflicts;
};

// Where the answers come from, asked on the I/O thread.
struct ControlSources {
    std::function<std::vector<intake::Description>()> all;
    std::function<std::vector<intake::Description>(std::string_view id_or_name)> find;
    std::function<spool::TenantSpoolStatus(const std::string& tenant)> tenant;
    std::function<std::vector<std::string>()>
        troubles;  // of the whole agent, as sentences: what may hold up any container
    std::function<AgentStatus()> status;
    std::function<SpoolStatus()> spool;
    std::function<std::size_t()> flush;        // how many batches are sealed
    std::function<std::size_t()> retry;        // how many segments are offered again
    std::function<std::size_t()> acknowledge;  // of how many tenants conflicts ended
};

http::Routes control_routes(ControlSources sources);

// One container as JSON. `tenant`: how the segments of its tenant stand.
std::string to_json(const intake::Description& container, const spool::TenantSpoolStatus& tenant,
                    const std::vector<std::string>& troubles);
std::string to_json(const AgentStatus& status);
std::string to_json(const SpoolStatus& status);

// What a person can do about a container whose lines do not reach its tenant; empty when there is nothing to do.
std::string advice_for(const intake::Description& container);

}  // namespace boatswain::boatswaind
