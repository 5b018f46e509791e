#include "intake/docker/containers.h"

#include <algorithm>

#include "intake/source/source_feed.h"
#include "tenancy/mesos_sandbox.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::size_t skipped_max = 10'000;
constexpr const char* suspects_note = "engine.suspects";

// What a container costs in memory beside the words kept of it, by how it is read: nodes of maps, a reader's own
// members; with the engine's answer, a coroutine, a connection and what is known again of what was served. Estimates.
constexpr std::size_t container_cost = 6U << 10;
constexpr std::size_t stream_cost = 48U << 10;

std::string_view name_of(tenancy::Decision::Action action) { return tenancy::to_string(action); }

}  // namespace

Containers::Containers(asio::any_io_executor executor, ReadPolicy terms, engine::Client& client,
                       const Assigner& assigner, batch::Batcher& batcher, spool::Spool& spool, const Clock& clock,
                       Metrics& metrics, Log& log)
    : executor_(executor),
      read_policy_(std::move(terms)),
      client_(client),
      assigner_(assigner),
      batcher_(batcher),
      spool_(spool),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      stream_counters_(metrics),
      suspects_(
          spool.note(suspects_note),
          [this](const std::string& text) {
              if (auto done = spool_.set_note(suspects_note, text); !done)
                  log_.warning("what the engine was asked for when it vanished is not kept in the state",
                               {{"error", done.error()}});
          },
          clock, metrics, log),
      pump_(
          executor, "json-file", clock, metrics, log, [this](const std::string& id) { read_to_its_end(id); },
          [this](const std::string& id) { note_ended(id, true); },
          [this](const std::string& id, const FilePosition& from) {
              batcher_.note_begun(*pump_.feed(id), from, containers_.at(id).facts.created);
          }),
      readers_(executor, log) {
    // Shown from the start, so that the first one is seen as a change.
    using Action = tenancy::Decision::Action;
    for (auto action : {Action::seal, Action::quarantine, Action::drop, Action::hold}) unread_counter(action);
    missed_counter();
    for (auto label : {exclude_label, attach_label}) misread_labels_counter(label);
}

Containers::~Containers() = default;

asio::awaitable<void> Containers::read_files() { return pump_.run(); }

asio::awaitable<void> Containers::end_readers() {
    readers_.cancel();
    co_await readers_.join();
}

std::vector<std::string> Containers::ids() const {
    std::vector<std::string> ids;
    for (const auto& [id, container] : containers_) ids.push_back(id);
    return ids;
}

bool Containers::stands_as(const engine::ContainerSummary& summary) const {
    if (is_gone(summary.id)) return true;
    if (auto skipped = skipped_.find(summary.id); skipped != skipped_.end()) return true;
    auto found = containers_.find(summary.id);
    if (found == containers_.end()) return false;
    const auto& container = found->second;
    bool runs = summary.state == "running" || summary.state == "paused";
    bool rests = summary.state == "exited" || summary.state == "created";
    return container.life->running ? !rests : !runs;
}

Counter& Containers::unread_counter(tenancy::Decision::Action action) {
    return metrics_.counter("boatswain_containers_unread_total",
                            "Containers that were removed and of which nothing was read, by why",
                            {{"action", std::string{tenancy::to_string(action)}}});
}

Counter& Containers::misread_labels_counter(std::string_view label) {
    return metrics_.counter("boatswain_labels_not_understood_total",
                            "Containers with a label of ours whose value is neither true nor false",
                            {{"label", std::string{label}}});
}

Counter& Containers::missed_counter() {
    return metrics_.counter("boatswain_containers_missed_total",
                            "Containers that were gone before anything was learned of them");
}

// ---- What discovery tells -------------------------------------------------------------------------------------------

