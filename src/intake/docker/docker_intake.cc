#include "intake/docker/docker_intake.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <random>

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds reconnect_wait_min{100};
constexpr std::chrono::milliseconds reconnect_wait_max{10'000};
// Events are asked for again from so much before the last one seen: repeated ones do no harm.
constexpr std::chrono::seconds event_margin{10};
// A directory is looked through again in this rhythm, should inotify have no watch to give for it.
constexpr std::chrono::milliseconds scan_pause{10'000};
constexpr std::uint64_t config_file_bytes_max = 4U << 20;
constexpr std::size_t skipped_max = 10'000;
constexpr std::size_t gone_max = 512;       // the engine repeats at most the last 256 events
constexpr std::size_t inspections_max = 8;  // at once
// How long the engine is waited for to say how a container ended whose log is gone.
constexpr std::chrono::milliseconds told_wait{1'000};

std::string_view name_of(tenancy::Decision::Action action) { return tenancy::to_string(action); }

bool label_is_true(const engine::ContainerFacts& facts, const std::string& label) {
    auto found = facts.labels.find(label);
    return found != facts.labels.end() && found->second == "true";
}

}  // namespace

DockerIntake::DockerIntake(asio::any_io_executor executor, Options options, engine::Client& client, Assigner assigner,
                           batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log)
    : executor_(executor),
      options_(std::move(options)),
      client_(client),
      assigner_(std::move(assigner)),
      batcher_(batcher),
      spool_(spool),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      stream_counters_(metrics),
      reconnects_(metrics.counter("boatswain_engine_reconnects_total", "Times the connection to the engine broke")),
      lag_gauge_(metrics.gauge("boatswain_read_lag_bytes", "Bytes of logs on disk that are not read yet",
                               {{"reader", "json-file"}})),
      held_lag_gauge_(metrics.gauge("boatswain_read_lag_bytes", "Bytes of logs on disk that are not read yet",
                                    {{"reader", "held"}})),
      pump_(executor, metrics, log, [this](const std::string& id) { removed(id); }),
      tasks_(executor, log),
      session_(executor, log),
      readers_(executor, log) {}

DockerIntake::~DockerIntake() = default;

asio::awaitable<void> DockerIntake::run() {
    if (!options_.root.empty()) watch_directory(options_.root.string());
    tasks_.spawn("read log files", pump_.run());
    tasks_.spawn("follow the engine", follow_engine());
    try {
        co_await tasks_.join();
    } catch (...) {
        // Cancelled. What was started is asked to end, and waited for, before this frame and what it refers to are
        // gone.
    }
    co_await asio::this_coro::reset_cancellation_state();
    for (auto* group : {&tasks_, &session_, &readers_}) {
        group->cancel();
        co_await group->join();
    }
}

// ---- Discovery through the engine -----------------------------------------------------------------------------------

asio::awaitable<void> DockerIntake::follow_engine() {
    auto wait = reconnect_wait_min;
    std::minstd_rand random{std::random_device{}()};
    for (;;) {
        auto started = clock_.steady();
        auto ended = co_await one_session();
        session_.cancel();
        co_await session_.join();
        inspecting_.clear();
        connected_ = false;
        engine_trouble_ = ended ? "the engine closed the stream of events" : ended.error().what;
        reconnects_.add();
        if (clock_.steady() - started > std::chrono::seconds{30}) wait = reconnect_wait_min;
        std::uniform_int_distribution<std::int64_t> jittered{wait.count() / 2, wait.count()};
        std::chrono::milliseconds pause{jittered(random)};
        log_.warning("engine not followed; connecting again", {{"error", engine_trouble_}, {"wait_ms", pause.count()}});
        co_await net::sleep_for(pause);
        wait = std::min(wait * 2, reconnect_wait_max);
    }
}

asio::awaitable<Result<void>> DockerIntake::one_session() {
    CO_TRY(auto engine, co_await client_.negotiate());
    if (!watch_ && options_.root.empty()) watch_directory(engine.root_dir);
    std::optional<Timestamp> since;
    if (last_event_) since = *last_event_ - event_margin;
    CO_TRY(auto events, co_await client_.events(since));
    connected_ = true;
    engine_trouble_.clear();
    log_.info("engine followed", {{"version", engine.version}, {"api", engine.api_version}, {"host", engine.name}});

    // The engine skips a subscriber that does not read: the list and all inspections run beside this loop.
    session_.spawn("list containers", reconcile());
    for (;;) {
        CO_TRY(auto event, co_await events->next());
        take_event(event);
    }
}

asio::awaitable<void> DockerIntake::reconcile() {
    auto listed = co_await client_.list();
    if (!listed) {
        log_.warning("containers not listed", {{"error", listed.error()}});
        co_await net::sleep_for(reconnect_wait_max);
        session_.spawn("list containers", reconcile());
        co_return;
    }
    std::set<std::string> there;
    for (const auto& summary : *listed) there.insert(summary.id);
    // What was there before the stream of events broke, and is not now, was removed meanwhile.
    std::vector<std::string> gone;
    for (const auto& [id, container] : containers_)
        if (!there.contains(id)) gone.push_back(id);
    for (const auto& id : gone) container_vanished(id);

    for (const auto& id : there) {
        while (inspecting_.size() >= inspections_max) co_await net::sleep_for(std::chrono::milliseconds{5});
        if (inspecting_.try_emplace(id).second) session_.spawn("inspect " + id, inspect_and_adopt(id));
    }
}

void DockerIntake::take_event(const engine::Event& event) {
    if (event.id.empty()) return;
    last_event_ = std::max(last_event_.value_or(event.time), event.time);
    using Action = engine::Event::Action;
    auto known = containers_.find(event.id);
    if (auto skipped = skipped_.find(event.id);
        skipped != skipped_.end() && (event.action == Action::start || event.action == Action::die))
        skipped->second.running = event.action == Action::start;
    if (auto inspecting = inspecting_.find(event.id); inspecting != inspecting_.end())
        if (event.action == Action::start || event.action == Action::die)
            inspecting->second = event.action == Action::start;
    switch (event.action) {
        case Action::create:
        case Action::start:
            if (known != containers_.end() && event.action == Action::start) {
                known->second.exit_code.reset();
                set_running(known->second, true);
            }
            if (is_gone(event.id)) break;
            if (inspecting_.try_emplace(event.id).second)
                session_.spawn("inspect " + event.id, inspect_and_adopt(event.id));
            break;
        case Action::die:
            if (known != containers_.end()) {
                known->second.exit_code = event.exit_code;
                set_running(known->second, false);
            }
            break;
        case Action::destroy: container_vanished(event.id); break;
        case Action::rename:
        case Action::other: break;
    }
}

asio::awaitable<void> DockerIntake::inspect_and_adopt(std::string id) {
    auto facts = co_await client_.inspect(id, assigner_.keep);
    auto newer = inspecting_.extract(id);
    uninspected_.erase(id);
    if (facts) {
        if (newer && newer.mapped()) facts->running = *newer.mapped();
        adopt(std::move(*facts));
        co_return;
    }
    // Gone already, or being removed, or wedged: its directory may still say what it was.
    if (!containers_.contains(id)) adopt_from_directory(id);
    if (!containers_.contains(id) && !skipped_.contains(id) && !is_gone(id)) {
        metrics_
            .counter("boatswain_containers_missed_total",
                     "Containers that were gone before anything was learned of them")
            .add();
        if (uninspected_.size() < skipped_max) uninspected_[id] = {.when = clock_.now(), .what = facts.error().what};
        log_.warning("container not inspected", {{"container", id}, {"error", facts.error()}});
    }
}

// ---- News of the containers directory -------------------------------------------------------------------------------

void DockerIntake::watch_directory(const std::string& engine_root) {
    auto directory = Path{engine_root} / "containers";
    auto opened = DirectoryWatch::open(executor_, directory, *this);
    if (!opened) {
        log_.warning("containers directory not watched: logs are read through the engine, at its cost",
                     {{"directory", directory.string()}, {"error", opened.error()}});
        return;
    }
    containers_directory_ = directory;
    watch_ = std::move(*opened);
    tasks_.spawn("watch for births", watch_->tell_births());
    tasks_.spawn("watch for growth", watch_->tell_changes());
    tasks_.spawn("scan now and then", scan_now_and_then());
    scan_directory();
}

asio::awaitable<void> DockerIntake::scan_now_and_then() {
    for (;;) {
        co_await net::sleep_for(scan_pause);
        scan_directory();
        pump_.touch_all();
        auto lag = pump_.lag();
        lag_gauge_.set(static_cast<double>(lag.read_bytes));
        held_lag_gauge_.set(static_cast<double>(lag.parked_bytes));
    }
}

void DockerIntake::scan_directory() {
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{containers_directory_, problem}, none; !problem && entry != none;
         entry.increment(problem)) {
        auto id = entry->path().filename().string();
        if (is_container_id(id) && !containers_.contains(id) && !skipped_.contains(id)) container_appeared(id);
    }
}

void DockerIntake::container_appeared(const std::string& id) {
    if (!watch_->watch(id))
        metrics_
            .counter("boatswain_watch_failures_total", "Directories that inotify has no watch for; looked at by time")
            .add();
    adopt_from_directory(id);
}

void DockerIntake::files_born(const std::string& id, unsigned births) {
    bool known = containers_.contains(id);
    if (!known) adopt_from_directory(id);
    pump_.notice_births(id, births, !known);
}

void DockerIntake::log_grew(const std::string& id) { pump_.touch(id); }

void DockerIntake::container_vanished(const std::string& id) {
    skipped_.erase(id);
    uninspected_.erase(id);
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    if (found->second.life) found->second.life->removed = true;
    set_running(found->second, false);
    // What is read, is read to its end first: its reader tells when that is done. What is held for a moment, waits for
    // that moment.
    if (found->second.reader != Reader::none || found->second.soon) return;
    metrics_
        .counter("boatswain_containers_unread_total",
                 "Containers that were removed and of which nothing was read, by why",
                 {{"action", std::string{name_of(found->second.action)}}})
        .add();
    log_.warning("container removed unread",
                 {{"container", id.substr(0, 12)}, {"name", found->second.facts.name}, {"reason", found->second.why}});
    drop(id);
}

void DockerIntake::news_lost() {
    metrics_.counter("boatswain_watch_overflows_total", "Times the kernel's queue of file events overflowed").add();
    scan_directory();
    pump_.touch_all();
}

void DockerIntake::adopt_from_directory(const std::string& id) {
    if (containers_directory_.empty() || containers_.contains(id) || skipped_.contains(id)) return;
    // Opened before anything else is read: from now on the log can be removed, and is read all the same.
    auto held = open_log_file(log_path(id));
    if (!held) return;  // no log yet, or not a json-file container
    auto config = read_file(containers_directory_ / id / "config.v2.json", config_file_bytes_max);
    auto hostconfig = read_file(containers_directory_ / id / "hostconfig.json", config_file_bytes_max);
    if (!config) return;  // the engine's inspect answers, or nobody
    auto facts = engine::parse_config_v2(*config, hostconfig ? *hostconfig : std::string{}, assigner_.keep);
    if (!facts) {
        // Written by the engine at this very moment, perhaps: inspect tells.
        log_.debug("config.v2.json not understood", {{"container", id}, {"error", facts.error()}});
        return;
    }
    if (facts->id != id) return;
    facts->running = true;  // as far as we know; the engine's events tell its end
    adopt(std::move(*facts));
}

// ---- What is read, and how ------------------------------------------------------------------------------------------

Path DockerIntake::log_path(const std::string& id) const { return containers_directory_ / id / (id + "-json.log"); }

std::pair<DockerIntake::Reader, std::string> DockerIntake::reader_for(const engine::ContainerFacts& facts) const {
    if (facts.log_driver == "json-file" && !containers_directory_.empty()) {
        // The directory of one that removed itself is gone; what is held open of its log is not.
        if (pump_.contains(facts.id)) return {Reader::json_file, "log driver json-file, and its log is held open"};
        // As we are now: access(2) would ask for the real user, whom a capability of ours does not count for.
        if (::faccessat(AT_FDCWD, (containers_directory_ / facts.id).c_str(), R_OK | X_OK, AT_EACCESS) == 0)
            return {Reader::json_file, "log driver json-file, and its directory can be read"};
        return {Reader::logs, "log driver json-file, but its directory cannot be read"};
    }
    if (facts.log_driver == "none") {
        if (options_.attach) return {Reader::attach, "log driver none, and docker.attach is on"};
        if (label_is_true(facts, "boatswain.attach"))
            return {Reader::attach, "log driver none, and label boatswain.attach=true"};
        return {Reader::none, "log driver none keeps nothing to read; docker.attach is off"};
    }
    return {Reader::logs, "log driver " + facts.log_driver + " is read through the engine"};
}

void DockerIntake::adopt(engine::ContainerFacts facts) {
    auto id = facts.id;
    std::optional<int> exit_code;
    if (!facts.running && facts.finished_at) exit_code = facts.exit_code;
    if (auto known = containers_.find(id); known != containers_.end()) {
        if (exit_code) known->second.exit_code = exit_code;
        // One that never ran has not ended, and may be printing by now.
        if (facts.running || facts.started_at) set_running(known->second, facts.running);
        return;
    }
    auto against = options_.selection.reason_against(facts);
    bool own = std::ranges::find(options_.own_ids, id) != options_.own_ids.end();
    if (own) against = "it is Boatswain's own container";
    if (against) {
        if (skipped_.size() >= skipped_max && !skipped_.contains(id)) skipped_.erase(skipped_.begin());
        Skipped skipped{.name = facts.name,
                        .image = facts.image,
                        .log_driver = facts.log_driver,
                        .created = facts.created,
                        .running = facts.running,
                        .own = own,
                        .reason = *against};
        auto [entry, is_new] = skipped_.try_emplace(id, std::move(skipped));
        if (!is_new) entry->second.running = facts.running;
        if (is_new) log_.info("container not read", {{"container", id}, {"name", facts.name}, {"reason", *against}});
        return;
    }
    uninspected_.erase(id);
    auto& container = containers_[id];
    container.facts = std::move(facts);
    container.exit_code = exit_code;
    container.life = std::make_shared<Life>(executor_);
    container.life->running = container.facts.running;
    start_reading(id, container);
    count();
}

std::unique_ptr<batch::Feed> DockerIntake::open_feed(const Container& container, const Assignment& assignment,
                                                     const Checkpoint& start) {
    Source source{.id = container.facts.id,
                  .kind = "docker",
                  .name = container.facts.name,
                  .image = container.facts.image,
                  .reader = std::string{reader_name(container.reader)},
                  .whose = assignment.whose,
                  .labels = assignment.labels};
    return batcher_.open_feed(std::move(source), assignment.decision.recipients, start,
                              container.reader == Reader::attach);
}

void DockerIntake::start_reading(const std::string& id, Container& container) {
    auto assignment = assigner_.assign(container.facts);
    container.action = assignment.decision.action;
    container.whose = assignment.whose;
    container.reason = assignment.decision.reason;
    std::tie(container.reader, container.why) = reader_for(container.facts);
    using Action = tenancy::Decision::Action;
    bool takes_lines = container.action == Action::seal || container.action == Action::quarantine;
    log_.info("container found", {{"container", id.substr(0, 12)},
                                  {"name", container.facts.name},
                                  {"tenant", assignment.whose.tenant.str()},
                                  {"app", assignment.whose.app},
                                  {"rule", assignment.whose.tenant_rule},
                                  {"action", name_of(container.action)},
                                  {"reason", assignment.decision.reason},
                                  {"reader", container.why}});
    container.soon = assignment.soon;
    auto saved = spool_.checkpoint(id);
    Checkpoint start = saved.value_or(Checkpoint{});
    if (!takes_lines) {
        // Not read: its own log keeps the lines until a key is there (hold), or for nobody (drop). What is held is held
        // open, so that it can still be read when the container is removed in the meantime.
        if (container.action == Action::hold && container.reader == Reader::json_file && !pump_.contains(id)) {
            watch_->watch(id);
            pump_.park(id, file_reader(id, start));
        }
        container.reader = Reader::none;
        container.why = assignment.decision.reason;
        if (container.life->removed && !container.soon) container_vanished(id);
        return;
    }

    if (!container.lines_before) container.lines_before = start.lines;
    auto feed = container.reader == Reader::none ? nullptr : open_feed(container, assignment, start);
    auto& life = *container.life;
    switch (container.reader) {
        case Reader::none: break;
        case Reader::json_file: {
            watch_->watch(id);
            if (pump_.contains(id))
                pump_.change_feed(id, std::move(feed));
            else
                pump_.add(id, file_reader(id, start), std::move(feed));
            pump_.set_running(id, life.running || !container.facts.started_at);
            break;
        }
        case Reader::logs: {
            const auto* position = std::get_if<TimePosition>(&start.position);
            container.logs = std::make_shared<LogsReader>(client_, container.facts, std::move(feed),
                                                          position ? *position : TimePosition{}, life, stream_counters_,
                                                          clock_, log_);
            readers_.spawn(
                "read " + id,
                [](auto reader, auto alive, auto self) -> asio::awaitable<void> {
                    co_await reader->run();
                    self->removed(alive->first);
                }(container.logs, std::make_shared<std::pair<std::string, std::shared_ptr<Life>>>(id, container.life),
                                                       this));
            break;
        }
        case Reader::attach:
            container.attach = std::make_shared<AttachReader>(client_, container.facts, std::move(feed), life,
                                                              stream_counters_, clock_, log_);
            readers_.spawn(
                "attach " + id,
                [](auto reader, auto alive, auto self) -> asio::awaitable<void> {
                    co_await reader->run();
                    self->removed(alive->first);
                }(container.attach, std::make_shared<std::pair<std::string, std::shared_ptr<Life>>>(id, container.life),
                                                       this));
            break;
    }
}

std::unique_ptr<JsonFileReader> DockerIntake::file_reader(const std::string& id, const Checkpoint& start) {
    const auto* position = std::get_if<FilePosition>(&start.position);
    return std::make_unique<JsonFileReader>(log_path(id), position ? std::optional{*position} : std::nullopt, clock_,
                                            pump_.counters(), log_);
}

void DockerIntake::reassign() {
    std::vector<std::string> ids;  // starting to read, or giving up, can change the map
    for (const auto& [id, container] : containers_) ids.push_back(id);
    for (const auto& id : ids) {
        auto found = containers_.find(id);
        if (found == containers_.end()) continue;
        auto& container = found->second;
        const auto* feed = container.logs     ? &container.logs->feed()
                           : container.attach ? &container.attach->feed()
                                              : pump_.feed(id);
        if (!feed) {
            if (container.action == tenancy::Decision::Action::hold ||
                container.action == tenancy::Decision::Action::drop)
                start_reading(id, container);
            continue;
        }
        auto assignment = assigner_.assign(container.facts);
        bool same = feed->source().whose.tenant == assignment.whose.tenant &&
                    feed->recipients() == assignment.decision.recipients;
        // A key that is taken away stops nothing that runs: what was decided stays until there is somebody to seal for.
        if (same || assignment.decision.recipients.empty()) continue;
        container.action = assignment.decision.action;
        container.whose = assignment.whose;
        container.reason = assignment.decision.reason;
        log_.info("container assigned anew", {{"container", id.substr(0, 12)},
                                              {"tenant", assignment.whose.tenant.str()},
                                              {"action", name_of(container.action)},
                                              {"reason", assignment.decision.reason}});
        // Where reading stands goes on in the new feed: what is appended to it follows what the old one holds.
        auto change = [&](auto&& to) { to(open_feed(container, assignment, feed->handover())); };
        if (container.logs)
            change([&](auto next) { container.logs->change_feed(std::move(next)); });
        else if (container.attach)
            change([&](auto next) { container.attach->change_feed(std::move(next)); });
        else
            change([&](auto next) { pump_.change_feed(id, std::move(next)); });
    }
    count();
}

void DockerIntake::set_running(Container& container, bool running) {
    container.life->running = running && !container.life->removed;
    container.life->changed.notify();
    pump_.set_running(container.facts.id, container.life->running);
}

// Read to its end, and gone: nothing of it will be asked for again.
void DockerIntake::removed(const std::string& id) {
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    auto& container = found->second;
    batcher_.seal_soon(id);
    // The log of a container that removes itself can be gone before the engine has said how it ended.
    bool may_be_told = connected_ && !finishing_ && !container.exit_code && !container.life->removed;
    if (!may_be_told) return close_source(id);
    if (!std::exchange(container.closing, true)) readers_.spawn("close " + id, close_when_told(id, container.life));
}

asio::awaitable<void> DockerIntake::close_when_told(std::string id, std::shared_ptr<Life> life) {
    auto deadline = clock_.steady() + told_wait;
    for (;;) {
        auto found = containers_.find(id);
        if (found == containers_.end()) co_return;
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady());
        if (found->second.exit_code || life->removed || left.count() <= 0) break;
        co_await life->changed.wait_for(left);
    }
    close_source(id);
}

