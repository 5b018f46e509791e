// The agent's half of the log driver: finds holds (hold.h), learns whose their containers are, and has them read.
//
//   a hold appears        its container's description lies beside it: rules and keyring say whose its lines are
//   it grows              frames become lines of the container's feed; has the batcher no room, the hold keeps them
//   a segment is durable  what it covers is given back
//   half of a hold's room is taken by lines that no segment covers      their batch is sealed at once
//   the FIFO ended        the hold is read to its end and removed when all of it is durable
//   the container is removed  (DockerIntake tells) its closing record is written
//   it died or is removed, and its hold has not ended     a mark beside the hold (HoldName) says so: the
//                         engine gave StopLogging up while there was no holder, and never closes the FIFO
//   a description is not understood     the hold is left alone, within its bounds, until its container is removed
//
// Holds of one container are read in their order: an engine that restarts beside running containers (live-restore)
// opens a new FIFO for each, and there is a new hold. Who fills holds, this process or another, makes no difference
// here. Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "intake/docker/log_driver_hooks.h"
#include "intake/docker/selection.h"
#include "intake/driver/hold_reader.h"
#include "intake/driver/plugin_request.h"
#include "intake/source/assigner.h"
#include "intake/source/intake.h"
#include "intake/source/last_error.h"
#include "net/run_queue.h"
#include "net/task_group.h"
#include "spool/spool.h"

namespace boatswain::intake::driver {

struct IntakeOptions {
    Path hold_dir;
    std::uint64_t hold_bytes = 32U << 20;
    std::uint64_t hold_total = 256U << 20;
    docker::Selection selection;
    std::vector<std::string> own_ids;  // containers that this process runs in
};

class DriverIntake final : public Intake {
  public:
    DriverIntake(boost::asio::any_io_executor executor, IntakeOptions options, Assigner assigner,
                 batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log);
    DriverIntake(const DriverIntake&) = delete;
    ~DriverIntake() override;

    std::string_view name() const override { return "driver intake"; }
    boost::asio::awaitable<void> run() override;
    void finish(std::chrono::steady_clock::time_point deadline) override;
    void reassign() override;
    void reassign(const std::vector<std::string>& ids) override;
    void progressed() override;
    void put_down() override;
    // Its containers are counted and described by the Docker intake, which finds them.
    IntakeHealth health() const override;
    // Bytes alone: the Docker intake counts the containers.
    std::map<std::string, TenantLag> lag_by_tenant() const override;

    // What the Docker intake tells and asks. Outlived by this.
    docker::LogDriverHooks elsewhere(std::string driver);

  private:
    struct Container {
        engine::ContainerFacts facts;  // as they were when it started: what rules go by
        std::string name;              // as it is called now
        Assignment assignment;
        std::optional<std::string> excluded;            // why it is not read although it could be
        std::deque<std::unique_ptr<HoldReader>> holds;  // in the order in which they are read
        std::unique_ptr<batch::Feed> feed;
        std::uint64_t lines_before = 0;
        std::uint64_t seal_asked_at = 0;  // unsealed bytes when the batch was last asked to be sealed; 0: not since
        std::optional<int> exit_code;
        bool noted_ended = false;  // the spool was told that all it printed is sealed
        bool removed = false;      // the engine said so
        bool closed = false;       // the closing record is written; waits to be durable
        std::optional<LastError> trouble;
        std::uint64_t unread_bytes() const;  // of its holds
    };
    struct News {  // of a container that no hold is known of yet
        std::optional<int> exit_code;
        bool removed = false;
        std::string name{};
    };

    boost::asio::awaitable<void> watch();
    std::optional<StartRequest> description_of(const HoldName& name);
    void mark_gone(const Container& container);
    void give_up(const std::string& id);
    boost::asio::awaitable<void> look_now_and_then();
    void scan();
    void appeared(const HoldName& name);
    void touch(const std::string& id);
    void assign(Container& container);
    void decide(Container& container);
    void assign_again(const std::string& id, Container& container);
    void begin_feed(Container& container);
    void open_feed(Container& container, const Checkpoint& start);
    net::Turn take_turn(const std::string& id);
    void give_back(const std::string& id, Container& container);
    void seal_if_full(const std::string& id, Container& container);
    bool close_if_gone(const std::string& id, Container& container);
    bool discards(const Container& container) const;
    void count();
    void show_figures();
    void describe(Description& told) const;
    void died(const std::string& id, std::optional<int> exit_code);
    void vanished(const std::string& id);
    void named(const std::string& id, const std::string& name);
    News& early_news(const std::string& id);

    const IntakeOptions options_;
    Assigner assigner_;
    batch::Batcher& batcher_;
    spool::Spool& spool_;
    const Clock& clock_;
    Log& log_;
    HoldCounters counters_;
    Gauge& containers_gauge_;
    Gauge& held_gauge_;
    Gauge& memory_gauge_;
    Gauge& full_gauge_;
    Gauge& unheld_gauge_;
    Gauge& narrow_gauge_;
    Gauge& undescribed_gauge_;
    Counter& unnamed_lines_;
    boost::asio::any_io_executor executor_;
    net::TaskGroup tasks_;
    net::RunQueue run_queue_;  // of containers that may have something to read
    std::string buffer_;
    std::map<std::string, Container> containers_;
    std::set<HoldName> known_;        // holds that a reader has
    std::set<HoldName> undescribed_;  // holds whose descriptions are not understood
    std::map<std::string, News> early_news_;
    std::deque<std::string> early_order_;  // of early_news_, oldest first
};

}  // namespace boatswain::intake::driver