Containers::Exclusion Containers::exclusion_of(const engine::ContainerFacts& facts) const {
    if (std::ranges::find(read_policy_.own_ids, facts.id) != read_policy_.own_ids.end())
        return {.against = "it is Boatswain's own container", .open = {}};
    const auto& selection = read_policy_.selection;
    if (!assigner_.starter || !selection.hangs_on_a_label(facts))
        return {.against = selection.reason_against(facts, facts), .open = {}};
    auto starter = assigner_.starter(facts);
    if (starter.is == Starter::Is::known)
        return {.against = selection.reason_against(facts, starter.facts), .open = {}};
    return {.against = {}, .open = std::move(starter)};
}

Assignment Containers::assignment_of(const engine::ContainerFacts& facts) const {
    auto open = exclusion_of(facts).open;
    if (!open) return assigner_.assign(facts);
    Assignment held;
    held.decision.lack = tenancy::Lack::words;
    held.decision.reason = "a label excludes it, and it is not known yet whether its image set that: " + open->why;
    held.whose.app = facts.name;
    held.soon = open->is == Starter::Is::asked;
    return held;
}

// One that was held until it was known whose word a label is.
bool Containers::exclude_late(const std::string& id, Container& container) {
    auto against = exclusion_of(container.facts).against;
    if (!against) return false;
    if (container.life->removed) {
        drop(id);
        return true;
    }
    pump_.remove(id);
    auto facts = std::move(container.facts);
    facts.running = container.life->running;
    facts.name = container.name;
    containers_.erase(id);
    skip(std::move(facts), std::move(*against));
    return true;
}

std::string_view Containers::excluded_by(const Skipped& skipped) {
    if (skipped.own) return "own";
    if (skipped.reason.starts_with("label ")) return "label";
    return skipped.reason.starts_with("exclude rule ") ? "exclude" : "include";
}

void Containers::skip(engine::ContainerFacts facts, std::string reason) {
    auto id = facts.id;
    if (skipped_.size() >= skipped_max && !skipped_.contains(id)) skipped_.erase(skipped_.begin());
    Skipped skipped{.name = facts.name,
                    .image = facts.image,
                    .log_driver = facts.log_driver,
                    .created = facts.created,
                    .running = facts.running,
                    .own = std::ranges::find(read_policy_.own_ids, id) != read_policy_.own_ids.end(),
                    .reason = reason};
    auto [entry, is_new] = skipped_.try_emplace(id, std::move(skipped));
    if (!is_new) std::tie(entry->second.running, entry->second.name) = std::tie(facts.running, facts.name);
    if (!is_new) return;
    log_.info("container not read", {{"container", id}, {"name", facts.name}, {"reason", reason}});
}

void Containers::tell_of_labels(const engine::ContainerFacts& facts) {
    for (auto label : labels_not_understood(facts)) {
        misread_labels_counter(label).add();
        log_.warning("label is neither true nor false, and is not obeyed",
                     {{"container", facts.id.substr(0, 12)}, {"name", facts.name}, {"label", label}});
    }
}

void Containers::adopt(engine::ContainerFacts facts) {
    auto id = facts.id;
    facts.attributes = tenancy::sandbox_attributes(std::exchange(facts.mounts, {}), tenancy::read_link);
    std::optional<int> exit_code;
    if (!facts.running && facts.finished_at) exit_code = facts.exit_code;
    if (auto known = containers_.find(id); known != containers_.end()) {
        if (!facts.name.empty() && known->second.name != facts.name) rename(id, known->second, facts.name);
        if (exit_code) known->second.exit_code = exit_code;
        // One that never ran has not ended, and may be printing by now.
        bool told_of_running = facts.running || facts.started_at;
        bool running = facts.running;
        learn_words(id, known->second, std::move(facts));
        // Assigning it again can have given it up.
        known = containers_.find(id);
        if (known != containers_.end() && told_of_running) set_running(known->second, running);
        return;
    }
    // An answer of the engine's that was on its way while the container was read to its end.
    if (is_gone(id)) return;
    if (!skipped_.contains(id)) tell_of_labels(facts);
    if (auto against = exclusion_of(facts).against) {
        let_go_of(id);
        return skip(std::move(facts), std::move(*against));
    }
    held_unknown_.erase(id);
    uninspected_.erase(id);
    if (facts.running && facts.started_at) suspects_.started(id, *facts.started_at);
    auto& container = containers_[id];
    container.facts = std::move(facts);
    container.name = container.facts.name;
    container.exit_code = exit_code;
    container.life = std::make_shared<ContainerState>(executor_);
    container.life->running = container.facts.running;
    container.life->read_whole = [this, id] { note_ended(id, true); };
    start_reading(id, container);
}