void DockerIntake::close_source(const std::string& id) {
    auto& container = containers_.at(id);
    log_.debug("container read to its end", {{"container", id}});
    depart(id);
    End end{.time = clock_.now(), .reason = end_removed, .exit_code = container.exit_code};
    if (container.logs)
        container.logs->close(end);
    else if (container.attach)
        container.attach->close(end);
    else
        pump_.close(id, end);
    drop(id);
}

bool DockerIntake::is_gone(const std::string& id) const { return std::ranges::find(gone_, id) != gone_.end(); }

void DockerIntake::drop(const std::string& id) {
    gone_.push_back(id);
    if (gone_.size() > gone_max) gone_.pop_front();
    depart(id);
    pump_.remove(id);
    containers_.erase(id);
    batcher_.forget_when_sealed(id);
    count();
}

void DockerIntake::progressed() {
    pump_.progressed();
    for (auto& [id, container] : containers_)
        if (container.logs) container.life->changed.notify();
}

void DockerIntake::finish(std::chrono::steady_clock::time_point deadline) {
    finishing_ = true;
    pump_.read_rest(deadline);
    for (auto& [id, container] : containers_)
        if (container.attach) container.attach->finish_pending();
    std::vector<std::string> ids, closing;
    for (const auto& [id, container] : containers_) (container.closing ? closing : ids).push_back(id);
    for (const auto& id : closing) close_source(id);
    for (const auto& id : ids) pump_.remove(id);
    containers_.clear();
}

