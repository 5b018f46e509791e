#include "intake/driver/driver_intake.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "intake/driver/fifo_table.h"
#include "intake/source/inotify.h"
#include "intake/source/source_feed.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using Action = tenancy::Decision::Action;

constexpr milliseconds news_pause{20};     // so that a container that writes without end wakes us fifty times a second
constexpr milliseconds watch_pause{2000};  // until a directory that was removed is looked for again
constexpr std::chrono::seconds list_age_max{10};
constexpr milliseconds look_pause{200};  // for what is durable by now, and what is removed
constexpr int looks_per_scan = 50;       // should inotify have lost something
constexpr std::size_t early_news_max = 1024;
constexpr int looks_per_figures = 5;  // until the holder's figures are read again

}  // namespace

DriverIntake::DriverIntake(asio::any_io_executor executor, IntakeOptions options, Assigner assigner,
                           batch::Batcher& batcher, spool::Spool& spool, const Clock& clock, Metrics& metrics, Log& log)
    : options_(std::move(options)),
      assigner_(std::move(assigner)),
      batcher_(batcher),
      spool_(spool),
      clock_(clock),
      log_(log),
      counters_(metrics),
      containers_gauge_(metrics.gauge("boatswain_driver_containers", "Containers whose lines come by the log driver")),
      held_gauge_(metrics.gauge("boatswain_driver_held_bytes",
                                "Bytes that the log driver holds in memory and no segment covers yet")),
      memory_gauge_(
          metrics.gauge("boatswain_driver_memory_bytes", "Memory that all holds take, those of runs that ended too")),
      full_gauge_(metrics.gauge("boatswain_driver_full_holds",
                                "Containers whose lines find no room: their writes wait, or lines are dropped")),
      unheld_gauge_(metrics.gauge("boatswain_driver_unheld_containers",
                                  "Containers that have no hold, for want of room or of a description")),
      narrow_gauge_(metrics.gauge("boatswain_driver_narrow_fifos", "FIFOs that were not widened")),
      undescribed_gauge_(metrics.gauge("boatswain_driver_undescribed_holds",
                                       "Holds that are not read, since nobody can say whose they are")),
      unnamed_lines_(metrics.counter("boatswain_driver_unnamed_lines_total",
                                     "Lines that were dropped and of which not even a gap record could be made")),
      executor_(executor),
      tasks_(executor, log),
      run_queue_(executor, [this](const std::string& id) { return take_turn(id); }) {}

DriverIntake::~DriverIntake() = default;

asio::awaitable<void> DriverIntake::run() {
    tasks_.spawn("watch the holds", watch());
    tasks_.spawn("read the holds", run_queue_.run());
    tasks_.spawn("look after the holds", look_now_and_then());
    co_await tasks_.join_or_end();
}

// ---- Holds that appear and grow -------------------------------------------------------------------------------------

asio::awaitable<void> DriverIntake::watch() {
    std::unique_ptr<Inotify> news;
    auto begin = [&] {
        if (!news)
            if (auto opened = Inotify::open(executor_)) news = std::move(*opened);
        if (news && news->add(options_.hold_dir, IN_CREATE | IN_MODIFY) >= 0) return true;
        log_.error("holds not watched; looked at every 10 s", {{"directory", options_.hold_dir.string()}});
        return false;
    };
    bool watched = begin();
    scan();
    for (;;) {
        bool lost = !watched;
        for (; !watched; watched = begin()) co_await net::sleep_for(watch_pause);
        if (lost) scan();
        co_await news->wait();
        bool complete = news->read([&](const FileEvent& event) {
            if (event.mask & IN_IGNORED) watched = false;  // the directory was removed
            Path file{event.name};
            auto name = file.extension() == ".hold" ? HoldName::parse(file.stem().string()) : std::nullopt;
            if (!name) return;
            appeared(*name);
            touch(name->container);
        });
        if (!complete) scan();
        co_await net::sleep_for(news_pause);
    }
}

void DriverIntake::scan() {
    std::vector<HoldName> names;
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{options_.hold_dir, problem}, none; !problem && entry != none;
         entry.increment(problem))
        if (entry->path().extension() == ".hold")
            if (auto name = HoldName::parse(entry->path().stem().string())) names.push_back(*name);
    std::ranges::sort(names);
    for (const auto& name : names) appeared(name);
    // All of them: one whose file was removed is read to its end all the same.
    for (const auto& [id, container] : containers_) touch(id);
}

