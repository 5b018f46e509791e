// The end of a container: it is read to its end, the engine says how it ended, its source is closed.
#include <algorithm>

#include "intake/docker/containers.h"
#include "intake/source/removed_while_away.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::size_t gone_max = 512;  // the engine repeats at most the last 256 events
// How long the engine is waited for to say how a container ended whose log is gone. Podman says it from a process of its
// own, which comes late on a busy machine (over a second was seen).
constexpr std::chrono::milliseconds told_wait{5'000};

}  // namespace

void Containers::vanished(const std::string& id) {
    skipped_.erase(id);
    uninspected_.erase(id);
    if (read_policy_.elsewhere.vanished) read_policy_.elsewhere.vanished(id);
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    if (found->second.reader == Reader::driver) return drop(id);
    if (found->second.life) found->second.life->removed = true;
    set_running(found->second, false);
    pump_.notice_removal(id);
    // What is read, is read to its end first: its reader tells when that is done. What is held for a moment, waits for
    // that moment.
    if (found->second.reader != Reader::none || found->second.soon) return;
    unread_counter(found->second.action).add();
    log_.warning("container removed unread",
                 {{"container", id.substr(0, 12)}, {"name", found->second.facts.name}, {"reason", found->second.why}});
    drop(id);
}

std::vector<std::string> Containers::missing(const std::set<std::string>& there,
                                             const std::vector<std::string>& before) const {
    std::vector<std::string> missing;
    for (const auto& id : before) {
        auto known = containers_.find(id);
        if (!there.contains(id) && known != containers_.end() && !known->second.life->removed) missing.push_back(id);
    }
    return missing;
}

std::optional<bool> Containers::has_directory(const std::string& id) const {
    if (directory_.empty()) return std::nullopt;
    std::error_code problem;
    bool there = std::filesystem::exists(directory_ / id, problem);
    if (problem) return std::nullopt;
    // A data directory that is not mounted has no containers at all.
    if (!there && !std::filesystem::is_directory(directory_, problem)) return std::nullopt;
    return there;
}

// Read to its end, and gone: nothing of it will be asked for again.
void Containers::read_to_its_end(const std::string& id) {
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    auto& container = found->second;
    batcher_.seal_soon(id);
    // The log of a container that removes itself can be gone before the engine has said how it ended.
    bool may_be_told =
        engine_followed_ && !finishing_ && !container.exit_code && (layout_.podman || !container.life->removed);
    if (!may_be_told) return close_source(id);
    if (!std::exchange(container.closing, true)) readers_.spawn("close " + id, close_when_told(id, container.life));
}

asio::awaitable<void> Containers::close_when_told(std::string id, std::shared_ptr<ContainerState> life) {
    auto deadline = clock_.steady() + told_wait;
    for (;;) {
        auto found = containers_.find(id);
        if (found == containers_.end()) co_return;
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady());
        bool no_more = life->removed && !layout_.podman;  // Podman may say how it ended after that
        if (found->second.exit_code || no_more || left.count() <= 0) break;
        co_await life->changed.wait_for(left);
    }
    close_source(id);
}

void Containers::close_source(const std::string& id) {
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

bool Containers::is_gone(const std::string& id) const { return std::ranges::find(gone_, id) != gone_.end(); }

void Containers::drop(const std::string& id) {
    gone_.push_back(id);
    suspects_.forget(id);
    if (gone_.size() > gone_max) gone_.pop_front();
    depart(id);
    pump_.remove(id);
    batcher_.hold(id, false);
    auto dropped = containers_.extract(id);
    // Its lines may still be on their way here: the log driver knows when all are sealed.
    if (dropped && dropped.mapped().reader != Reader::driver) batcher_.forget_when_sealed(id);
}

// Remembers what is known of a container before it is forgotten, while its reader still stands.
void Containers::depart(const std::string& id) {
    auto found = containers_.find(id);
    if (found == containers_.end() || found->second.departed) return;
    found->second.departed = true;
    auto description = describe_one(found->second);
    description.removed = true;
    description.running = false;
    description.ended = clock_.now();
    // What is held back now goes on to be sealed, and nobody counts it for this container any more.
    description.lines_unsealed = description.open_frame_bytes = description.batch_lines = description.batch_bytes = 0;
    description.batch_age.reset();
    if (departed_.size() >= departed_max) departed_.pop_front();
    departed_.push_back(std::move(description));
}

std::vector<spool::SourceCheckpoint> Containers::removed_while_away(const std::set<std::string>& there) const {
    if (told_of_the_removed_) return {};
    auto known = spool_.known_sources();
    if (!known) {
        log_.warning("checkpoints not read: containers that were removed while no agent ran are not named",
                     {{"error", known.error()}});
        return {};
    }
    std::erase_if(*known, [&](const spool::SourceCheckpoint& one) {
        bool of_the_engine = !one.known || one.known->source.kind == "docker";
        // Read to its end since this agent runs, and forgotten as soon as that is sealed.
        return !of_the_engine || told_of_.contains(one.id) || there.contains(one.id) || knows(one.id) ||
               is_gone(one.id) || (read_policy_.elsewhere.reads && read_policy_.elsewhere.reads(one.id));
    });
    return std::move(*known);
}

void Containers::tell_of_the_removed(const std::vector<spool::SourceCheckpoint>& removed,
                                     const std::set<std::string>& ran_once_more) {
    std::vector<std::string> gone;
    for (const auto& one : removed) {
        record_removed_while_away(one, ran_once_more.contains(one.id), batcher_, clock_, metrics_, log_);
        told_of_.insert(one.id);
        suspects_.forget(one.id);
        gone.push_back(one.id);
    }
    if (!gone.empty()) batcher_.forget_when_sealed(gone);
}

void Containers::finish(std::chrono::steady_clock::time_point deadline) {
    finishing_ = true;
    pump_.read_rest(deadline);
    for (auto& [id, container] : containers_)
        if (container.attach) container.attach->end_reading();
    std::vector<std::string> ids, closing;
    for (const auto& [id, container] : containers_) (container.closing ? closing : ids).push_back(id);
    for (const auto& id : closing) close_source(id);
    for (const auto& id : ids) pump_.remove(id);
    containers_.clear();
}

}  // namespace boatswain::intake::docker
