#include "boatswaind/heartbeat_publisher.h"

namespace boatswain::boatswaind {

namespace {
constexpr std::string_view metric_name = "boatswain_heartbeats_total";
constexpr std::string_view metric_help = "Heartbeats that were put into the store, or could not be";
}  // namespace

HeartbeatPublisher::HeartbeatPublisher(store::Store& store, std::optional<heartbeat::HostKey> key, Metrics& metrics,
                                       Log& log)
    : store_(store),
      key_(std::move(key)),
      put_(metrics.counter(metric_name, metric_help, {{"result", "put"}})),
      failed_(metrics.counter(metric_name, metric_help, {{"result", "failed"}})),
      log_(log),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

HeartbeatPublisher::~HeartbeatPublisher() = default;

void HeartbeatPublisher::beat(heartbeat::Heartbeat heartbeat) {
    std::lock_guard lock{mutex_};
    next_ = std::move(heartbeat);
    changed_.notify_one();
}

bool HeartbeatPublisher::finish(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    next_.reset();
    thread_.request_stop();
    return changed_.wait_until(lock, deadline, [&] { return !busy_; });
}

void HeartbeatPublisher::run(const std::stop_token& stop) {
    for (;;) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait(lock, stop, [&] { return next_.has_value(); })) return;
        auto heartbeat = std::move(*next_);
        next_.reset();
        busy_ = true;
        lock.unlock();
        auto put = heartbeat::put(store_, heartbeat, key_);
        (put ? put_ : failed_).add();
        if (!put && !told_of_trouble_) log_.warning("heartbeat not put", {{"error", put.error()}});
        if (put && told_of_trouble_) log_.info("heartbeat put again");
        told_of_trouble_ = !put;
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

Result<std::optional<heartbeat::HostKey>> HeartbeatPublisher::key_for(const Path& file, const std::string& host) {
    if (file.empty()) return std::optional<heartbeat::HostKey>{};
    auto key = heartbeat::read_key(file);
    if (!key) {
        auto error = std::move(key).error().within("fleet.key");
        error.remedy = Remedy::stop;
        return std::unexpected(std::move(error));
    }
    auto own = heartbeat::key_of(*key, host);
    if (!own)
        return fail(Remedy::stop, "fleet.key: " + file.string() + " is the key of host \"" +
                                      std::get<heartbeat::HostKey>(*key).host() + "\", and this is \"" + host + "\"");
    return own;
}

}  // namespace boatswain::boatswaind
