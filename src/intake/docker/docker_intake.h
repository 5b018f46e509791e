// The Docker intake: finds every container of one engine, learns whose it is, and has it read.
//
//   news                                     what is done
//   a new directory or log file (inotify)    its log is opened at once; its facts come from config.v2.json beside it,
//                                            so that a container is read that is gone before inspect answers
//                                            (directory_news.h)
//   the engine's events, and its list        inspect; readers through the engine start; ends and removals are noted
//                                            (discovery.h)
//   the keyring changed                      every container's lines are assigned again (containers.h)
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "engine/client.h"
#include "intake/docker/containers.h"
#include "intake/docker/directory_news.h"
#include "intake/docker/discovery.h"
#include "intake/source/assigner.h"
#include "intake/source/intake.h"
#include "net/task_group.h"
#include "spool/spool.h"

namespace boatswain::intake::docker {

struct Options {
    Path root;  // the engine's data directory as we see it; empty: as the engine says
    ReadPolicy terms;
};

// A socket that leads nowhere for so long is a reason to start again: a mount is made at the start.
inline constexpr std::chrono::minutes stale_socket_after{2};

struct EngineState {
    bool connected = false;
    std::string trouble;              // of the connection
    std::string other_engine;         // a sentence, while another engine answers than the one that is known
    Nanoseconds stale_for{};          // Discovery::stale_for
    std::string directory_trouble;    // DirectoryNews::trouble
    bool needs_directory = false;     // nothing is read without it
    bool directory_too_late = false;  // DirectoryNews::came_too_late
};
IntakeHealth health_of(const EngineState& state, ReadingStatus reading, std::vector<std::string> ended_tasks);

class DockerIntake final : public Intake {
  public:
    DockerIntake(boost::asio::any_io_executor executor, Options options, engine::Client& client, Assigner assigner,
                 batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log);
    DockerIntake(const DockerIntake&) = delete;
    DockerIntake& operator=(const DockerIntake&) = delete;

    std::string_view name() const override { return "docker intake"; }
    boost::asio::awaitable<void> run() override;
    void finish(std::chrono::steady_clock::time_point deadline) override { containers_.finish(deadline); }

    void reassign() override { containers_.reassign(); }
    void reassign(const std::vector<std::string>& ids) override { containers_.reassign(ids); }
    // Until the engine has answered about a container, its assignment stays.
    void learn_again() override;
    void progressed() override { containers_.progressed(); }
    void put_down() override { containers_.put_down(); }

    IntakeHealth health() const override;
    std::map<std::string, TenantLag> lag_by_tenant() const override { return containers_.lag_by_tenant(); }
    std::vector<Description> describe_all() const override { return containers_.describe_all(); }

  private:
    const Path root_;
    const Assigner assigner_;
    Containers containers_;
    DirectoryNews news_;
    net::TaskGroup tasks_;  // as long as the intake: files, directory, engine
    Discovery discovery_;
};

}  // namespace boatswain::intake::docker
