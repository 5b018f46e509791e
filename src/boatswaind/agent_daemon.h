// The agent's parts, and what is done with them: built in agent_build.cc in the order in which data flows, run and taken
// down in agent.cc, described in agent_status.cc. Everything happens on the daemon's one thread, but for what sealing,
// shipping and key reading do on threads of their own.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/batcher.h"
#include "batch/memory_budget.h"
#include "batch/sealing.h"
#include "boatswaind/control.h"
#include "boatswaind/daemon.h"
#include "boatswaind/health_snapshot.h"
#include "boatswaind/heartbeat_publisher.h"
#include "boatswaind/key_reading.h"
#include "boatswaind/scrape_metrics.h"
#include "boatswaind/state_lock.h"
#include "boatswaind/tenant_resolver.h"
#include "canary/canary.h"
#include "config/flags.h"
#include "engine/client.h"
#include "http/server.h"
#include "intake/docker/images.h"
#include "intake/docker/selection.h"
#include "intake/driver/holder.h"
#include "intake/source/intake.h"
#include "net/event.h"
#include "ship/shipper.h"
#include "spool/spool.h"
#include "store/store.h"
#include "uplink/uplinks.h"

namespace boatswain::intake::docker {
struct ReadPolicy;
}

namespace boatswain::boatswaind {

// Everything that lives as long as the agent, in the order of its building.
class AgentDaemon final : public Daemon {
  public:
    using Daemon::Daemon;

  private:
    // agent_build.cc
    Result<void> build() override;
    Result<void> build_intakes(std::vector<std::string> own_containers);
    Result<void> build_docker(intake::Assigner assigner, std::vector<std::string> own_containers);
    Result<void> build_driver(intake::docker::ReadPolicy& terms, const intake::Assigner& assigner);
    Result<void> open_listeners();
    void open_control();

    // agent.cc
    void start(net::TaskGroup& tasks) override;
    Result<void> take_over(const config::Config& fresh) override;
    void shut_down() override;
    boost::asio::awaitable<void> tick();
    boost::asio::awaitable<void> watch_keyring();
    boost::asio::awaitable<void> beat();
    boost::asio::awaitable<void> assign_again();
    void warn_of_secrets();
    void log_held();
    void reassign();
    void reassign_ready();
    void reassign(const std::vector<std::string>& ids);
    void prefer_keyring();

    // agent_status.cc
    std::vector<intake::Description> describe_all() const;
    std::vector<std::string> ended_tasks() const;
    HealthSnapshot condition() const;
    std::map<std::string, intake::TenantLag> lag_by_tenant() const;
    std::string metrics();
    AgentStatus status() const;
    SpoolStatus spool_status() const;
    std::vector<std::string> troubles() const;
    heartbeat::Heartbeat heartbeat() const;

    std::atomic_flag progress_is_told_;
    intake::docker::Selection selection_;
    std::optional<StateLock> lock_;
    // Where the agent itself is the engine's plugin, until that is built.
    std::optional<intake::driver::HoldLock> holds_;
    std::unique_ptr<net::Listener> plugin_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<spool::Spool> spool_;
    std::optional<batch::MemoryBudget> budget_;
    std::unique_ptr<engine::Client> client_;
    std::optional<TenantResolver> tenants_;
    std::optional<KeyReading> key_reading_;
    std::optional<intake::docker::Images> images_;
    std::optional<batch::Sealing> sealing_;
    std::optional<batch::Batcher> batcher_;
    std::optional<canary::Canary> canary_;
    std::optional<batch::Sealing::SealedObservers::Watch> canary_watch_;
    std::optional<ship::Shipper> shipper_;
    std::unique_ptr<intake::driver::Holder> holder_;  // where the agent itself is the engine's plugin
    std::vector<std::unique_ptr<intake::Intake>> intakes_;
    std::optional<uplink::Uplinks> uplinks_;
    std::optional<HeartbeatPublisher> heartbeat_;
    std::unique_ptr<http::Server> observe_;
    std::unique_ptr<http::Server> health_;
    std::unique_ptr<http::Server> control_;
    const Timestamp started_ = clock_.now();
    const std::chrono::steady_clock::time_point started_steady_ = clock_.steady();
    ScrapeMetrics scrape_metrics_{metrics_, config::version(), started_};
    net::Event look_at_keys_{io_.get_executor()};  // before the next second
    bool reloading_ = false;                       // the configuration was read again, the keyring not yet
    std::set<std::string> more_known_of_;          // containers that wait for assign_again()
    net::Event assign_again_{io_.get_executor()};
    bool warned_of_secrets_ = false;
    std::string logged_held_;  // why containers are held, as it was logged last
};

}  // namespace boatswain::boatswaind
