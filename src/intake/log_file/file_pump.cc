#include "intake/log_file/file_pump.h"

#include <algorithm>

namespace boatswain::intake {
namespace {

namespace asio = boost::asio;
// How long a log whose reading failed is left alone.
constexpr std::chrono::milliseconds trouble_pause{1000};

}  // namespace

FilePump::FilePump(asio::any_io_executor executor, std::string reader, const Clock& clock, Metrics& metrics, Log& log,
                   std::function<void(const std::string&)> finished, std::function<void(const std::string&)> settled,
                   std::function<void(const std::string&, const FilePosition&)> begun,
                   std::function<void(const std::string&)> read_out)
    : finished_(std::move(finished)),
      settled_(std::move(settled)),
      read_out_(std::move(read_out)),
      begun_(std::move(begun)),
      clock_(clock),
      log_(log),
      errors_(metrics.counter("boatswain_read_errors_total", "Times a container's log could not be read",
                              {{"reader", std::move(reader)}})),
      unheld_(metrics.counter("boatswain_logs_not_held_open_total",
                              "Times a log that waits for a key was not held open, as too many were")),
      counters_(metrics),
      run_queue_(std::move(executor), [this](const std::string& id) { return take_turn(id); }) {}

void FilePump::add(const std::string& id, std::unique_ptr<LogFileReader> reader, std::unique_ptr<batch::Feed> feed) {
    // Opened at once, whether there is room for lines or not; trouble shows again at the first turn, which logs it.
    // That turn comes later, from run(): it may find the log finished, and must not call back to an owner who is in the
    // middle of adding.
    (void)reader->hold_open();
    uncount_parked(id);
    feed->set_patient(reader->outlives_rotation());
    logs_[id] = OneLog{.reader = std::move(reader), .feed = std::move(feed)};
    touch(id);
}

void FilePump::park(const std::string& id, const std::string& tenant, std::unique_ptr<LogFileReader> reader) {
    auto mine = parked_of_.find(tenant);
    if (parked_ >= parked_max || (mine != parked_of_.end() && mine->second >= parked_of_tenant_max)) {
        unheld_.add();
        return;
    }
    uncount_parked(id);
    ++parked_;
    if (!tenant.empty()) ++parked_of_[tenant];
    logs_[id] = OneLog{.reader = std::move(reader), .feed = nullptr, .tenant = tenant};
    unrested_.insert(id);
    (void)take_turn(id);
}

void FilePump::uncount_parked(const std::string& id) {
    auto found = logs_.find(id);
    if (found == logs_.end() || found->second.feed) return;
    --parked_;
    auto mine = parked_of_.find(found->second.tenant);
    if (mine != parked_of_.end() && --mine->second == 0) parked_of_.erase(mine);
}

void FilePump::change_feed(const std::string& id, std::unique_ptr<batch::Feed> feed) {
    uncount_parked(id);
    if (auto found = logs_.find(id); found != logs_.end()) {
        if (found->second.feed) found->second.feed->hand_over(*feed);
        feed->set_patient(found->second.reader->outlives_rotation());
        found->second.feed = std::move(feed);
    }
    touch(id);
}

void FilePump::close(const std::string& id, const End& end) {
    auto found = logs_.find(id);
    if (found != logs_.end() && found->second.feed && found->second.reader->opened()) found->second.feed->close(end);
}

void FilePump::remove(const std::string& id) {
    uncount_parked(id);
    logs_.erase(id);
    unrested_.erase(id);
    run_queue_.forget(id);
}

void FilePump::touch(const std::string& id) {
    auto found = logs_.find(id);
    if (found == logs_.end()) return;
    if (!found->second.unread_since) found->second.unread_since = clock_.steady();
    unrested_.insert(id);
    run_queue_.ready(id);
}

void FilePump::touch_all() {
    for (const auto& [id, log] : logs_) touch(id);
}

void FilePump::notice_births(const std::string& id, unsigned births, bool all) {
    if (auto found = logs_.find(id); found != logs_.end()) found->second.reader->notice_births(births, all);
    touch(id);
}

void FilePump::notice_births_lost() {
    for (auto& [id, log] : logs_) log.reader->notice_births_lost();
}

void FilePump::note_birth(const std::string& id, const LogBirth& birth) {
    if (auto found = logs_.find(id); found != logs_.end()) found->second.reader->note_birth(birth);
}

void FilePump::set_running(const std::string& id, bool running) {
    if (auto found = logs_.find(id); found != logs_.end()) found->second.to_settle = !running;
    touch(id);
}

void FilePump::tell_when_read(const std::string& id) {
    if (auto found = logs_.find(id); found != logs_.end()) found->second.to_tell = true;
    touch(id);
}

void FilePump::notice_removal(const std::string& id) {
    if (auto found = logs_.find(id); found != logs_.end()) found->second.reader->notice_removal();
    touch(id);
}

const LogFileReader* FilePump::reader(const std::string& id) const {
    auto found = logs_.find(id);
    return found == logs_.end() ? nullptr : found->second.reader.get();
}

const batch::Feed* FilePump::feed(const std::string& id) const {
    auto found = logs_.find(id);
    return found == logs_.end() ? nullptr : found->second.feed.get();
}

FilePump::Lag FilePump::lag() const {
    Lag lag;
    for (const auto& id : unrested_) {
        const auto& log = logs_.at(id);
        (log.feed && !log.feed->is_held() ? lag.read_bytes : lag.parked_bytes) += log.reader->lag_bytes();
    }
    return lag;
}

FilePump::OneLag FilePump::lag(const std::string& id) const {
    auto found = unrested_.contains(id) ? logs_.find(id) : logs_.end();
    if (found == logs_.end() || !found->second.feed || found->second.feed->is_held()) return {};
    const auto& log = found->second;
    OneLag lag{.bytes = log.reader->lag_bytes(), .time = log.reader->lag_time()};
    if (log.unread_since && lag.bytes > 0) lag.unread_for = clock_.steady() - *log.unread_since;
    return lag;
}

net::Turn FilePump::take_turn(const std::string& id) {
    auto found = logs_.find(id);
    return found == logs_.end() ? net::Turn::done : take_turn(id, found->second);
}

net::Turn FilePump::take_turn(const std::string& id, OneLog& log) {
    if (!log.feed) {
        // Opens what there is and no more; what fails now is tried again when there is somebody to read for.
        (void)log.reader->hold_open();
        return net::Turn::done;
    }
    if (clock_.steady() < log.not_before) return net::Turn::no_room;
    auto bytes_max = log.feed->ask_room();
    if (bytes_max == 0) return net::Turn::no_room;
    auto step = log.reader->read_some(*log.feed, buffer_, bytes_max);
    if (!step) {
        if (step.error().remedy == Remedy::retry) return net::Turn::worked;
        errors_.add();
        log.reader->note_trouble(step.error());
        log_.warning("log not read; trying again", {{"container", id}, {"error", step.error()}});
        log.not_before = clock_.steady() + trouble_pause;
        return net::Turn::no_room;
    }
    if (auto beginning = log.reader->take_beginning()) begun_(id, *beginning);
    if (log.feed->has_pending()) pending_.insert(id);
    switch (*step) {
        case LogFileReader::Step::more: log.unread_since = clock_.steady(); return net::Turn::worked;
        case LogFileReader::Step::at_end:
            log.unread_since.reset();
            if (log.reader->lag_bytes() == 0) unrested_.erase(id);
            if (std::exchange(log.to_settle, false)) {
                log.reader->settle(*log.feed);
                settled_(id);
            }
            if (std::exchange(log.to_tell, false)) read_out_(id);
            return net::Turn::done;
        case LogFileReader::Step::waits: return net::Turn::no_room;
        case LogFileReader::Step::finished: finished_(id); return net::Turn::done;
    }
    return net::Turn::done;
}

void FilePump::put_down() {
    std::erase_if(pending_, [this](const auto& id) {
        auto found = logs_.find(id);
        if (found == logs_.end() || !found->second.feed) return true;
        auto& log = found->second;
        if (log.feed->should_put_down()) log.reader->put_down(*log.feed);
        return !log.feed->has_pending();
    });
}

void FilePump::read_rest(std::chrono::steady_clock::time_point deadline) {
    touch_all();
    run_queue_.run_rest([&] { return clock_.steady() < deadline; });
}

}  // namespace boatswain::intake
