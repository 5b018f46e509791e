// The table of containers: what is there, whose it is, which way each is read, and how it ends.
//
// Discovery (discovery.h) and the directory's news (directory_news.h) tell what they see; what comes twice, or late,
// does no harm. Here it is decided:
//
//   adopt        a container is there: it gets its assignment and, once and for all, its reader (reader_for)
//   set_running  it started, it stopped
//   vanished     it is removed: what is read is read to its end first, then closed with what the engine said of its end
//   reassign     the keyring or the rules changed, or more is known of a container that was held for a moment
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "engine/client.h"
#include "intake/docker/directory_watch.h"
#include "intake/docker/log_driver_hooks.h"
#include "intake/docker/log_layout.h"
#include "intake/docker/selection.h"
#include "intake/engine_logs/attach_reader.h"
#include "intake/engine_logs/container_state.h"
#include "intake/engine_logs/logs_reader.h"
#include "intake/engine_logs/suspects.h"
#include "intake/log_file/file_pump.h"
#include "intake/source/assigner.h"
#include "intake/source/description.h"
#include "intake/source/reading_status.h"
#include "net/task_group.h"
#include "spool/spool.h"

namespace boatswain::intake::docker {

// What rules which containers are read, beside their tenancy.
struct ReadPolicy {
    bool attach =
        false;  // attach to containers that nothing else can read; one may ask for it with label boatswain.attach=true
    Selection selection;
    std::vector<std::string> own_ids;  // containers that this process runs in
    LogDriverHooks elsewhere;          // containers of our own log driver
    std::string engine_id;             // of the engine that is meant; empty: the first that answered
    // Of containers that had started before this agent's first start on this host, and of which nothing was read yet,
    // what was printed earlier is passed over: before that start, or so long before it (zero: nothing is).
    bool from_first_start = false;
    Nanoseconds age_max{};
};

class Containers {
  public:
    Containers(boost::asio::any_io_executor executor, ReadPolicy terms, engine::Client& client,
               const Assigner& assigner, batch::Batcher& batcher, spool::Spool& spool, const Clock& clock,
               Metrics& metrics, Log& log);
    ~Containers();
    Containers(const Containers&) = delete;
    Containers& operator=(const Containers&) = delete;

    // Which engine it is, and where it says that its logs are: told before anything of its containers.
    void engine_met(const LogLayout& layout);
    const LogLayout& layout() const { return layout_; }
    // From now on logs are read from the engine's containers directory, where that is how they are kept. Told again
    // when another directory is under that name. What was read through the engine goes on in its files.
    void read_files_of(const LogLayout& layout, DirectoryWatch& watch);
    boost::asio::awaitable<void> read_files();  // runs until cancelled
    boost::asio::awaitable<void> end_readers();

    // What discovery tells.
    void adopt(engine::ContainerFacts facts);
    void started(const std::string& id, Timestamp when);
    void died(const std::string& id, std::optional<int> exit_code);
    // What died() said of one that was not known then.
    void ended_with(const std::string& id, int exit_code);
    void vanished(const std::string& id);
    // Of those that were known `before` the engine was asked who is `there`: who is not, and is not known to be gone.
    std::vector<std::string> missing(const std::set<std::string>& there, const std::vector<std::string>& before) const;
    // Whether the directory of its log is still there; nothing where that cannot be seen from here.
    std::optional<bool> has_directory(const std::string& id) const;
    // It was there, and nothing was learned of it; with Remedy::re_resolve nothing will be.
    void missed(const std::string& id, const Error& error);
    // `there` is every container that the engine has: those that were read before this agent started, and are not
    // there. None any more once removed_are_told().
    std::vector<spool::SourceCheckpoint> removed_while_away(const std::set<std::string>& there) const;
    // They are gone: their tenants are told. `ran_once_more`: those of which more is missing than was known.
    void tell_of_the_removed(const std::vector<spool::SourceCheckpoint>& removed,
                             const std::set<std::string>& ran_once_more);
    void removed_are_told() { told_of_the_removed_ = true; }
    bool are_removed_told() const { return told_of_the_removed_; }
    void learned(const std::string& id) { uninspected_.erase(id); }
    // It was missed before, or our own log driver reads it: no news, though the engine does not describe it.
    bool is_known_of(const std::string& id) const {
        return uninspected_.contains(id) || (read_policy_.elsewhere.reads && read_policy_.elsewhere.reads(id));
    }
    const ReadPolicy& terms() const { return read_policy_; }
    void engine_followed(bool followed);  // it will say how containers ended

