// The CRI intake: reads what a kubelet's containers print, whatever runtime runs them (containerd, CRI-O), from the
// files that the runtime writes. It asks nobody: no socket, no token. A log's path says which pod and container it is
// of (pod_log.h), and rules read that as labels.
//
//   a log appears          it is opened at once; rules and keyring say whose it is
//   it grows               it is read
//   a file is born         it was rotated: what was read goes on in the new one
//   a later run appears    the container was started again: what is pending of the run before is settled
//   its directory is gone  the pod was deleted: the log is read to its end, and its closing record is written
//
// Where an API server is named (Options::api), its watch says what labels and annotations a pod has. A log waits for
// them, held open and unread. They are those of the moment in which the log was assigned first, whatever its pod is
// called afterwards. Likewise for variables, where containerd's tasks are named (Options::tasks). Where the server answers and knows no such pod, they are not known: no rule that reads them gives
// way to a weaker one (tenancy/pod_words.h).
//
// The pods directory may come late, or go and come back: nothing is taken for removed while it cannot be read, or holds
// no pod at all. Belongs to the I/O thread.
#pragma once

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
#include "intake/cri/pods_watch.h"
#include "intake/cri/tasks_watch.h"
#include "intake/log_file/file_pump.h"
#include "intake/pod_watch/api_watch.h"
#include "intake/pod_watch/known_pods.h"
#include "intake/source/assigner.h"
#include "intake/source/intake.h"
#include "net/task_group.h"
#include "spool/spool.h"

