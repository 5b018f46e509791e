#include "intake/docker/discovery.h"

#include <algorithm>
#include <random>
#include <ranges>
#include <set>

#include "net/error.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds reconnect_wait_min{100};
constexpr std::chrono::milliseconds reconnect_wait_max{10'000};
// Events are asked for again from so much before the last one seen: repeated ones do no harm.
constexpr std::chrono::seconds event_margin{10};
// At once. Each answer can be as long as the engine's client takes: tenants choose how long labels and environment are.
constexpr std::size_t inspections_max = 4;

Counter& long_events(Metrics& metrics, std::string outcome) {
    return metrics.counter("boatswain_engine_odd_events_total",
                           "Events of the engine that were read without their labels (shortened), or not at all",
                           {{"outcome", std::move(outcome)}});
}

std::set<std::string> ids_of(const engine::ContainerList& list) {
    std::set<std::string> ids;
    for (const auto& summary : list.containers) ids.insert(summary.id);
    return ids;
}

}  // namespace

Discovery::Discovery(asio::any_io_executor executor, Path root, engine::Client& client, const Assigner& assigner,
                     Containers& containers, DirectoryNews& news, net::TaskGroup& tasks, spool::Spool& spool,
                     const Clock& clock, Metrics& metrics, Log& log, std::chrono::milliseconds pause_between_lists)
    : root_(std::move(root)),
      client_(client),
      assigner_(assigner),
      containers_(containers),
      news_(news),
      tasks_(tasks),
      clock_(clock),
      log_(log),
      reconnects_(metrics.counter("boatswain_engine_reconnects_total", "Times the connection to the engine broke")),
      untold_(metrics.counter("boatswain_containers_untold_total",
                              "Containers that the engine's list had otherwise than its events had told")),
      shortened_events_(long_events(metrics, "shortened")),
      unread_events_(long_events(metrics, "passed-over")),
      doubted_(metrics.counter("boatswain_engine_lists_doubted_total",
                               "Lists of the engine that were asked for again: most known containers were missing")),
      known_engine_(containers.terms().engine_id, spool, clock, log),
      list_pause_(pause_between_lists),
      session_(executor, log),
      list_soon_(executor) {
    news_.ask_with([this](const std::string& id) {
        if (connected_) inspect(id);
    });
}

Nanoseconds Discovery::stale_for() const { return stale_since_ ? clock_.steady() - *stale_since_ : Nanoseconds{0}; }

void Discovery::note_staleness(const Result<void>& ended) {
    if (ended || ended.error().cause != engine::stale_socket)
        stale_since_.reset();
    else if (!stale_since_)
        stale_since_ = clock_.steady();
}

void Discovery::set_connected(bool connected) {
    connected_ = connected;
    containers_.engine_followed(connected);
}

asio::awaitable<void> Discovery::run() {
    auto wait = reconnect_wait_min;
    std::minstd_rand random{std::random_device{}()};
    for (const auto& one : containers_.removed_while_away({})) known_ids_.insert(one.id);
    for (;;) {
        auto started = clock_.steady();
        auto ended = co_await one_session();
        session_.cancel();
        co_await session_.join();
        inspecting_.clear();
        telling_ = false;
        set_connected(false);
        last_error_ = ended ? "the engine closed the stream of events" : ended.error().what;
        note_staleness(ended);
        reconnects_.add();
        if (clock_.steady() - started > std::chrono::seconds{30}) wait = reconnect_wait_min;
        std::uniform_int_distribution<std::int64_t> jittered{wait.count() / 2, wait.count()};
        std::chrono::milliseconds pause{jittered(random)};
        log_.warning("engine not followed; connecting again", {{"error", last_error_}, {"wait_ms", pause.count()}});
        co_await net::sleep_for(pause);
        wait = std::min(wait * 2, reconnect_wait_max);
    }
}

asio::awaitable<Result<void>> Discovery::one_session() {
    CO_TRY(auto engine, co_await client_.negotiate());
    auto layout = layout_of(engine, root_);
    known_engine_.met(engine, layout.containers);
    containers_.engine_met(layout);
    // What may be Podman's is known by its answer alone.
    if (layout.podman || (root_.empty() && !news_.watching())) news_.watch(layout, tasks_);
    std::optional<Timestamp> since;
    if (last_event_) since = *last_event_ - event_margin;
    CO_TRY(auto events, co_await client_.events(since));
    set_connected(true);
    last_error_.clear();
    log_.info("engine followed", {{"engine", engine.podman ? "Podman" : "Docker"},
                                  {"version", engine.version},
                                  {"api", engine.spoken_api_version},
                                  {"offers", engine.api_version},
                                  {"host", engine.name}});
    if (engine.newer && !std::exchange(told_of_newer_, true))
        log_.warning(
            "this engine takes only API versions that are newer than this Boatswain: a newer one should read it",
            {{"api", engine.spoken_api_version}});

    // The engine skips a subscriber that does not read: the list and all inspections run beside this loop.
    session_.spawn("list containers", reconcile());
    session_.spawn("list containers now and then", list_now_and_then());
    told_of_long_events_ = false;
    for (;;) {
        auto event = co_await events->next();
        if (event)
            take_event(*event);
        else if (event.error().remedy == Remedy::quarantine)
            miss_event(event.error());
        else
            co_return std::unexpected(std::move(event).error());
    }
}