std::optional<StartRequest> DriverIntake::description_of(const HoldName& name) {
    auto text = read_file(options_.hold_dir / (name.str() + ".json"), description_bytes_max);
    auto request = text ? parse_description(*text) : Result<StartRequest>{std::unexpected(text.error())};
    if (request) {
        undescribed_.erase(name);
        return std::move(*request);
    }
    // News of a hold that was just given back come late.
    std::error_code ignored;
    if (!std::filesystem::exists(options_.hold_dir / (name.str() + ".hold"), ignored)) {
        undescribed_.erase(name);
    } else if (undescribed_.insert(name).second) {
        log_.error("description of a hold not understood; it is not read",
                   {{"hold", name.str()}, {"error", request.error()}});
    }
    return std::nullopt;
}

void DriverIntake::appeared(const HoldName& name) {
    if (known_.contains(name)) return;
    auto found = containers_.find(name.container);
    if (found == containers_.end()) {
        auto request = description_of(name);
        if (!request) return;
        found = containers_.try_emplace(name.container).first;
        auto& container = found->second;
        container.facts = std::move(request->facts);
        container.name = container.facts.name;
        if (auto news = early_news_.find(name.container); news != early_news_.end()) {
            container.exit_code = news->second.exit_code;
            container.removed = news->second.removed;
            if (!news->second.name.empty()) container.name = news->second.name;
        }
        assign(container);
        auto saved = spool_.checkpoint(name.container).value_or(Checkpoint{});
        container.lines_before = saved.lines;
    }
    auto& container = found->second;
    auto saved = spool_.checkpoint(name.container).value_or(Checkpoint{});
    auto reader = HoldReader::open(options_.hold_dir, name, saved.position, counters_);
    if (!reader) {
        // Its creation may just have begun: told again when it grows.
        if (reader.error().remedy != Remedy::re_resolve && reader.error().remedy != Remedy::quarantine)
            log_.warning("hold not opened", {{"hold", name.str()}, {"error", reader.error()}});
        return;
    }
    known_.insert(name);
    container.closed = false;
    if (std::exchange(container.noted_ended, false) || spool_.ended(name.container))
        batcher_.note_ended(name.container, false);
    container.holds.push_back(std::move(*reader));
    std::ranges::sort(container.holds, {}, [](const auto& hold) { return hold->name().number; });
    log_.debug("hold found", {{"hold", name.str()}});
}

void DriverIntake::touch(const std::string& id) {
    if (!containers_.contains(id)) return;
    run_queue_.ready(id);
}

// ---- Whose it is ----------------------------------------------------------------------------------------------------

void DriverIntake::assign(Container& container) {
    decide(container);
    const auto& id = container.facts.id;
    log_.info("container of the log driver found",
              {{"container", id.substr(0, 12)},
               {"name", container.facts.name},
               {"tenant", container.assignment.whose.tenant.str()},
               {"app", container.assignment.whose.app},
               {"rule", container.assignment.whose.tenant_rule},
               {"action", tenancy::to_string(container.assignment.decision.action)},
               {"reason", container.excluded.value_or(container.assignment.decision.reason)}});
}

// Whose its lines are, and whether they are wanted. A label excludes it only where that is its starter's word.
void DriverIntake::decide(Container& container) {
    const auto& facts = container.facts;
    container.excluded.reset();
    container.assignment = assigner_.assign(facts);
    if (std::ranges::find(options_.own_ids, facts.id) != options_.own_ids.end()) {
        container.excluded = "it is Boatswain's own container";
        return;
    }
    Starter starter{.facts = facts, .why = {}};
    if (assigner_.starter && options_.selection.hangs_on_a_label(facts)) starter = assigner_.starter(facts);
    if (starter.is == Starter::Is::known) {
        container.excluded = options_.selection.reason_against(facts, starter.facts);
        return;
    }
    container.assignment = {.soon = starter.is == Starter::Is::asked};
    container.assignment.decision.reason =
        "a label excludes it, and it is not known yet whether its image set that: " + starter.why;
}

bool DriverIntake::discards(const Container& container) const {
    return container.excluded || container.assignment.decision.action == Action::drop;
}

void DriverIntake::open_feed(Container& container, const Checkpoint& start) {
    const auto& facts = container.facts;
    Source source{.id = facts.id,
                  .kind = "docker",
                  .name = container.name,
                  .image = facts.image,
                  .reader = "driver",
                  .whose = container.assignment.whose,
                  .labels = container.assignment.labels};
    container.feed = batcher_.open_feed(std::move(source), container.assignment.decision.recipients, start, false);
}

