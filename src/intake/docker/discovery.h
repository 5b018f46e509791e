// Discovery through the engine: who is there, who started, ended, is gone.
//
// Events are subscribed to first, then all containers are listed and inspected, then both are reconciled: what happens
// between a list and a subscription would be missed the other way round. When the stream of events breaks, the same
// again with back-off, for ever.
//
// Nobody is taken for removed by a list alone: the directory of the log must be gone, too, or the engine must say 404
// of that id; a list on which more than half of the known containers are missing is asked for a second time; and while
// another engine answers than before (known_engine.h) nobody is. An event that cannot be read breaks no stream: the
// list is asked for soon instead.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "engine/client.h"
#include "intake/docker/containers.h"
#include "intake/docker/directory_news.h"
#include "intake/docker/known_engine.h"
#include "intake/source/assigner.h"
#include "net/task.h"
#include "net/task_group.h"

namespace boatswain::intake::docker {

// The engine passes over a subscriber to its events that does not read for 100 ms (measured), and says nothing of it:
// so its list is looked at again in this rhythm.
inline constexpr std::chrono::milliseconds list_pause{60'000};
// The list is asked for at most in this rhythm when events could not be read.
inline constexpr std::chrono::milliseconds list_soon_pause{1'000};

class Discovery {
  public:
    // `tasks` is where the directory's news go, should the engine have to say first where its directory is.
    Discovery(boost::asio::any_io_executor executor, Path root, engine::Client& client, const Assigner& assigner,
              Containers& containers, DirectoryNews& news, net::TaskGroup& tasks, spool::Spool& spool,
              const Clock& clock, Metrics& metrics, Log& log,
              std::chrono::milliseconds pause_between_lists = list_pause);
    Discovery(const Discovery&) = delete;
    Discovery& operator=(const Discovery&) = delete;

    boost::asio::awaitable<void> run();  // until cancelled
    // Every container is inspected again; where the engine is not followed, when it is again.
    void list_again();
    boost::asio::awaitable<void> end();  // after that: what run() started has ended

    bool connected() const { return connected_; }
    const std::string& trouble() const { return last_error_; }  // of the last connection, while there is none
    // For how long the socket leads nowhere, and will for ever (engine::stale_socket).
    Nanoseconds stale_for() const;
    const std::string& other_engine() const { return known_engine_.trouble(); }

  private:
    boost::asio::awaitable<Result<void>> one_session();
    boost::asio::awaitable<void> reconcile();
    boost::asio::awaitable<void> list_now_and_then();
    net::Task<engine::ContainerList> list();
    std::vector<std::string> all_missing(const engine::ContainerList& list,
                                         const std::vector<std::string>& before) const;
    boost::asio::awaitable<std::size_t> take_removals(const engine::ContainerList& list,
                                                      std::vector<std::string> before);
    boost::asio::awaitable<void> tell_of_the_removed(const engine::ContainerList& list);
    boost::asio::awaitable<bool> is_surely_gone(std::string id);
    boost::asio::awaitable<void> inspect_when_there_is_room(std::string id);
    net::Task<std::set<std::string>> ran_once_more(const std::vector<spool::SourceCheckpoint>& of);
    boost::asio::awaitable<void> inspect_and_adopt(std::string id);
    void inspect(const std::string& id);
    void take_event(const engine::Event& event);
    void miss_event(const Error& error);
    void set_connected(bool connected);
    void note_staleness(const Result<void>& ended);

    const Path root_;  // empty: as the engine says
    engine::Client& client_;
    const Assigner& assigner_;
    Containers& containers_;
    DirectoryNews& news_;
    net::TaskGroup& tasks_;
    const Clock& clock_;
    Log& log_;
    Counter& reconnects_;
    Counter& untold_;
    Counter& shortened_events_;
    Counter& unread_events_;
    Counter& doubted_;
    KnownEngine known_engine_;
    std::set<std::string> known_ids_;  // of the known engine's containers
    const std::chrono::milliseconds list_pause_;
    net::TaskGroup session_;            // of one connection to the engine
    net::Event list_soon_;              // something was missed
    bool told_of_long_events_ = false;  // in this session
    // What events said while the engine was asked. Its answer may be older than they are.
    struct PendingInspect {
        std::optional<bool> running;
        std::optional<int> exit_code;
        bool destroyed = false;
    };
    std::map<std::string, PendingInspect> inspecting_;  // by id
    std::optional<Timestamp> last_event_;
    bool told_of_newer_ = false;
    bool connected_ = false;
    bool telling_ = false;  // of containers that were removed while no agent ran
    std::string last_error_;
    std::optional<std::chrono::steady_clock::time_point> stale_since_;
};

}  // namespace boatswain::intake::docker