// What it would have told, the list does.
void Discovery::miss_event(const Error& error) {
    unread_events_.add();
    if (!std::exchange(told_of_long_events_, true))
        log_.warning("an event of the engine was not read; its list is asked for instead", {{"error", error}});
    list_soon_.notify();
}

asio::awaitable<void> Discovery::reconcile() {
    // One that is born while the engine makes its list may not be on it.
    auto before = containers_.ids();
    auto listed = co_await list();
    if (!listed) {
        log_.warning("containers not listed", {{"error", listed.error()}});
        co_await net::sleep_for(reconnect_wait_max);
        session_.spawn("list containers", reconcile());
        co_return;
    }
    known_engine_.listed(
        std::ranges::any_of(ids_of(*listed), [this](const auto& id) { return known_ids_.contains(id); }),
        !known_ids_.empty());
    co_await take_removals(*listed, std::move(before));
    for (const auto& id : ids_of(*listed)) co_await inspect_when_there_is_room(id);
    co_await tell_of_the_removed(*listed);
}

asio::awaitable<void> Discovery::list_now_and_then() {
    for (;;) {
        co_await list_soon_.wait_for(list_pause_);
        co_await net::sleep_for(std::min(list_soon_pause, list_pause_));
        auto before = containers_.ids();
        known_engine_.look_again();
        auto listed = co_await list();
        if (!listed) {
            log_.warning("containers not listed", {{"error", listed.error()}});
            continue;
        }
        untold_.add(co_await take_removals(*listed, std::move(before)));
        for (const auto& summary : listed->containers) {
            if (containers_.stands_as(summary)) continue;
            if (!containers_.is_known_of(summary.id)) untold_.add();
            co_await inspect_when_there_is_room(summary.id);
        }
        co_await tell_of_the_removed(*listed);
    }
}

std::vector<std::string> Discovery::all_missing(const engine::ContainerList& list,
                                                const std::vector<std::string>& before) const {
    auto there = ids_of(list);
    auto missing = containers_.missing(there, before);
    for (const auto& one : containers_.removed_while_away(there)) missing.push_back(one.id);
    return missing;
}

// The engine's list. One on which more than half of what is known is missing is asked for again: who is on either is
// there.
net::Task<engine::ContainerList> Discovery::list() {
    auto before = containers_.ids();
    CO_TRY(auto list, co_await client_.list());
    auto known = all_missing({}, before).size(), missing = all_missing(list, before).size();
    if (2 * missing <= known) co_return list;
    doubted_.add();
    log_.warning("more than half of the known containers are not on the engine's list; it is asked for again",
                 {{"missing", missing}, {"known", known}});
    co_await net::sleep_for(std::min(list_soon_pause, list_pause_));
    CO_TRY(auto again, co_await client_.list());
    again.whole = again.whole && list.whole;
    auto there = ids_of(again);
    for (auto& summary : list.containers)
        if (!there.contains(summary.id)) again.containers.push_back(std::move(summary));
    co_return again;
}

asio::awaitable<bool> Discovery::is_surely_gone(std::string id) {
    if (containers_.has_directory(id) == false) co_return true;
    auto facts = co_await client_.inspect(id, WordFilter{});
    co_return !facts && facts.error().remedy == Remedy::re_resolve;
}

// Of those that were known `before` the list: who is gone. How many of them nobody had told of.
asio::awaitable<std::size_t> Discovery::take_removals(const engine::ContainerList& list,
                                                      std::vector<std::string> before) {
    if (known_engine_.is_other()) co_return 0;
    if (!list.whole) {
        log_.warning("the engine's list is not whole: nobody who is not on it is taken for removed");
        co_return 0;
    }
    auto there = ids_of(list);
    known_ids_ = there;
    for (const auto& one : containers_.removed_while_away(there)) known_ids_.insert(one.id);
    std::size_t gone = 0;
    for (const auto& id : containers_.missing(there, before)) {
        if (co_await is_surely_gone(id)) {
            containers_.vanished(id);
            ++gone;
        } else {
            there.insert(id);
        }
    }
    if (const auto& elsewhere = containers_.terms().elsewhere; elsewhere.listed) elsewhere.listed(there);
    for (const auto& id : containers_.held_unknown())
        if (!there.contains(id) && !inspecting_.contains(id) && co_await is_surely_gone(id))
            containers_.missed(id, Error{.remedy = Remedy::re_resolve, .what = "it is not on the engine's list"});
    co_return gone;
}