// Of what is read from here the directory says where it is.
void Containers::engine_met(const LogLayout& layout) {
    layout_.podman = layout.podman;
    layout_.told = layout.told;
}

void Containers::engine_followed(bool followed) {
    engine_followed_ = followed;
    suspects_.engine_followed(followed);
}

void Containers::started(const std::string& id, Timestamp when) {
    if (auto skipped = skipped_.find(id); skipped != skipped_.end()) skipped->second.running = true;
    auto known = containers_.find(id);
    if (known == containers_.end()) return;
    known->second.exit_code.reset();
    suspects_.started(id, when);
    set_running(known->second, true);
}

void Containers::died(const std::string& id, std::optional<int> exit_code) {
    if (auto skipped = skipped_.find(id); skipped != skipped_.end()) skipped->second.running = false;
    if (read_policy_.elsewhere.died) read_policy_.elsewhere.died(id, exit_code);
    auto known = containers_.find(id);
    if (known == containers_.end()) return;
    known->second.exit_code = exit_code;
    set_running(known->second, false);
}

void Containers::ended_with(const std::string& id, int exit_code) {
    if (auto known = containers_.find(id); known != containers_.end()) known->second.exit_code = exit_code;
}

void Containers::missed(const std::string& id, const Error& error) {
    if (knows(id) || is_gone(id) || (read_policy_.elsewhere.reads && read_policy_.elsewhere.reads(id))) return;
    if (error.remedy == Remedy::re_resolve) let_go_of(id);
    // Asked for again every minute, and told once.
    if (!uninspected_.contains(id)) {
        missed_counter().add();
        log_.warning("container not inspected", {{"container", id}, {"error", error}});
    }
    if (uninspected_.size() < skipped_max) uninspected_[id] = {.when = clock_.now(), .what = error.what};
}

// ---- What is read, and how ------------------------------------------------------------------------------------------

bool Containers::take(const Assignment& assignment, Container& container) {
    const auto& decision = assignment.decision;
    bool news = std::tie(container.action, container.reason, container.whose.tenant) !=
                std::tie(decision.action, decision.reason, assignment.whose.tenant);
    container.action = decision.action;
    container.lack = decision.lack;
    container.reason = decision.reason;
    container.whose = assignment.whose;
    container.carried = assignment.carried;
    container.place = assignment.place;
    return news;
}