    bool contains(const std::string& id) const { return containers_.contains(id); }  // it is, or is to be, read
    bool knows(const std::string& id) const { return contains(id) || skipped_.contains(id); }
    bool is_gone(const std::string& id) const;  // dropped recently: what comes again of it is no news
    std::vector<std::string> ids() const;
    // Nothing is to be learned of it: it is known, and runs, or does not, as the engine's list says; or it is gone.
    bool stands_as(const engine::ContainerSummary& summary) const;

    // What the directory tells of a log.
    Path log_path(const std::string& id) const { return layout_.log_of(id); }
    // Holds open the log of a container of which nothing is known yet: adopt() says whose it is, missed() that nobody
    // will. False: there is none, or none is read from here.
    bool hold(const std::string& id);
    bool was_read_before(const std::string& id) const { return spool_.checkpoint(id).has_value(); }
    std::vector<std::string> held_unknown() const { return {held_unknown_.begin(), held_unknown_.end()}; }
    void births_lost() { pump_.notice_births_lost(); }
    void files_born(const std::string& id, unsigned births, bool all) { pump_.notice_births(id, births, all); }
    void log_grew(const std::string& id) { pump_.touch(id); }
    void look_at_all_logs() { pump_.touch_all(); }

    void reassign();                                     // the keyring or the rules changed
    void reassign(const std::vector<std::string>& ids);  // more is known of these; others are not touched
    void forget_words();  // of no container is known what rules read now: adopt() brings it, and assigns it again
    void progressed();    // the batcher gave memory back
    void put_down();      // long lines that are not complete become pieces, where memory is wanted
    // When no reader runs any more: reads what the logs on disk still hold, and closes all feeds.
    void finish(std::chrono::steady_clock::time_point deadline);

    // For those who watch (standing.cc).
    ReadingStatus standing() const;
    std::map<std::string, TenantLag> lag_by_tenant() const;

    // For `boatswain why` (description.cc); as DockerIntake says.
    std::vector<Description> describe_all() const;
    static constexpr std::size_t departed_max = 256;    // containers that are gone and remembered
    static constexpr std::size_t former_names_max = 8;  // of one container, remembered

  private:
    enum class Reader { none, json_file, k8s_file, logs, attach, driver };
    static bool reads_files(Reader reader) { return reader == Reader::json_file || reader == Reader::k8s_file; }
    struct Container {
        engine::ContainerFacts facts;           // as they were when it was found: what rules go by
        std::string name;                       // as it is called now
        std::vector<std::string> former_names;  // the latest last, former_names_max of them
        Reader reader = Reader::none;
        std::string why;  // why this reader, or why none
        tenancy::Decision::Action action = tenancy::Decision::Action::hold;
        Attribution whose;
        tenancy::Lack lack = tenancy::Lack::none;            // of the action
        std::string reason;                                  // likewise
        std::shared_ptr<const tenancy::CarriedKey> carried;  // Assignment::carried
        std::shared_ptr<const void> place;                   // Assignment::place
        std::optional<std::uint64_t> lines_before;           // what the first feed began with: lines of earlier runs
        bool departed = false;                               // remembered as gone
        bool soon = false;                                   // held for a moment only
        bool words_forgotten = false;                        // its facts lack words that rules read
        std::optional<int> exit_code;          // of its last run, when that is over and the engine has said
        std::optional<bool> ended;             // what the spool was told last of its having ended
        bool closing = false;                  // read to its end; how it ended is waited for
        std::shared_ptr<ContainerState> life;  // also owned by the coroutine that reads it
        std::shared_ptr<LogsReader> logs;      // likewise
        bool to_files = false;                 // that reader is being ended, so that the files are read
        std::shared_ptr<AttachReader> attach;
        batch::Charge charge;  // for all of this
    };

    struct Skipped {  // not read, and not to be read
        std::string name, image, log_driver;
        Timestamp created{};
        bool running = false;
        bool own = false;
        std::string reason;
    };
    static std::string_view excluded_by(const Skipped& skipped);
    static std::string_view reader_name(Reader reader);
    static std::size_t cost_of(const Container& container);

