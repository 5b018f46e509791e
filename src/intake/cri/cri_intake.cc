#include "intake/cri/cri_intake.h"

#include <algorithm>

#include "base/file.h"
#include "intake/cri_file/cri_line.h"
#include "intake/rotation/log_files.h"
#include "intake/source/removed_while_away.h"
#include "intake/source/source_feed.h"
#include "net/event.h"
#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

namespace asio = boost::asio;
using Action = tenancy::Decision::Action;

constexpr std::chrono::milliseconds retry_pause{1'000};
constexpr std::chrono::milliseconds look_pause{10'000};
// The same where the kernel tells all that happens: what a fault of ours, or a file system that tells not everything,
// hides is found so late. To look at a thousand quiet pods costs more than all else that is done for them.
constexpr std::chrono::minutes look_pause_complete{5};
// A pods directory without a single pod is believed after so many looks: it may not be mounted yet.
constexpr unsigned empty_looks_min = 3;
// What a container costs in memory: nodes of maps, a reader's own members, its words. An estimate.
constexpr std::size_t container_cost = 7U << 10;
constexpr std::size_t mountinfo_bytes_max = 4U << 20;

}  // namespace

CriIntake::CriIntake(asio::any_io_executor executor, Options options, Assigner assigner, batch::Batcher& batcher,
                     spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log)
    : executor_(executor),
      options_(std::move(options)),
      assigner_(std::move(assigner)),
      batcher_(batcher),
      spool_(spool),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      pump_(
          executor, "cri", clock, metrics, log, [this](const std::string& id) { read_to_its_end(id); },
          [this](const std::string& id) { note_ended(id, true); },
          [this](const std::string& id, const FilePosition& from) {
              batcher_.note_begun(*pump_.feed(id), from, containers_.at(id).created);
          },
          [this](const std::string& id) { batcher_.seal_soon(id); }),
      tasks_(executor, log) {}

CriIntake::~CriIntake() = default;

asio::awaitable<void> CriIntake::run() {
    tasks_.spawn("read pods' logs", pump_.run());
    tasks_.spawn("find pods", find());
    if (options_.api) {
        known_charge_ = batch::Charge::standing(batcher_.budget(), 0);
        api_ = std::make_unique<ApiWatch>(executor_, *options_.api);
        tasks_.spawn("follow the API server", follow_api());
    }
    if (!options_.tasks.empty()) tasks_.spawn("follow tasks", follow_tasks());
    co_await tasks_.join_or_end();
}

// ---- What is there --------------------------------------------------------------------------------------------------

asio::awaitable<void> CriIntake::find() {
    while (!watch_) {
        auto opened = PodsWatch::open(executor_, options_.pods, *this);
        if (opened) {
            watch_ = std::move(*opened);
            break;
        }
        if (std::exchange(last_error_, opened.error().what) != opened.error().what)
            log_.warning("pods directory not read; trying again", {{"error", opened.error()}});
        co_await net::sleep_for(retry_pause);
    }
    tasks_.spawn("watch for pods' births", watch_->follow_births());
    tasks_.spawn("watch for pods' growth", watch_->follow_growth());
    for (;;) {
        look();
        co_await wait_for_next_look();
    }
}

asio::awaitable<void> CriIntake::wait_for_next_look() {
    if (!last_error_.empty()) co_return co_await net::sleep_for(retry_pause);
    auto next = clock_.steady() + look_pause_complete;
    do {
        co_await net::sleep_for(look_pause);
        forget_pods();
    } while (last_error_.empty() && empty_looks_ == 0 && watch_->is_complete() && clock_.steady() < next);
}

void CriIntake::look() {
    full_ = false;
    auto passed_over = watch_->passed_over();
    auto there = watch_->look();
    if (watch_->passed_over() > passed_over) note_full();
    metrics_.counter("boatswain_watch_failures_total", "Directories that inotify has no watch for; looked at by time")
        .raise_to(static_cast<double>(watch_->unwatched()));
    if (!there) {
        if (last_error_.empty()) log_.warning("pods directory not read", {{"directory", options_.pods.string()}});
        last_error_ = options_.pods.string() + " cannot be read";
        return;
    }
    if (!std::exchange(last_error_, {}).empty())
        log_.info("pods are followed", {{"directory", options_.pods.string()}, {"logs", there->size()}});
    empty_looks_ = there->empty() ? empty_looks_ + 1 : 0;
    if (!there->empty() || empty_looks_ >= empty_looks_min) {
        forget_who_is_gone(*there);
        record_who_went_while_away(*there);
    }
    pump_.touch_all();
}

// A log that somebody deleted beside others of its container is read on as long as its runtime holds it open; one of a
// former run is gone.
void CriIntake::forget_who_is_gone(const std::set<PodLog>& there) {
    std::vector<std::string> gone;
    for (const auto& [id, container] : containers_)
        if (!there.contains(container.log)) gone.push_back(id);
    for (const auto& id : gone) {
        auto found = containers_.find(id);
        if (found == containers_.end()) continue;
        const auto& log = found->second.log;
        std::error_code problem;
        bool has_directory = std::filesystem::exists(log.path(options_.pods).parent_path(), problem);
        if (!problem && (!has_directory || !found->second.running)) vanished(id, found->second);
    }
}

void CriIntake::record_who_went_while_away(const std::set<PodLog>& there) {
    if (std::exchange(told_of_the_gone_, true)) return;
    auto known = spool_.known_sources();
    if (!known) {
        log_.warning("checkpoints not read: pods that were deleted while no agent ran are not named",
                     {{"error", known.error()}});
        return;
    }
    std::set<std::string> ids;
    for (const auto& log : there) ids.insert(log.id());
    std::vector<std::string> gone;
    for (const auto& one : *known) {
        if (!one.known || one.known->source.kind != "cri" || ids.contains(one.id) || containers_.contains(one.id) ||
            dropped_early_.contains(one.id))
            continue;
        record_removed_while_away(one, false, batcher_, clock_, metrics_, log_);
        gone.push_back(one.id);
    }
    dropped_early_.clear();
    if (!gone.empty()) batcher_.forget_when_sealed(gone);
}

void CriIntake::note_full() {
    full_ = true;
    if (!std::exchange(logged_full_, true))
        log_.error("too many pods or containers: more are not read", {{"containers", containers_.size()}});
}

bool CriIntake::is_excluded(const Pod& pod) const {
    return options_.excluded_namespaces.contains(pod.space) || options_.own_pods.contains(pod.uid);
}

void CriIntake::log_appeared(const PodLog& log) {
    if (is_excluded(log.pod)) return;
    auto id = log.id();
    if (containers_.contains(id)) return;
    if (containers_.size() >= containers_max) {
        note_full();
        return;
    }
    // Opened before anything else is looked at: from now on the log can be removed, and is read all the same.
    auto held = open_log_file(log.path(options_.pods), options_.pods);
    auto& container = containers_[id];
    container.log = log;
    container.facts = log.facts();
    container.found = clock_.steady();
    if (options_.api) container.words = Words::waited_for;
    if (!options_.tasks.empty()) container.environment = Words::waited_for;
    container.created = (held ? (*held)->made() : std::nullopt).value_or(clock_.now());
    container.charge = batch::Charge::standing(batcher_.budget(), container_cost);
    // A run that was before has ended; and so has this one, where there is a later one.
    bool later = false;
    for (const auto& other : ids_of(log.pod, log.container)) {
        auto& its = containers_.at(other);
        later = later || its.log.run > log.run;
        if (its.log.run < log.run && std::exchange(its.running, false)) pump_.set_running(other, false);
    }
    container.running = !later;
    assign(id, container);
    count();
}

void CriIntake::log_born(const PodLog& log, unsigned births) {
    auto id = log.id();
    if (containers_.contains(id)) pump_.notice_births(id, births, false);
}

void CriIntake::logs_vanished(const Pod& pod, const std::string& container) {
    for (const auto& id : ids_of(pod, container))
        if (auto found = containers_.find(id); found != containers_.end()) vanished(id, found->second);
}

// Of a former run: a kubelet keeps but a few of them. What is written to is read on (forget_who_is_gone()).
void CriIntake::log_deleted(const PodLog& log) {
    auto id = log.id();
    auto found = containers_.find(id);
    if (found == containers_.end() || found->second.running) return;
    if (list_generations(log.path(options_.pods), options_.pods).empty()) vanished(id, found->second);
}

void CriIntake::news_lost() {
    metrics_.counter("boatswain_watch_overflows_total", "Times the kernel's queue of file events overflowed").add();
    look();
}

// ---- Whose it is ----------------------------------------------------------------------------------------------------

bool CriIntake::takes_lines(const Container& container) const {
    auto action = container.assignment.decision.action;
    return action == Action::seal || action == Action::quarantine;
}

void CriIntake::assign(const std::string& id, Container& container) {
    container.assignment = whose(container);
    const auto& assignment = container.assignment;
    log_.info("container found", {{"container", id},
                                  {"name", container.facts.name},
                                  {"tenant", assignment.whose.tenant.str()},
                                  {"app", assignment.whose.app},
                                  {"rule", assignment.whose.tenant_rule},
                                  {"action", tenancy::to_string(assignment.decision.action)},
                                  {"reason", assignment.decision.reason}});
    start_reading(id, container);
}

Assignment CriIntake::whose(Container& container) {
    if (container.words == Words::waited_for) {
        const auto* words = known_pods_.find(container.log.pod);
        if (!words) return waiting(container);
        use_words(container, *words);
    }
    if (container.environment == Words::waited_for && !take_environment(container)) return waiting_for_task(container);
    if (container.environment == Words::missing && container.before) return as_before(*container.before);
    return assigner_.assign(container.facts);
}

void CriIntake::start_reading(const std::string& id, Container& container) {
    auto start = spool_.checkpoint(id).value_or(Checkpoint{});
    if (!takes_lines(container)) {
        // Its log keeps the lines. What waits for a key is held open: it can be read when its pod is deleted meanwhile.
        if (container.removed && !container.assignment.soon) return give_up(id, container);
        if (container.assignment.decision.action != Action::hold || pump_.contains(id)) return;
        bool known = container.assignment.whose.tenant != TenantId::unassigned();
        pump_.park(id, known ? container.assignment.whose.tenant.str() : std::string{}, make_reader(container, start));
        return;
    }
    container.lines_before = start.lines;
    auto feed = open_feed(container, start);
    append_state_lost(*feed, spool_, start, container.created);
    if (pump_.contains(id))
        pump_.change_feed(id, std::move(feed));
    else
        pump_.add(id, make_reader(container, start), std::move(feed));
    if (container.running) note_ended(id, false);
    pump_.set_running(id, container.running);
    if (container.removed) pump_.notice_removal(id);
}

std::unique_ptr<batch::Feed> CriIntake::open_feed(const Container& container, const Checkpoint& start) {
    const auto& assignment = container.assignment;
    return batcher_.open_feed({.id = container.facts.id,
                               .kind = "cri",
                               .name = container.facts.name,
                               .image = {},
                               .reader = "cri",
                               .whose = assignment.whose,
                               .labels = assignment.labels},
                              assignment.decision.recipients, start, false);
}

std::unique_ptr<LogFileReader> CriIntake::make_reader(const Container& container, const Checkpoint& start) {
    const auto* position = std::get_if<FilePosition>(&start.position);
    return std::make_unique<LogFileReader>(
        cri_form, container.log.path(options_.pods), position ? std::optional{*position} : std::nullopt,
        LogTerms{.written_on_max = options_.written_on_max, .below = options_.pods}, clock_, pump_.counters(), log_);
}

// Of the pod's containers, or of that one alone.
std::vector<std::string> CriIntake::ids_of(const Pod& pod, const std::string& container) const {
    auto prefix = pod.uid + "/" + (container.empty() ? "" : container + "/");
    std::vector<std::string> ids;
    for (auto at = containers_.lower_bound(prefix); at != containers_.end() && at->first.starts_with(prefix); ++at)
        if (at->second.log.pod == pod) ids.push_back(at->first);
    return ids;
}

void CriIntake::reassign() {
    std::vector<std::string> ids;
    for (const auto& [id, container] : containers_) ids.push_back(id);
    reassign(ids);
}

void CriIntake::reassign(const std::vector<std::string>& ids) {
    for (const auto& id : ids)
        if (auto found = containers_.find(id); found != containers_.end()) assign_again(id, found->second);
}

void CriIntake::log_assigned_again(const std::string& id, const Container& container) {
    log_.info("container assigned again", {{"container", id},
                                           {"tenant", container.assignment.whose.tenant.str()},
                                           {"action", tenancy::to_string(container.assignment.decision.action)},
                                           {"reason", container.assignment.decision.reason}});
}

void CriIntake::assign_again(const std::string& id, Container& container) {
    auto fresh = whose(container);
    const auto* feed = pump_.feed(id);
    if (!feed) {
        bool acts = fresh.decision.action != container.assignment.decision.action;
        bool news = fresh.decision.action != container.assignment.decision.action ||
                    fresh.decision.reason != container.assignment.decision.reason;
        container.assignment = std::move(fresh);
        if (acts) log_assigned_again(id, container);
        if (news || takes_lines(container)) start_reading(id, container);
        return;
    }
    auto change = reassign_feed(*feed, fresh);
    if (change == Reassignment::none) return;
    bool stops = change == Reassignment::stop;
    if (stops && feed->is_held() && fresh.decision.reason == container.assignment.decision.reason) return;
    container.assignment = std::move(fresh);
    batcher_.hold(id, stops);
    log_assigned_again(id, container);
    if (change == Reassignment::new_feed) pump_.change_feed(id, open_feed(container, feed->handover()));
    pump_.touch(id);
    count();
}

// ---- How it ends ----------------------------------------------------------------------------------------------------

void CriIntake::vanished(const std::string& id, Container& container) {
    if (std::exchange(container.removed, true)) return;
    container.running = false;
    pump_.set_running(id, false);
    pump_.notice_removal(id);
    if (container.words == Words::waited_for || container.environment == Words::waited_for)
        container.assignment = whose(container);
    if (pump_.feed(id) || container.assignment.soon) return;  // read to its end first
    give_up(id, container);
}

void CriIntake::give_up(const std::string& id, const Container& container) {
    metrics_
        .counter("boatswain_containers_unread_total", "Containers that were removed and never read, by why",
                 {{"action", std::string{tenancy::to_string(container.assignment.decision.action)}}})
        .add();
    log_.warning("container removed unread",
                 {{"container", id}, {"name", container.facts.name}, {"reason", container.assignment.decision.reason}});
    drop(id);
}

// Where its lines are sealed already (log_closed()), the spool knows at once that nothing is missing, should this process
// be killed before the closing record is sealed.
void CriIntake::read_to_its_end(const std::string& id) {
    note_ended(id, true);
    batcher_.seal_soon(id);
    pump_.close(id, {.time = clock_.now(), .reason = end_removed});
    drop(id);
}

// Known after a restart, should its pod be deleted in between: whether there was more to come.
void CriIntake::note_ended(const std::string& id, bool ended) {
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    auto& noted = found->second.ended;
    if (noted.value_or(spool_.ended(id)) == ended) return;
    noted = ended;
    batcher_.note_ended(id, ended);
}

void CriIntake::drop(const std::string& id) {
    auto found = containers_.find(id);
    if (found != containers_.end()) {
        auto told = describe(found->second);
        told.removed = true;
        told.ended = clock_.now();
        told.lines_unsealed = told.open_frame_bytes = told.batch_lines = told.batch_bytes = 0;
        told.batch_age.reset();
        if (departed_.size() >= departed_max) departed_.pop_front();
        departed_.push_back(std::move(told));
        containers_.erase(found);
    }
    if (!told_of_the_gone_ && dropped_early_.size() < containers_max) dropped_early_.insert(id);
    pump_.remove(id);
    batcher_.hold(id, false);
    batcher_.forget_when_sealed(id);
    count();
}

void CriIntake::finish(std::chrono::steady_clock::time_point deadline) {
    pump_.read_rest(deadline);
    std::vector<std::string> ids;
    for (const auto& [id, container] : containers_) ids.push_back(id);
    for (const auto& id : ids) pump_.remove(id);
    containers_.clear();
}

// ---- For those who watch --------------------------------------------------------------------------------------------

IntakeHealth CriIntake::health() const {
    IntakeHealth health{.part = "pods",
                        .follows = last_error_.empty(),
                        .state = last_error_.empty() ? "followed" : "not followed: " + last_error_,
                        .troubles = {},
                        .restart_helps = {},
                        .detail = {},
                        .file_reader = "cri",
                        .reading = {.containers = containers_.size()},
                        .ended_tasks = tasks_.failed()};
    if (!health.follows) health.troubles.push_back("pods are not followed: " + last_error_);
    if (api_) health.detail.emplace("api_server", api_trouble_.empty() ? "followed" : api_trouble_);
    if (auto trouble = api_health_trouble()) health.troubles.push_back(*trouble);
    if (!options_.tasks.empty()) health.detail.emplace("tasks", tasks_trouble_.empty() ? "followed" : tasks_trouble_);
    if (!tasks_trouble_.empty()) health.troubles.push_back("variables of containers are not known: " + tasks_trouble_);
    if (full_)
        health.troubles.push_back("more than " + std::to_string(containers_max) + " containers, or " +
                                  std::to_string(entries_max) + " entries in one directory: the rest is not read");
    auto& reading = health.reading;
    auto lag = pump_.lag();
    reading.lag_bytes = lag.read_bytes + lag.parked_bytes;
    reading.held_lag_bytes = lag.parked_bytes;
    for (const auto& [id, container] : containers_) {
        const auto& decision = container.assignment.decision;
        if (decision.action == Action::hold && !container.assignment.soon) ++reading.held[decision.lack];
        if (takes_lines(container)) ++reading.reading;
    }
    for (const auto& id : pump_.unrested()) {
        auto one = pump_.lag(id);
        reading.lag_time = std::max(reading.lag_time, one.time);
        if (one.unread_for < stuck_after) continue;
        ++reading.stuck;
        const auto* reader = pump_.reader(id);
        reading.stuck_trouble =
            containers_.at(id).facts.name + ": " +
            (reader && reader->trouble() ? reader->trouble()->what : "no room for its lines: memory or spool is full");
    }
    return health;
}

std::map<std::string, TenantLag> CriIntake::lag_by_tenant() const {
    std::map<std::string, TenantLag> tenants;
    for (const auto& [id, container] : containers_) {
        if (!takes_lines(container)) continue;
        auto one = pump_.lag(id);
        tenants[container.assignment.whose.tenant.str()] += {.containers = 1, .bytes = one.bytes, .time = one.time};
    }
    return tenants;
}

Description CriIntake::describe(const Container& container) const {
    const auto& id = container.facts.id;
    Description told{.id = id,
                     .name = container.facts.name,
                     .log_driver = "cri",
                     .created = container.created,
                     .running = container.running,
                     .removed = container.removed,
                     .reader = takes_lines(container) ? "cri" : "none",
                     .reader_reason = "its log is a file below " + options_.pods.string()};
    describe_decision(container.assignment, told);
    if (const auto* reader = pump_.reader(id)) {
        told.file = reader->standing();
        told.last_error = reader->trouble();
    }
    if (const auto* feed = pump_.feed(id)) describe_feed(*feed, batcher_, spool_, container.lines_before, told);
    return told;
}

std::vector<Description> CriIntake::describe_all() const {
    std::vector<Description> all;
    for (const auto& [id, container] : containers_) all.push_back(describe(container));
    all.insert(all.end(), departed_.begin(), departed_.end());
    return all;
}

void CriIntake::count() {
    double reading = 0;
    for (const auto& [id, container] : containers_) reading += takes_lines(container) ? 1 : 0;
    metrics_.gauge("boatswain_containers", "Containers that are there, by how they are read", {{"reader", "cri"}})
        .set(reading);
}

// ---- Ourselves ------------------------------------------------------------------------------------------------------

std::set<std::string> pods_in_mountinfo(std::string_view mountinfo) {
    // ".../pods/UID/etc-hosts", as the fourth field has it: where in its file system the mount's root is.
    constexpr std::string_view before = "/pods/", after = "/etc-hosts ";
    std::set<std::string> found;
    for (auto at = mountinfo.find(before); at != mountinfo.npos; at = mountinfo.find(before, at + 1)) {
        auto rest = mountinfo.substr(at + before.size());
        auto uid = rest.substr(0, rest.find_first_of("/ \n"));
        if (!uid.empty() && rest.substr(uid.size()).starts_with(after)) found.emplace(uid);
    }
    return found;
}

std::set<std::string> own_pods() {
    auto mountinfo = read_file("/proc/self/mountinfo", mountinfo_bytes_max);
    return mountinfo ? pods_in_mountinfo(*mountinfo) : std::set<std::string>{};
}

}  // namespace boatswain::intake::cri
