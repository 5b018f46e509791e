// The Docker intake: finds every container of one engine, learns whose it is, and has it read.
//
//   news                                     what is done
//   the containers directory shows a new     its log is opened at once; its facts come from config.v2.json beside the
//   log, directory or log file (inotify)          so that a container that is gone before inspect answers is read all
//   the same the engine's events, and its list        inspect; readers through the engine start; ends and removals are
//   noted the keyring changed                      every container's lines are assigned anew
//
// Events are subscribed to first, then all containers are listed, then both are reconciled; when the stream breaks, the
// same again with back-off, for ever. Which reader a container gets is decided once (reader_for), and shown.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "engine/client.h"
#include "intake/docker/description.h"
#include "intake/docker/directory_watch.h"
#include "intake/docker/file_pump.h"
#include "intake/docker/selection.h"
#include "intake/docker/stream_reader.h"
#include "net/event.h"
#include "net/task_group.h"
#include "spool/spool.h"
#include "tenancy/policy.h"

namespace boatswain::intake::docker {

struct Options {
    Path root;  // the engine's data directory as we see it; empty: as the engine says
    bool attach =
        false;  // attach to containers that nothing else can read; one may ask for it with label boatswain.attach=true
    Selection selection;
    std::vector<std::string> own_ids;  // containers that this process runs in
};

// Whose a container is and what becomes of its lines.
struct Assignment {
    tenancy::Decision decision;
    Attribution whose;                          // with the decision's tenant
    std::map<std::string, std::string> labels;  // to keep with the source
    bool soon = false;                          // held for a moment only: reassign() is called when more is known
};

struct Assigner {
    std::function<Assignment(const engine::ContainerFacts&)> assign;
    engine::EnvironmentFilter keep;  // environment keys that the rules read
};

class DockerIntake final : private WatchListener {
  public:
    DockerIntake(boost::asio::any_io_executor executor, Options options, engine::Client& client, Assigner assigner,
                 batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log);
    ~DockerIntake();

    // Finds and reads until cancelled; then everything it started has ended.
    boost::asio::awaitable<void> run();

    void reassign();    // the keyring or the rules changed
    void progressed();  // the batcher gave memory back
    // After run(): reads what the logs on disk still hold, and closes all feeds.
    void finish(std::chrono::steady_clock::time_point deadline);

    // For /healthz, /readyz and /metrics: whether the engine answers, what is read, and how far reading is behind
    // (health.cc).
    struct Health {
        bool engine_connected = false;
        std::string engine_trouble;
        std::size_t containers = 0;
        std::size_t reading = 0;
        std::uint64_t lag_bytes = 0;
        std::uint64_t held_lag_bytes = 0;        // of those, in logs that wait for a key
        Nanoseconds lag_time{};                  // of the log that is behind most
        std::size_t stuck = 0;                   // logs with something to read and no progress for stuck_after
        std::string stuck_trouble;               // of one of them
        std::vector<std::string> ended_tasks;    // of those that have to run for ever: nothing brings them back
        std::vector<std::string> ended_readers;  // of single containers that are not read any more
    };
    static constexpr std::chrono::seconds stuck_after{60};
    Health health() const;
    struct TenantLag {
        std::size_t containers = 0;  // being read
        std::uint64_t bytes = 0;     // not read yet, of log files
        Nanoseconds time{};          // of the log that is behind most
    };
    std::map<std::string, TenantLag> lag_by_tenant() const;

    // For `boatswain why` (description.cc). What is known of every container: read, held, passed over; and of the last
    // ones that are gone.
    std::vector<Description> describe_all() const;
    // Of the container with that id, else of those with that name, else of those whose id begins so. A container that
    // is gone is found only when none that is there answers.
    std::vector<Description> describe(std::string_view id_or_name) const;
    static constexpr std::size_t departed_max = 256;  // containers that are gone and remembered