void DriverIntake::begin_feed(Container& container) {
    const auto& facts = container.facts;
    auto saved = spool_.checkpoint(facts.id).value_or(Checkpoint{});
    open_feed(container, saved);
    // A hold does not outlive the host: what it held at its end is in nobody's hands, unless all had been sealed.
    const auto* position = std::get_if<FilePosition>(&saved.position);
    bool is_there =
        position && std::ranges::any_of(container.holds, [&](const auto& hold) { return hold->is_at(*position); });
    if (position && position->device != this_boot() && !is_there && !spool_.ended(facts.id)) {
        auto now = clock_.now();
        container.feed->append(Gap{.from = now, .to = now, .reason = gap_host_restarted});
    }
}

void DriverIntake::reassign() {
    for (auto& [id, container] : containers_) assign_again(id, container);
}

void DriverIntake::reassign(const std::vector<std::string>& ids) {
    for (const auto& id : ids)
        if (auto found = containers_.find(id); found != containers_.end()) assign_again(id, found->second);
}

void DriverIntake::assign_again(const std::string& id, Container& container) {
    auto before = std::move(container.assignment);
    decide(container);
    const auto& decision = container.assignment.decision;
    if (container.feed) {
        container.excluded.reset();  // what is read already stays so
        auto change = container.closed ? Reassignment::none : reassign_feed(*container.feed, container.assignment);
        if (change == Reassignment::none) {
            container.assignment = std::move(before);
            return;
        }
        batcher_.hold(id, change == Reassignment::stop);
        if (change == Reassignment::stop) return;
        if (change == Reassignment::go_on) return touch(id);
        log_.info("container assigned again", {{"container", id.substr(0, 12)},
                                               {"tenant", container.assignment.whose.tenant.str()},
                                               {"reason", decision.reason}});
        auto old = std::move(container.feed);
        open_feed(container, old->handover());
        old->hand_over(*container.feed);
    }
    touch(id);
}

// ---- From hold to feed ----------------------------------------------------------------------------------------------

net::Turn DriverIntake::take_turn(const std::string& id) {
    auto found = containers_.find(id);
    if (found == containers_.end()) return net::Turn::done;
    auto& container = found->second;
    auto hold = std::ranges::find_if(container.holds, [](const auto& one) { return !one->finished(); });
    if (hold == container.holds.end()) return net::Turn::done;
    auto action = container.assignment.decision.action;
    bool takes_lines = action == Action::seal || action == Action::quarantine;
    if (!takes_lines && !discards(container)) return net::Turn::done;  // held: the hold keeps it

    auto step = Result<HoldReader::Step>{HoldReader::Step::at_end};
    if (discards(container)) {
        step = (*hold)->discard(buffer_);
    } else {
        if (!container.feed) begin_feed(container);
        if (container.feed->ask_room() == 0) return net::Turn::no_room;
        step = (*hold)->read_some(*container.feed, buffer_);
    }
    if (!step) {
        container.trouble = LastError{.when = clock_.now(), .what = step.error().what};
        log_.warning("hold not read; trying again", {{"hold", (*hold)->name().str()}, {"error", step.error()}});
        return net::Turn::no_room;
    }
    seal_if_full(id, container);
    if (*step == HoldReader::Step::finished) {
        batcher_.seal_soon(id);
        bool all_read = std::ranges::all_of(container.holds, [](const auto& one) { return one->finished(); });
        if (all_read && container.feed) {
            batcher_.note_ended(id, true);
            container.noted_ended = true;
        }
        give_back(id, container);
        return containers_.contains(id) ? net::Turn::worked : net::Turn::done;
    }
    return *step == HoldReader::Step::more ? net::Turn::worked : net::Turn::done;
}

IntakeHealth DriverIntake::health() const {
    IntakeHealth health{.part = "driver", .follows = true};
    health.ended_tasks = tasks_.failed();
    return health;
}

void DriverIntake::put_down() {
    for (auto& [id, container] : containers_)
        if (container.feed && container.feed->should_put_down())
            for (auto& hold : container.holds) hold->put_down(*container.feed);
}

void DriverIntake::seal_if_full(const std::string& id, Container& container) {
    std::uint64_t unsealed = 0;
    for (const auto& hold : container.holds) unsealed += hold->unsealed_bytes();
    if (unsealed < options_.hold_bytes / 2 || unsealed < container.seal_asked_at + options_.hold_bytes / 4) return;
    container.seal_asked_at = unsealed;
    batcher_.seal_now(id);
}

// ---- What is durable, and what is gone ------------------------------------------------------------------------------