// Of those that were read before this agent started, and are gone. Who is not surely gone is looked at again with the
// next list.
asio::awaitable<void> Discovery::tell_of_the_removed(const engine::ContainerList& list) {
    if (!list.whole || known_engine_.is_other() || containers_.are_removed_told() || telling_) co_return;
    telling_ = true;
    auto missing = containers_.removed_while_away(ids_of(list));
    std::vector<spool::SourceCheckpoint> removed;
    for (auto& one : missing)
        if (co_await is_surely_gone(one.id)) removed.push_back(one);
    auto again = co_await ran_once_more(removed);
    telling_ = false;
    if (!again && net::is_cancelled(again.error())) co_return;  // the next session tells
    if (!again)
        log_.warning(
            "past events not told: a container that ended, ran once more and was removed, all while no agent "
            "ran, is taken for whole",
            {{"error", again.error()}});
    // Who was found meanwhile is there.
    std::erase_if(removed,
                  [this](const auto& one) { return containers_.knows(one.id) || containers_.is_gone(one.id); });
    containers_.tell_of_the_removed(removed, again.value_or(std::set<std::string>{}));
    if (removed.size() >= missing.size()) containers_.removed_are_told();
}

asio::awaitable<void> Discovery::inspect_when_there_is_room(std::string id) {
    while (inspecting_.size() >= inspections_max) co_await net::sleep_for(std::chrono::milliseconds{5});
    inspect(id);
}

// Of those that had ended when no agent ran any more: which have run since. A start after an end that lies behind the
// last line; an engine tells of a start later than the container's first lines.
net::Task<std::set<std::string>> Discovery::ran_once_more(const std::vector<spool::SourceCheckpoint>& of) {
    std::map<std::string, Timestamp> last_lines;
    for (const auto& one : of)
        if (one.known && one.known->ended) last_lines.emplace(one.id, one.known->last_time);
    std::set<std::string> ended, again;
    if (last_lines.empty()) co_return again;
    auto since = std::ranges::min(last_lines | std::views::values);
    CO_TRY(auto events, co_await client_.past_events(since));
    for (const auto& event : events) {
        auto line = last_lines.find(event.id);
        if (line == last_lines.end() || event.time < line->second) continue;
        if (event.action == engine::Event::Action::die) ended.insert(event.id);
        if (event.action == engine::Event::Action::start && ended.contains(event.id)) again.insert(event.id);
    }
    co_return again;
}

void Discovery::inspect(const std::string& id) {
    if (inspecting_.try_emplace(id).second) session_.spawn("inspect " + id, inspect_and_adopt(id));
}

void Discovery::take_event(const engine::Event& event) {
    if (event.id.empty()) return;
    if (event.shortened) shortened_events_.add();
    last_event_ = std::max(last_event_.value_or(event.time), event.time);
    using Action = engine::Event::Action;
    if (auto inspecting = inspecting_.find(event.id); inspecting != inspecting_.end()) {
        inspecting->second.destroyed |= event.action == Action::destroy;
        if (event.action == Action::start || event.action == Action::die) {
            inspecting->second.running = event.action == Action::start;
            inspecting->second.exit_code = event.exit_code;
        }
    }
    switch (event.action) {
        case Action::create:
        case Action::start:
            if (event.action == Action::start) containers_.started(event.id, event.time);
            if (!containers_.is_gone(event.id)) inspect(event.id);
            break;
        case Action::die: containers_.died(event.id, event.exit_code); break;
        case Action::destroy: containers_.vanished(event.id); break;
        case Action::rename: inspect(event.id); break;
        case Action::other: break;
    }
}

asio::awaitable<void> Discovery::inspect_and_adopt(std::string id) {
    auto facts = co_await client_.inspect(id, assigner_.keep);
    PendingInspect meanwhile;
    if (auto asked = inspecting_.extract(id)) meanwhile = asked.mapped();
    if (facts) {
        containers_.learned(id);
        facts->running = meanwhile.running.value_or(facts->running);
        containers_.adopt(std::move(*facts));
        if (meanwhile.exit_code) containers_.ended_with(id, *meanwhile.exit_code);
        // Nobody tells of it again: without this it would be asked for its log for ever.
        if (meanwhile.destroyed) containers_.vanished(id);
        co_return;
    }
    news_.adopt(id);
    containers_.missed(id, facts.error());
}

void Discovery::list_again() {
    if (connected_) session_.spawn("list containers", reconcile());
}

asio::awaitable<void> Discovery::end() {
    session_.cancel();
    co_await session_.join();
}

}  // namespace boatswain::intake::docker