  private:
    enum class Reader { none, json_file, logs, attach };
    struct Container {
        engine::ContainerFacts facts;
        Reader reader = Reader::none;
        std::string why;  // why this reader, or why none
        tenancy::Decision::Action action = tenancy::Decision::Action::hold;
        Attribution whose;
        std::string reason;                         // of the action
        std::optional<std::uint64_t> lines_before;  // what the first feed began with: lines of earlier runs
        bool departed = false;                      // remembered as gone
        bool soon = false;                          // held for a moment only
        std::optional<int> exit_code;               // of its last run, when that is over and the engine has said
        bool closing = false;                       // read to its end; how it ended is waited for
        std::shared_ptr<Life> life;                 // also owned by the coroutine that reads it
        std::shared_ptr<LogsReader> logs;           // likewise
        std::shared_ptr<AttachReader> attach;
    };

    struct Skipped {  // not read, and not to be read
        std::string name, image, log_driver;
        Timestamp created{};
        bool running = false;
        bool own = false;
        std::string reason;
    };
    static std::string_view reader_name(Reader reader);

    // Discovery through the engine.
    boost::asio::awaitable<void> follow_engine();
    boost::asio::awaitable<Result<void>> one_session();
    boost::asio::awaitable<void> reconcile();
    boost::asio::awaitable<void> inspect_and_adopt(std::string id);
    void take_event(const engine::Event& event);
    void watch_directory(const std::string& engine_root);

    // News of the containers directory.
    void container_appeared(const std::string& id) override;
    void files_born(const std::string& id, unsigned births) override;
    void log_grew(const std::string& id) override;
    void container_vanished(const std::string& id) override;
    void news_lost() override;
    void adopt_from_directory(const std::string& id);
    void scan_directory();
    boost::asio::awaitable<void> scan_now_and_then();

    // What is read, and how.
    void adopt(engine::ContainerFacts facts);
    void start_reading(const std::string& id, Container& container);
    std::pair<Reader, std::string> reader_for(const engine::ContainerFacts& facts) const;
    std::unique_ptr<batch::Feed> open_feed(const Container& container, const Assignment& assignment,
                                           const Checkpoint& start);
    std::unique_ptr<JsonFileReader> file_reader(const std::string& id, const Checkpoint& start);
    Path log_path(const std::string& id) const;
    void set_running(Container& container, bool running);
    void removed(const std::string& id);
    boost::asio::awaitable<void> close_when_told(std::string id, std::shared_ptr<Life> life);
    void close_source(const std::string& id);
    void drop(const std::string& id);
    bool is_gone(const std::string& id) const;
    void count();

    // What is told of them.
    Description describe_one(const Container& container) const;
    void describe_verdict(const Container& container, Description& description) const;
    static Description describe_skipped(const std::string& id, const Skipped& skipped);
    static Description describe_uninspected(const std::string& id, const Trouble& trouble);
    const batch::Feed* feed_of(const Container& container) const;
    void depart(const std::string& id);

    boost::asio::any_io_executor executor_;
    const Options options_;
    engine::Client& client_;
    Assigner assigner_;
    batch::Batcher& batcher_;
    spool::Spool& spool_;
    const Clock& clock_;
    Metrics& metrics_;
    Log& log_;
    StreamCounters stream_counters_;
    Counter& reconnects_;

    Path containers_directory_;  // empty: not to be read from here
    std::unique_ptr<DirectoryWatch> watch_;
    FilePump pump_;
    net::TaskGroup tasks_;    // as long as the intake: pump, watch, engine
    net::TaskGroup session_;  // of one connection to the engine
    net::TaskGroup readers_;  // LogsReader and AttachReader
    std::map<std::string, Container> containers_;
    std::map<std::string, Skipped> skipped_;      // by id
    std::map<std::string, Trouble> uninspected_;  // by id: why nothing is known of it
    std::deque<Description> departed_;            // oldest first
    std::deque<std::string>
        gone_;  // dropped last, newest at the end: events that are told again say nothing new of them
    // By id: what events said meanwhile about its running. The engine's answer may be older than they are.
    std::map<std::string, std::optional<bool>> inspecting_;
    std::optional<Timestamp> last_event_;
    bool connected_ = false;
    bool finishing_ = false;
    std::string engine_trouble_;
};

}  // namespace boatswain::intake::docker