void DockerIntake::count() {
    std::map<std::string, double> by_reader{{"none", 0}, {"json-file", 0}, {"logs", 0}, {"attach", 0}};
    std::map<std::string, double> by_action{{"seal", 0}, {"quarantine", 0}, {"drop", 0}, {"hold", 0}};
    for (const auto& [id, container] : containers_) {
        by_reader[std::string{reader_name(container.reader)}] += 1;
        by_action[std::string{name_of(container.action)}] += 1;
    }
    for (const auto& [reader, n] : by_reader)
        metrics_.gauge("boatswain_containers", "Containers that are there, by how they are read", {{"reader", reader}})
            .set(n);
    for (const auto& [action, n] : by_action)
        metrics_
            .gauge("boatswain_containers_by_action", "Containers that are there, by what becomes of their lines",
                   {{"action", action}})
            .set(n);
}

DockerIntake::Health DockerIntake::health() const {
    Health health{.engine_connected = connected_, .engine_trouble = engine_trouble_, .containers = containers_.size()};
    for (const auto& [id, container] : containers_) health.reading += container.reader != Reader::none ? 1 : 0;
    auto lag = pump_.lag();
    health.lag_bytes = lag.read_bytes + lag.parked_bytes;
    return health;
}

}  // namespace boatswain::intake::docker
