// For tests: a spool, sealing threads and a batcher, as the daemon has them, in a directory of the test's own.
#pragma once

#include <fcntl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/directory_for_test.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "batch/batcher.h"
#include "batch/memory_budget.h"
#include "batch/sealing.h"
#include "spool/spool.h"

namespace boatswain::batch::testing {

struct SealedObject {
    segment::ObjectKey key;
    std::string bytes;
};

class Rig {
  public:
    explicit Rig(Options options = {}, std::size_t memory_max = 64U << 20) : options_(options), budget(memory_max) {
        start();
    }
    ~Rig() { stop(); }

    void start() {
        spool =
            std::move(*spool::Spool::open({.state_dir = directory / "state", .host = "node-7"}, clock, log, metrics));
        sealing = std::make_unique<Sealing>(1, 2, *spool, budget, clock, metrics, log, [] {});
        batcher = std::make_unique<Batcher>(options_, *sealing, *spool, budget, clock, metrics);
    }
    // As a kill would: what is not in the spool by now is forgotten. No feed is left.
    void stop() {
        batcher.reset();
        sealing.reset();
        spool.reset();
    }
    void restart() {
        stop();
        start();
    }

    // Everything that was flushed is in the spool afterwards.
    bool drain() { return sealing->drain(std::chrono::steady_clock::now() + std::chrono::seconds{60}); }
    bool seal_all() {
        batcher->flush_all();
        return drain();
    }
    // Takes all segments out of the spool, as a store would; in the order of each tenant's chain.
    std::vector<SealedObject> take_all() {
        std::vector<SealedObject> taken;
        std::stop_source stop;
        while (spool->count() > 0) {
            auto segment = spool->take(stop.get_token());
            taken.push_back({*segment::parse_object_key(segment->key), boatswain::testing::contents(segment->file)});
            if (!spool->release(*segment)) break;
        }
        return taken;
    }

    boatswain::testing::TestDirectory directory;
    SimulatedClock clock{*parse_time("2026-11-23T10:20:00Z")};
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;

  private:
    Options options_;

  public:
    MemoryBudget budget;
    std::unique_ptr<spool::Spool> spool;
    std::unique_ptr<Sealing> sealing;
    std::unique_ptr<Batcher> batcher;
};

inline Source source(std::string id, std::string_view tenant = "acme") {
    return {.id = std::move(id),
            .kind = "docker",
            .name = "web-1",
            .image = "nginx",
            .reader = "json-file",
            .whose = {.tenant = TenantId::parse(tenant).value(), .app = "shop", .tenant_rule = "const"}};
}

}  // namespace boatswain::batch::testing
