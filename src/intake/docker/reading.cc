// Which way each container is read, and with which terms.
#include <fcntl.h>

#include <boost/system/system_error.hpp>
#include <charconv>

#include "intake/docker/containers.h"
#include "intake/docker/file_place.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

// By opening it, not by access(2): that one asks for an ordinary user as if he had no capabilities, and reading other
// users' files is the one that the agent keeps. The dot asks for the right to search, too.
bool can_be_read(const Path& directory) {
    return static_cast<bool>(Fd{::open((directory / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)});
}

std::optional<std::size_t> max_file(const engine::ContainerFacts& facts) {
    auto option = facts.log_options.find("max-file");
    if (option == facts.log_options.end()) return std::nullopt;
    std::size_t files = 0;
    const auto& text = option->second;
    std::from_chars(text.data(), text.data() + text.size(), files);
    return files;
}

constexpr const char* lossy_api = "and Podman's API does not serve each line once";

// Without max-size the engine rotates nothing, and without max-file it keeps one file.
std::size_t files_kept(const engine::ContainerFacts& facts) {
    auto size = facts.log_options.find("max-size");
    if (size == facts.log_options.end() || size->second == "-1") return files_kept_all;
    return max_file(facts).value_or(1);
}

}  // namespace

void Containers::read_files_of(const LogLayout& layout, DirectoryWatch& watch) {
    auto told = layout_.told;
    layout_ = layout;
    if (layout_.told.empty()) layout_.told = std::move(told);
    directory_ = layout.containers;
    watch_ = &watch;
    std::vector<std::string> held, unread;
    for (auto& [id, container] : containers_) {
        if (reads_files(container.reader)) watch_->watch(id);
        if (!layout_.holds(container.facts.log_driver) || !can_be_read(layout_.directory_of(id))) continue;
        if (container.logs)
            leave_the_engine(id, container);
        else if (container.action == tenancy::Decision::Action::hold && !pump_.contains(id))
            held.push_back(id);
        else if (container.reader == Reader::none && !pump_.contains(id))
            unread.push_back(id);
    }
    if (!held.empty()) reassign(held);
    for (const auto& id : unread)
        if (auto found = containers_.find(id); found != containers_.end()) start_reading(id, found->second);
    look_at_all_logs();
}

std::pair<Containers::Reader, std::string> Containers::reader_for(const engine::ContainerFacts& facts) const {
    if (layout_.podman && facts.log_driver != "none" && facts.log_driver != "passthrough")
        return podman_reader_for(facts);
    if (facts.log_driver == "json-file" && !directory_.empty()) {
        // The directory of one that removed itself is gone; what is held open of its log is not.
        if (pump_.contains(facts.id)) return {Reader::json_file, "log driver json-file, and its log is held open"};
        if (can_be_read(layout_.directory_of(facts.id)))
            return {Reader::json_file, "log driver json-file, and its directory can be read"};
        return {Reader::logs, "log driver json-file, but its directory cannot be read"};
    }
    if (!read_policy_.elsewhere.driver.empty() && facts.log_driver == read_policy_.elsewhere.driver)
        return {Reader::driver, "log driver " + facts.log_driver + " hands its lines to this agent"};
    // Podman's: the container has its starter's own standard streams, and cannot be attached to either.
    if (facts.log_driver == "passthrough") return {Reader::none, "log driver passthrough keeps nothing to read"};
    if (facts.log_driver == "none") {
        if (read_policy_.attach) return {Reader::attach, "log driver none, and docker.attach is on"};
        if (label_is_true(facts, attach_label))
            return {Reader::attach, "log driver none, and label boatswain.attach=true"};
        return {Reader::none, "log driver none keeps nothing to read; docker.attach is off"};
    }
    return {Reader::logs, "log driver " + facts.log_driver + " is read through the engine"};
}

std::pair<Containers::Reader, std::string> Containers::podman_reader_for(const engine::ContainerFacts& facts) const {
    if (!layout_.holds(facts.log_driver))
        return {Reader::none, "Podman's log driver " + facts.log_driver + " keeps its lines elsewhere, " + lossy_api};
    if (!layout_.is_told(facts))
        return {Reader::none, "its log is not in Podman's own directory (log option path), " + std::string{lossy_api}};
    if (pump_.contains(facts.id)) return {Reader::k8s_file, "log driver k8s-file, and its log is held open"};
    if (!directory_.empty() && can_be_read(layout_.directory_of(facts.id)))
        return {Reader::k8s_file, "log driver k8s-file, and its directory can be read"};
    return {Reader::none, "log driver k8s-file, but its directory cannot be read, " + std::string{lossy_api}};
}

std::unique_ptr<batch::Feed> Containers::open_feed(const Container& container, const Assignment& assignment,
                                                   const Checkpoint& start) {
    Source source{.id = container.facts.id,
                  .kind = "docker",
                  .name = container.name,
                  .image = container.facts.image,
                  .reader = std::string{reader_name(container.reader)},
                  .whose = assignment.whose,
                  .labels = assignment.labels};
    return batcher_.open_feed(std::move(source), assignment.decision.recipients, start,
                              container.reader == Reader::attach);
}

// ---- Through the engine ---------------------------------------------------------------------------------------------

void Containers::read_through_engine(const std::string& id, Container& container, std::unique_ptr<batch::Feed> feed,
                                     const TimePosition& from) {
    container.reader = Reader::logs;
    container.to_files = false;
    container.logs = std::make_shared<LogsReader>(client_, container.facts, std::move(feed), from, *container.life,
                                                  stream_counters_, suspects_, clock_, log_);
    readers_.spawn("read " + id, run_logs_reader(container.logs, container.life, id, *this));
}