void DriverIntake::give_back(const std::string& id, Container& container) {
    auto saved = spool_.checkpoint(id);
    std::uint64_t before = 0, after = 0;
    for (const auto& hold : container.holds) before += hold->unsealed_bytes();
    if (saved) {
        // A position in a later hold covers the earlier ones.
        const auto* position = std::get_if<FilePosition>(&saved->position);
        auto here =
            std::ranges::find_if(container.holds, [&](const auto& hold) { return position && hold->is_at(*position); });
        if (here != container.holds.end()) {
            for (auto earlier = container.holds.begin(); earlier != here; ++earlier) (*earlier)->release_all();
            (*here)->release(saved->position);
        }
    }
    for (const auto& hold : container.holds) after += hold->unsealed_bytes();
    if (after < before) container.seal_asked_at = 0;
    while (!container.holds.empty() && container.holds.front()->is_empty()) {
        known_.erase(container.holds.front()->name());
        container.holds.front()->remove();
        container.holds.pop_front();
    }
}

// True when nothing is left to be done for it.
bool DriverIntake::close_if_gone(const std::string& id, Container& container) {
    if (!container.removed) return false;
    bool all_read = std::ranges::all_of(container.holds, [](const auto& hold) { return hold->finished(); });
    if (!all_read) return false;
    if (container.feed && !container.closed) {
        container.closed = true;
        container.feed->close({.time = clock_.now(), .reason = end_removed, .exit_code = container.exit_code});
        container.feed.reset();
        batcher_.seal_soon(id);
    }
    if (!container.holds.empty()) return false;
    // All that came is durable; the closing record may still be on its way, and the forgetting follows it.
    if (container.closed) batcher_.forget_when_sealed(id);
    return true;
}

asio::awaitable<void> DriverIntake::look_now_and_then() {
    for (int looks = 0;; ++looks) {
        co_await net::sleep_for(look_pause);
        if (looks % looks_per_scan == looks_per_scan - 1) scan();
        std::vector<std::string> done;
        std::uint64_t unsealed = 0, held = 0;
        for (auto& [id, container] : containers_) {
            give_back(id, container);
            if (close_if_gone(id, container)) done.push_back(id);
            for (const auto& hold : container.holds) {
                unsealed += hold->unsealed_bytes();
                held += hold->held_bytes();
            }
        }
        for (const auto& id : done) {
            run_queue_.forget(id);
            batcher_.hold(id, false);
            containers_.erase(id);
        }
        // A tenant may take no more than is still free: long before that, what was read is sealed.
        if (unsealed > (options_.hold_total - std::min(held, options_.hold_total)) / 4)
            for (const auto& [id, container] : containers_) batcher_.seal_now(id);
        count();
        if (looks % looks_per_figures == 0) show_figures();
    }
}

void DriverIntake::show_figures() {
    auto figures = FifoTable::read_figures(options_.hold_dir).value_or(Figures{});
    memory_gauge_.set(static_cast<double>(figures.memory));
    full_gauge_.set(static_cast<double>(figures.waiting));
    unheld_gauge_.set(static_cast<double>(figures.unheld));
    narrow_gauge_.set(static_cast<double>(figures.narrow));
    undescribed_gauge_.set(static_cast<double>(undescribed_.size()));
    unnamed_lines_.raise_to(static_cast<double>(figures.unnamed_lines));
}

void DriverIntake::count() {
    std::uint64_t held = 0, open = 0;
    for (const auto& [id, container] : containers_) {
        for (const auto& hold : container.holds) held += hold->held_bytes();
        open += container.holds.empty() ? 0 : 1;
    }
    containers_gauge_.set(static_cast<double>(open));
    held_gauge_.set(static_cast<double>(held));
}

void DriverIntake::progressed() {
    for (auto& [id, container] : containers_)
        if (container.seal_asked_at > 0) give_back(id, container);
    run_queue_.progressed();
}

void DriverIntake::finish(std::chrono::steady_clock::time_point deadline) {
    scan();
    run_queue_.run_rest([&] { return clock_.steady() < deadline; });
    containers_.clear();
    known_.clear();
}

// ---- What the Docker intake tells and asks --------------------------------------------------------------------------

docker::LogDriverHooks DriverIntake::elsewhere(std::string driver) {
    return {.driver = std::move(driver),
            .reads = [this](const std::string& id) { return containers_.contains(id); },
            .describe = [this](Description& told) { describe(told); },
            .named = [this](const std::string& id, const std::string& name) { named(id, name); },
            .died = [this](const std::string& id, std::optional<int> code) { died(id, code); },
            .vanished = [this](const std::string& id) { vanished(id); },
            .listed =
                [this](const std::set<std::string>& there) {
                    for (auto& [id, container] : containers_) {
                        // One that was created just now may be younger than the list.
                        bool young = clock_.now() - container.facts.created < list_age_max;
                        bool over =
                            std::ranges::all_of(container.holds, [](const auto& hold) { return hold->ended(); });
                        if (there.contains(id) || !(over || !young)) continue;
                        container.removed = true;
                        mark_gone(container);
                    }
                    std::set<std::string> lost;
                    for (const auto& name : undescribed_)
                        if (!there.contains(name.container)) lost.insert(name.container);
                    for (const auto& id : lost) give_up(id);
                }};
}