namespace boatswain::intake::cri {

struct Options {
    Path pods = "/var/log/pods";
    std::set<std::string> excluded_namespaces;
    std::set<std::string> own_pods;      // uids of the pods that this process runs in: an agent never reads its own log
    std::optional<ApiWatchOptions> api;  // nothing: labels and annotations are asked of nobody
    Path tasks{};                        // containerd's, which say containers' variables; empty: nobody does
    // How long a log waits for its pod's words before its waiting is told, and, where the server answers, ends.
    std::chrono::milliseconds words_wait{30'000};
    std::chrono::milliseconds written_on_max{
        1'000};  // LogTerms::written_on_max: 18 ms were measured, on a busy machine
};

// Runs of containers that are known at a time; what is beyond is not read, and /readyz says so.
inline constexpr std::size_t containers_max = 20'000;
inline constexpr std::size_t departed_max = 256;  // that are gone and remembered

class CriIntake final : public Intake, private PodsListener {
  public:
    CriIntake(boost::asio::any_io_executor executor, Options options, Assigner assigner, batch::Batcher& batcher,
              spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log);
    CriIntake(const CriIntake&) = delete;
    CriIntake& operator=(const CriIntake&) = delete;
    ~CriIntake() override;

    std::string_view name() const override { return "cri intake"; }
    boost::asio::awaitable<void> run() override;
    void finish(std::chrono::steady_clock::time_point deadline) override;
    void reassign() override;
    void reassign(const std::vector<std::string>& ids) override;
    void learn_again() override;
    void progressed() override { pump_.progressed(); }
    void put_down() override { pump_.put_down(); }
    IntakeHealth health() const override;
    std::map<std::string, TenantLag> lag_by_tenant() const override;
    std::vector<Description> describe_all() const override;

  private:
    // What is known of its pod's labels and annotations, or of its variables.
    enum class Words {
        unasked,     // there is no server to ask
        waited_for,  // nothing yet
        known,
        stale,    // rules read others since: used until they are said again
        missing,  // the server knows no such pod, containerd no such task
    };
    struct Container {  // one run of one
        PodLog log;
        SourceFacts facts;
        Timestamp created{};  // of its log, as far as the file system tells
        Assignment assignment;
        std::chrono::steady_clock::time_point found;
        Words words = Words::unasked, environment = Words::unasked;
        std::shared_ptr<const spool::ResumeRecord> before;  // of an earlier agent, where `environment` is missing
        std::uint64_t lines_before = 0;                     // of earlier runs of the agent
        bool running = true;
        bool removed = false;
        std::optional<bool> ended;  // what the spool was told last of its having ended
        batch::Charge charge;
    };

    void log_appeared(const PodLog& log) override;
    void log_born(const PodLog& log, unsigned births) override;
    void log_grew(const PodLog& log) override { pump_.touch(log.id()); }
    void log_closed(const PodLog& log) override { pump_.tell_when_read(log.id()); }
    void log_deleted(const PodLog& log) override;
    void logs_vanished(const Pod& pod, const std::string& container) override;
    void news_lost() override;

    boost::asio::awaitable<void> find();
    void look();
    boost::asio::awaitable<void> wait_for_next_look();
    void note_full();
    void forget_who_is_gone(const std::set<PodLog>& there);
    void record_who_went_while_away(const std::set<PodLog>& there);
    bool is_excluded(const Pod& pod) const;
    void assign(const std::string& id, Container& container);
    Assignment whose(Container& container);
    bool takes_lines(const Container& container) const;
    void start_reading(const std::string& id, Container& container);
    void assign_again(const std::string& id, Container& container);
    void log_assigned_again(const std::string& id, const Container& container);
    std::unique_ptr<batch::Feed> open_feed(const Container& container, const Checkpoint& start);
    std::unique_ptr<LogFileReader> make_reader(const Container& container, const Checkpoint& start);
    std::vector<std::string> ids_of(const Pod& pod, const std::string& container) const;
    void vanished(const std::string& id, Container& container);
    void give_up(const std::string& id, const Container& container);  // it is gone, and nobody may read it
    void read_to_its_end(const std::string& id);
    void note_ended(const std::string& id, bool ended);
    void drop(const std::string& id);
    Description describe(const Container& container) const;
    void count();

    // cri_words.cc
    boost::asio::awaitable<void> follow_api();
    void take_event(const ApiWatch::Taken& taken);
    void learn(const Pod& pod);
    void look_at_waiting();
    void tell_of_api(const ApiWatch::Standing& standing);
    void forget_pods();
    Assignment waiting(const Container& container) const;
    void use_words(Container& container, const KnownPods::Attributes& words);
    void prove(const ApiWatch::Taken& taken);
    bool is_missing(const Container& container) const;
    std::optional<std::string> api_health_trouble() const;
    bool is_overdue(const Container& container) const;

    // cri_tasks.cc
    boost::asio::awaitable<void> follow_tasks();
    bool open_tasks();
    void learn(const TasksWatch::ContainerOfPod& whose);
    void look_at_unknown();
    bool take_environment(Container& container);
    bool is_newest(const Container& container) const;
    Assignment waiting_for_task(const Container& container) const;
    static Assignment as_before(const spool::ResumeRecord& before);

    const boost::asio::any_io_executor executor_;
    const Options options_;
    const Assigner assigner_;
    batch::Batcher& batcher_;
    spool::Spool& spool_;
    const Clock& clock_;
    Metrics& metrics_;
    Log& log_;
    FilePump pump_;
    net::TaskGroup tasks_;
    std::unique_ptr<PodsWatch> watch_;
    std::unique_ptr<ApiWatch> api_;
    KnownPods known_pods_;
    batch::Charge known_charge_;
    std::uint64_t known_round_ = 0;
    std::uint64_t known_watch_ = 0;
    std::chrono::steady_clock::time_point watch_heard_;            // the first event of known_watch_
    std::optional<std::chrono::steady_clock::time_point> proven_;  // up to when all pods of known_round_ were said
    std::string api_trouble_;                                      // as it was told last, and since when there is one
    std::chrono::steady_clock::time_point api_trouble_since_;
    std::uint64_t events_not_understood_ = 0;
    std::unique_ptr<TasksWatch> tasks_watch_;
    std::string tasks_trouble_;                     // why the tasks' directory cannot be read; empty: it can
    std::map<std::string, Container> containers_;   // by PodLog::id()
    std::deque<Description> departed_;              // oldest first
    std::string last_error_ = "not looked at yet";  // why the pods directory cannot be read; empty: it can
    unsigned empty_looks_ = 0;                      // in a row
    std::set<std::string> dropped_early_;           // ids that this process was done with before it told of those
    bool told_of_the_gone_ = false;                 // of those that went while no agent ran
    bool full_ = false;                             // a bound was reached at the last look
    bool logged_full_ = false;
};

// From /proc: uids of the pods that this process runs in, by what the kubelet mounts into each container.
std::set<std::string> own_pods();
// The same from the text of a mountinfo (proc(5)).
std::set<std::string> pods_in_mountinfo(std::string_view mountinfo);

}  // namespace boatswain::intake::cri