void Containers::start_reading(const std::string& id, Container& container) {
    auto assignment = assignment_of(container.facts);
    bool news = take(assignment, container);
    std::tie(container.reader, container.why) = reader_for(container.facts);
    using Action = tenancy::Decision::Action;
    bool takes_lines = container.action == Action::seal || container.action == Action::quarantine;
    if (news)
        log_.info("container found", {{"container", id.substr(0, 12)},
                                      {"name", container.facts.name},
                                      {"tenant", assignment.whose.tenant.str()},
                                      {"app", assignment.whose.app},
                                      {"rule", assignment.whose.tenant_rule},
                                      {"action", name_of(container.action)},
                                      {"reason", assignment.decision.reason},
                                      {"reader", container.why}});
    if (auto words = container.facts.words_too_long; news && words > 0)
        log_.warning("words of a container are too long to be looked at",
                     {{"container", id.substr(0, 12)}, {"name", container.facts.name}, {"words", words}});
    container.soon = assignment.soon;
    container.charge = batch::Charge::standing(batcher_.budget(), cost_of(container));
    if (container.reader == Reader::driver) {
        if (read_policy_.elsewhere.named) read_policy_.elsewhere.named(id, container.name);
        return;
    }
    auto start = spool_.checkpoint(id).value_or(Checkpoint{});
    if (reads_files(container.reader) && !pump_.contains(id) && !find_in_files(container, start.position)) {
        container.reader = Reader::logs;
        container.why = "it was read through the engine so far, and where it stands is not found in its files";
    }
    if (!takes_lines) {
        // Not read: its own log keeps the lines until a key is there (hold), or for nobody (drop). What is held is held
        // open, so that it can still be read when the container is removed in the meantime.
        if (container.action == Action::hold && reads_files(container.reader) && !pump_.contains(id)) {
            bool watched = watch_->watch(id), known = container.whose.tenant != TenantId::unassigned();
            pump_.park(id, known ? container.whose.tenant.str() : std::string{}, file_reader(id, start, watched));
        }
        container.reader = Reader::none;
        container.why = assignment.decision.reason;
        if (container.life->removed && !container.soon) vanished(id);
        return;
    }

    if (!container.lines_before) container.lines_before = start.lines;
    auto feed = container.reader == Reader::none ? nullptr : open_feed(container, assignment, start);
    if (feed) append_state_lost(*feed, spool_, start, container.facts.created);
    auto& life = *container.life;
    switch (container.reader) {
        case Reader::none:
        case Reader::driver: break;
        case Reader::json_file:
        case Reader::k8s_file:
            read_from_files(id, container, std::move(feed), start);
            pump_.set_running(id, life.running || !container.facts.started_at);
            break;
        case Reader::logs: {
            const auto* position = std::get_if<TimePosition>(&start.position);
            read_through_engine(id, container, std::move(feed), position ? *position : TimePosition{});
            break;
        }
        case Reader::attach:
            container.attach = std::make_shared<AttachReader>(client_, container.facts, std::move(feed), life,
                                                              stream_counters_, clock_, log_);
            readers_.spawn("attach " + id,
                           [](auto reader, auto alive,
                              auto self) -> asio::awaitable<void> {
                               co_await reader->run();
                               self->read_to_its_end(alive->first);
                           }(container.attach,
                                         std::make_shared<std::pair<std::string, std::shared_ptr<ContainerState>>>(
                                             id, container.life),
                                         this));
            break;
    }
}

std::size_t Containers::cost_of(const Container& container) {
    bool streams = container.reader == Reader::logs || container.reader == Reader::attach;
    return container_cost + (streams ? stream_cost : 0) + engine::cost_of(container.facts);
}

void Containers::reassign() {
    for (const auto& id : ids()) {  // starting to read, or giving up, can change the map
        auto found = containers_.find(id);
        if (found != containers_.end()) assign_anew(id, found->second);
    }
}

void Containers::reassign(const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
        auto found = containers_.find(id);
        if (found != containers_.end()) assign_anew(id, found->second);
    }
}

void Containers::put_down() {
    pump_.put_down();
    for (auto& [id, container] : containers_)
        if (container.logs) container.logs->put_down();
}

void Containers::forget_words() {
    for (auto& [id, container] : containers_) container.words_forgotten = true;
}

void Containers::learn_words(const std::string& id, Container& container, engine::ContainerFacts facts) {
    if (!std::exchange(container.words_forgotten, false)) return;
    container.facts.labels = std::move(facts.labels);
    container.facts.environment = std::move(facts.environment);
    container.facts.attributes = std::move(facts.attributes);
    container.facts.words_too_long = facts.words_too_long;
    container.charge.resize(cost_of(container));
    assign_anew(id, container);
}