// Should its hold not have ended by itself, the holder ends it.
void DriverIntake::mark_gone(const Container& container) {
    if (container.holds.empty() || container.holds.back()->ended()) return;
    auto mark = gone_mark_of(options_.hold_dir, container.holds.back()->name());
    Fd file{::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
}

// Of a container that is removed: nobody will ever say whose these lines are.
void DriverIntake::give_up(const std::string& id) {
    for (auto name = undescribed_.begin(); name != undescribed_.end();) {
        if (name->container != id) {
            ++name;
            continue;
        }
        auto path = options_.hold_dir / (name->str() + ".hold");
        auto hold = Hold::open(path);
        if (hold && !hold->ended()) {
            ++name;  // its container has just begun, or the holder is still at it
            continue;
        }
        log_.error("hold given up: its container is removed, and its description was not understood",
                   {{"hold", name->str()}, {"bytes", hold ? hold->bytes() : 0}});
        (void)remove_file(options_.hold_dir / (name->str() + ".json"));
        (void)remove_file(gone_mark_of(options_.hold_dir, *name));
        (void)remove_file(path);
        name = undescribed_.erase(name);
    }
}

DriverIntake::News& DriverIntake::early_news(const std::string& id) {
    auto [entry, is_new] = early_news_.try_emplace(id);
    if (is_new) early_order_.push_back(id);
    if (early_order_.size() > early_news_max) {
        early_news_.erase(early_order_.front());
        early_order_.pop_front();
    }
    return early_news_[id];
}

void DriverIntake::died(const std::string& id, std::optional<int> exit_code) {
    auto found = containers_.find(id);
    if (found == containers_.end()) {
        early_news(id).exit_code = exit_code;
        return;
    }
    found->second.exit_code = exit_code;
    mark_gone(found->second);
}

void DriverIntake::vanished(const std::string& id) {
    auto found = containers_.find(id);
    if (found == containers_.end()) {
        early_news(id).removed = true;
        if (std::ranges::any_of(undescribed_, [&](const auto& name) { return name.container == id; })) give_up(id);
        return;
    }
    found->second.removed = true;
    mark_gone(found->second);
}

// `docker rename`: its lines go on under the new name, from the next segment on. Whose it is stays as it was decided.
void DriverIntake::named(const std::string& id, const std::string& name) {
    auto found = containers_.find(id);
    if (found == containers_.end()) {
        early_news(id).name = name;
        return;
    }
    auto& container = found->second;
    if (name.empty() || std::exchange(container.name, name) == name || !container.feed) return;
    auto source = container.feed->source();
    source.name = name;
    auto next = batcher_.open_feed(std::move(source), container.feed->recipients(), container.feed->handover(), false);
    container.feed->hand_over(*next);
    container.feed = std::move(next);
    batcher_.seal_now(id);
}

std::uint64_t DriverIntake::Container::unread_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& one : holds) bytes += one->size() - std::min(one->size(), one->offset());
    return bytes;
}

std::map<std::string, TenantLag> DriverIntake::lag_by_tenant() const {
    std::map<std::string, TenantLag> tenants;
    for (const auto& [id, container] : containers_)
        if (auto bytes = container.unread_bytes(); bytes > 0)
            tenants[container.assignment.whose.tenant.str()] += {.containers = 0, .bytes = bytes};
    return tenants;
}

void DriverIntake::describe(Description& told) const {
    auto found = containers_.find(told.id);
    if (found == containers_.end()) return;
    const auto& container = found->second;
    describe_decision(container.assignment, told);
    told.last_error = container.trouble;
    auto hold = std::ranges::find_if(container.holds, [](const auto& one) { return !one->finished(); });
    if (hold == container.holds.end() && !container.holds.empty()) --hold;
    if (hold != container.holds.end()) {
        told.file = FileStatus{.path = (*hold)->path().string(),
                               .offset = (*hold)->offset(),
                               .size = (*hold)->size(),
                               .lag_bytes = container.unread_bytes(),
                               .files_held = 0};
    }
    if (!container.feed) return;
    describe_feed(*container.feed, batcher_, spool_, container.lines_before, told);
}

}  // namespace boatswain::intake::driver