// Owns `life`, to which the reader refers.
asio::awaitable<void> Containers::run_logs_reader(std::shared_ptr<LogsReader> reader, std::shared_ptr<ContainerState>,
                                                  std::string id, Containers& of) {
    try {
        co_await reader->run();
    } catch (const boost::system::system_error&) {
        auto found = of.containers_.find(id);
        if (found == of.containers_.end() || !found->second.to_files) throw;
    }
    auto found = of.containers_.find(id);
    if (found != of.containers_.end() && found->second.to_files)
        of.go_on_in_files(id);
    else
        of.read_to_its_end(id);
}

void Containers::leave_the_engine(const std::string& id, Container& container) {
    if (container.closing || !container.logs->open_feed() || std::exchange(container.to_files, true)) return;
    readers_.cancel("read " + id);
}

// In the same feed: what is taken from the files follows what it holds.
void Containers::go_on_in_files(const std::string& id) {
    auto& container = containers_.at(id);
    container.to_files = false;
    auto from = container.logs->taken();
    auto feed = container.logs->take_feed();
    container.logs.reset();
    Checkpoint start{.position = from};
    if (!find_in_files(container, start.position)) {
        log_.warning("where a log stands is not found in its files; it is read through the engine on",
                     {{"container", id.substr(0, 12)}, {"name", container.name}});
        return read_through_engine(id, container, std::move(feed), from);
    }
    container.reader = Reader::json_file;
    container.why = "log driver json-file, and its directory can be read by now";
    read_from_files(id, container, std::move(feed), start);
    pump_.set_running(id, container.life->running || !container.facts.started_at);
    if (container.life->removed) pump_.notice_removal(id);
    log_.info("container read from its files from now on", {{"container", id.substr(0, 12)}, {"name", container.name}});
}

bool Containers::find_in_files(const Container& container, Position& position) const {
    const auto* taken = std::get_if<TimePosition>(&position);
    if (!taken || layout_.podman) return true;
    if (*taken == TimePosition{}) {
        position = NoPosition{};
        return true;
    }
    auto place = place_in_files(log_path(container.facts.id), *taken, !container.facts.tty);
    if (place) position = *place;
    return place.has_value();
}

// ---- From its files -------------------------------------------------------------------------------------------------

void Containers::read_from_files(const std::string& id, const Container& container, std::unique_ptr<batch::Feed> feed,
                                 const Checkpoint& start) {
    bool watched = watch_->watch(id);
    if (!pump_.contains(id)) {
        pump_.add(id, file_reader(id, start, watched), std::move(feed));
        return;
    }
    if (auto birth = log_birth(container.facts)) pump_.note_birth(id, *birth);
    pump_.change_feed(id, std::move(feed));
}

std::unique_ptr<LogFileReader> Containers::file_reader(const std::string& id, const Checkpoint& start, bool watched) {
    LogTerms terms;
    if (auto found = containers_.find(id); found != containers_.end()) {
        const auto& facts = found->second.facts;
        terms = {
            .birth = log_birth(facts), .files_kept = files_kept(facts), .passed_over_until = passed_over_until(facts)};
    }
    if (layout_.podman) {
        // Whether and when it rotates is in its own configuration, which its API does not tell.
        terms.files_kept = 1;
        terms.replaced = true;
        terms.births_told = watched;
        terms.below = layout_.containers;
        // An older Boatswain read it through the engine, whose times have whole seconds.
        if (const auto* taken = std::get_if<TimePosition>(&start.position); taken && *taken != TimePosition{})
            terms.passed_over_until = std::max(taken->out, taken->err);
    }
    const auto* position = std::get_if<FilePosition>(&start.position);
    return std::make_unique<LogFileReader>(layout_.form(), log_path(id),
                                           position ? std::optional{*position} : std::nullopt, std::move(terms), clock_,
                                           pump_.counters(), log_);
}

// Podman's, of which nothing is known yet. False: there is no log.
bool Containers::hold(const std::string& id) {
    if (directory_.empty()) return false;
    if (pump_.contains(id)) return true;
    std::error_code problem;
    if (!std::filesystem::exists(log_path(id), problem)) return false;
    bool watched = watch_->watch(id);
    pump_.park(id, {}, file_reader(id, spool_.checkpoint(id).value_or(Checkpoint{}), watched));
    held_unknown_.insert(id);
    return true;
}

void Containers::let_go_of(const std::string& id) {
    if (held_unknown_.erase(id) > 0) pump_.remove(id);
}

// Nothing for a container that started before this state directory was made: nobody promised its first lines.
std::optional<LogBirth> Containers::log_birth(const engine::ContainerFacts& facts) const {
    auto in_care_since = spool_.state_began();
    if (!facts.started_at || !in_care_since || *facts.started_at < *in_care_since) return std::nullopt;
    LogBirth birth{.started = *facts.started_at,
                   .started_before = facts.finished_at && *facts.finished_at < *facts.started_at};
    birth.files_max = max_file(facts).value_or(0);
    return birth;
}

// The state that a new agent makes: one that lost its state (spool_.state_lost) does not know what it had not sealed
// yet.
std::optional<Timestamp> Containers::passed_over_until(const engine::ContainerFacts& facts) const {
    auto first_start = spool_.state_began();
    if (!first_start || spool_.state_lost() || !facts.started_at || *facts.started_at >= *first_start)
        return std::nullopt;
    if (read_policy_.from_first_start) return first_start;
    return read_policy_.age_max.count() > 0 ? std::optional{*first_start - read_policy_.age_max} : std::nullopt;
}

}  // namespace boatswain::intake::docker