    // What is read, and how (containers.cc, reading.cc).
    void skip(engine::ContainerFacts facts, std::string reason);
    struct Exclusion {
        std::optional<std::string> against;  // why it is not read
        std::optional<Starter> open;         // not to be said yet: whose word a label is
    };
    Exclusion exclusion_of(const engine::ContainerFacts& facts) const;
    // What becomes of its lines; held while it may yet be excluded.
    Assignment assignment_of(const engine::ContainerFacts& facts) const;
    bool exclude_late(const std::string& id, Container& container);
    void start_reading(const std::string& id, Container& container);
    std::pair<Reader, std::string> reader_for(const engine::ContainerFacts& facts) const;
    std::pair<Reader, std::string> podman_reader_for(const engine::ContainerFacts& facts) const;
    std::unique_ptr<batch::Feed> open_feed(const Container& container, const Assignment& assignment,
                                           const Checkpoint& start);
    void read_through_engine(const std::string& id, Container& container, std::unique_ptr<batch::Feed> feed,
                             const TimePosition& from);
    static boost::asio::awaitable<void> run_logs_reader(std::shared_ptr<LogsReader> reader,
                                                        std::shared_ptr<ContainerState> life, std::string id,
                                                        Containers& of);
    void leave_the_engine(const std::string& id, Container& container);
    void go_on_in_files(const std::string& id);
    // Where it stands in its files, if it was read through the engine before.
    bool find_in_files(const Container& container, Position& position) const;
    void read_from_files(const std::string& id, const Container& container, std::unique_ptr<batch::Feed> feed,
                         const Checkpoint& start);
    std::unique_ptr<LogFileReader> file_reader(const std::string& id, const Checkpoint& start, bool watched);
    void let_go_of(const std::string& id);
    std::optional<LogBirth> log_birth(const engine::ContainerFacts& facts) const;
    std::optional<Timestamp> passed_over_until(const engine::ContainerFacts& facts) const;
    void assign_anew(const std::string& id, Container& container);
    void give_up(const std::string& id, const Assignment& assignment);
    void progress(const std::string& id, Container& container);  // it may be read again
    void rename(const std::string& id, Container& container, const std::string& name);
    void change_feed(const std::string& id, Container& container, std::unique_ptr<batch::Feed> next);
    // Takes the decision over; whether it differs from what was decided before, in words or in deed.
    static bool take(const Assignment& assignment, Container& container);
    void learn_words(const std::string& id, Container& container, engine::ContainerFacts facts);
    void set_running(Container& container, bool running);
    void note_ended(const std::string& id, bool ended);
    void count() const;
    Counter& unread_counter(tenancy::Decision::Action action);
    Counter& missed_counter();
    Counter& misread_labels_counter(std::string_view label);
    void tell_of_labels(const engine::ContainerFacts& facts);

    // How it ends (removal.cc).
    void read_to_its_end(const std::string& id);
    boost::asio::awaitable<void> close_when_told(std::string id, std::shared_ptr<ContainerState> life);
    void close_source(const std::string& id);
    void drop(const std::string& id);
    void depart(const std::string& id);

    // Descriptions of them (description.cc).
    Description describe_one(const Container& container) const;
    void describe_verdict(const Container& container, Description& description) const;
    static Description describe_skipped(const std::string& id, const Skipped& skipped);
    static Description describe_uninspected(const std::string& id, const LastError& trouble);
    const batch::Feed* feed_of(const Container& container) const;

    boost::asio::any_io_executor executor_;
    const ReadPolicy read_policy_;
    engine::Client& client_;
    const Assigner& assigner_;
    batch::Batcher& batcher_;
    spool::Spool& spool_;
    const Clock& clock_;
    Metrics& metrics_;
    Log& log_;
    StreamCounters stream_counters_;
    Suspects suspects_;

    LogLayout layout_;
    Path directory_;                   // empty: not to be read from here
    DirectoryWatch* watch_ = nullptr;  // with directory_
    FilePump pump_;
    net::TaskGroup readers_;  // LogsReader and AttachReader
    std::map<std::string, Container> containers_;
    std::set<std::string> held_unknown_;            // logs that are held open, and of which nothing is known yet
    std::map<std::string, Skipped> skipped_;        // by id
    std::map<std::string, LastError> uninspected_;  // by id: why nothing is known of it
    std::deque<Description> departed_;              // oldest first
    std::deque<std::string>
        gone_;  // dropped last, newest at the end: events that are told again say nothing new of them
    std::set<std::string> told_of_;  // that were removed while no agent ran
    bool told_of_the_removed_ = false;
    bool engine_followed_ = false;
    bool finishing_ = false;
};

}  // namespace boatswain::intake::docker
