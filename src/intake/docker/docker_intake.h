// The Docker intake: finds every container of one engine, learns whose it is, and has it read.
//
//   news                                     what is done
//   the containers directory shows a new     its log is opened at once; its facts come from config.v2.json beside the
//   log, directory or log file (inotify)     log, so that a container that is gone before inspect answers is read all
//                                            the same (directory_news.h)
//   the engine's events, and its list        inspect; readers through the engine start; ends and removals are noted
//                                            (discovery.h)
//   the keyring changed                      every container's lines are assigned anew (containers.h)
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
#include "net/task_group.h"
#include "spool/spool.h"

namespace boatswain::intake::docker {

struct Options {
    Path root;  // the engine's data directory as we see it; empty: as the engine says
    Terms terms;
};

class DockerIntake {
  public:
    DockerIntake(boost::asio::any_io_executor executor, Options options, engine::Client& client, Assigner assigner,
                 batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log);
    DockerIntake(const DockerIntake&) = delete;
    DockerIntake& operator=(const DockerIntake&) = delete;

    // Finds and reads until cancelled; then everything it started has ended.
    boost::asio::awaitable<void> run();

    void reassign() { containers_.reassign(); }  // the keyring or the rules changed
    void reassign(const std::vector<std::string>& ids) { containers_.reassign(ids); }  // more is known of these
    // Rules read words of containers that were not kept: the engine is asked again. Until it has answered about a
    // container, its assignment stays.
    void learn_again();
    void progressed() { containers_.progressed(); }  // the batcher gave memory back
    void put_down() { containers_.put_down(); }      // a few times a second: Feed::should_put_down
    // After run(): reads what the logs on disk still hold, and closes all feeds.
    void finish(std::chrono::steady_clock::time_point deadline) { containers_.finish(deadline); }

    // For /healthz, /readyz and /metrics: whether the engine answers, what is read, and how far reading is behind.
    struct Health {
        bool engine_connected = false;
        std::string engine_trouble;
        std::string other_engine;  // a sentence, while another engine answers than the one whose containers are known
        Nanoseconds stale_for{};   // Discovery::stale_for
        std::string directory_trouble;    // DirectoryNews::trouble
        bool directory_too_late = false;  // DirectoryNews::came_too_late
        Standing reading;
        std::vector<std::string> ended_tasks;  // of those that have to run for ever: nothing brings them back
    };
    Health health() const;
    std::map<std::string, TenantLag> lag_by_tenant() const { return containers_.lag_by_tenant(); }

    // For `boatswain why`. What is known of every container: read, held, passed over; and of the last ones that are
    // gone.
    std::vector<Description> describe_all() const { return containers_.describe_all(); }
    // Of the container with that id, else of those with that name, else of those whose id begins so. A container that
    // is gone is found only when none that is there answers.
    std::vector<Description> describe(std::string_view id_or_name) const { return containers_.describe(id_or_name); }

  private:
    const Path root_;
    const Assigner assigner_;
    Containers containers_;
    DirectoryNews news_;
    net::TaskGroup tasks_;  // as long as the intake: files, directory, engine
    Discovery discovery_;
};

}  // namespace boatswain::intake::docker