void Containers::assign_anew(const std::string& id, Container& container) {
    if (container.words_forgotten) return;
    const auto* feed = container.logs     ? &container.logs->feed()
                       : container.attach ? &container.attach->feed()
                                          : pump_.feed(id);
    if (!feed) {
        if (exclude_late(id, container)) return;
        if (container.action == tenancy::Decision::Action::hold ||
            container.action == tenancy::Decision::Action::drop || container.reader == Reader::driver)
            start_reading(id, container);
        return;
    }
    auto assignment = assigner_.assign(container.facts);
    auto change = reassign_feed(*feed, assignment);
    bool stops = change == Reassignment::stop;
    if (stops && container.life->removed && assignment.decision.action == tenancy::Decision::Action::drop)
        return give_up(id, assignment);
    if (change == Reassignment::none) return;
    if (!take(assignment, container) && stops) return;
    batcher_.hold(id, stops);
    log_.info("container assigned again", {{"container", id.substr(0, 12)},
                                           {"tenant", assignment.whose.tenant.str()},
                                           {"action", name_of(container.action)},
                                           {"reason", assignment.decision.reason}});
    if (stops) return;
    if (change == Reassignment::go_on) return progress(id, container);
    change_feed(id, container, open_feed(container, assignment, feed->handover()));
}

// Where reading stands goes on in `next`: what is appended to it follows what the feed before holds.
void Containers::change_feed(const std::string& id, Container& container, std::unique_ptr<batch::Feed> next) {
    if (container.logs)
        container.logs->change_feed(std::move(next));
    else if (container.attach)
        container.attach->change_feed(std::move(next));
    else
        pump_.change_feed(id, std::move(next));
}

// `docker rename`: whose it is stays as it was decided. Its lines go on under the new name, from the next segment on:
// a segment has one name for a source.
void Containers::rename(const std::string& id, Container& container, const std::string& name) {
    log_.info("container renamed", {{"container", id.substr(0, 12)}, {"from", container.name}, {"to", name}});
    std::erase(container.former_names, name);
    container.former_names.push_back(std::exchange(container.name, name));
    if (container.former_names.size() > former_names_max) container.former_names.erase(container.former_names.begin());
    if (container.reader == Reader::driver && read_policy_.elsewhere.named) read_policy_.elsewhere.named(id, name);
    const auto* feed = feed_of(container);
    if (!feed) return;
    auto source = feed->source();
    source.name = name;
    change_feed(id, container,
                batcher_.open_feed(std::move(source), feed->recipients(), feed->handover(), feed->unreplayable()));
    batcher_.seal_now(id);
}

// Its key file was removed so long ago that what is left of it is not read any more.
void Containers::give_up(const std::string& id, const Assignment& assignment) {
    auto& container = containers_.at(id);
    take(assignment, container);
    unread_counter(container.action).add();
    log_.warning("removed container given up, its last lines unread",
                 {{"container", id.substr(0, 12)}, {"name", container.facts.name}, {"reason", container.reason}});
    drop(id);
}

void Containers::progress(const std::string& id, Container& container) {
    pump_.touch(id);
    container.life->changed.notify();
}

void Containers::set_running(Container& container, bool running) {
    auto& life = *container.life;
    life.running = running && !life.removed;
    if (life.running) ++life.starts;
    if (life.running) note_ended(container.facts.id, false);
    life.changed.notify();
    pump_.set_running(container.facts.id, life.running);
}

// Known after a restart, should it be removed in between: whether there was more to come.
void Containers::note_ended(const std::string& id, bool ended) {
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    auto& noted = found->second.ended;
    if (noted.value_or(spool_.ended(id)) == ended) return;
    noted = ended;
    batcher_.note_ended(id, ended);
}

void Containers::progressed() {
    pump_.progressed();
    for (auto& [id, container] : containers_)
        if (container.logs) container.life->changed.notify();
}

}  // namespace boatswain::intake::docker
