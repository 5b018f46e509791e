#include "fleet/hints.h"

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;

constexpr auto silence_max = 60s;    // Marathon's heartbeat comes every 10 s, Mesos' every 15 s
constexpr auto pause_between = 15s;  // before a stream is opened again
constexpr auto pause_step = 200ms;

// Not status_update_event: every task of the cluster would make us look.
constexpr std::string_view marathon_events =
    "/v2/events?event_type=deployment_success&event_type=deployment_failed&event_type=deployment_info";

}  // namespace

void Waker::wake() {
    std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
}

void Waker::hint() {
    std::lock_guard lock{mutex_};
    hinted_ = true;
    changed_.notify_all();
}

void Waker::wait_for(Nanoseconds time, bool hints) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, time, [&] { return woken_ || (hints && hinted_); });
    if (hints) hinted_ = false;
}

bool is_about_agents(std::string_view record) {
    // The type comes first or last, by how the master orders its fields; in short records it is within what is kept.
    return record.contains("\"AGENT_ADDED\"") || record.contains("\"AGENT_REMOVED\"") ||
           record.contains("\"agent_added\"") || record.contains("\"agent_removed\"");
}

Hints::Hints(Connections connections, Waker& waker, Log& log)
    : marathon_([&] {
          connections.marathon.give_up = &ending_;
          return std::move(connections.marathon);
      }()),
      mesos_([&] {
          connections.mesos.give_up = &ending_;
          return std::move(connections.mesos);
      }()),
      waker_(waker),
      log_(log),
      marathon_thread_([this] { follow_marathon(); }),
      mesos_thread_([this] { follow_mesos(); }) {}

Hints::~Hints() {
    ending_ = true;
    marathon_thread_.join();
    mesos_thread_.join();
}

void Hints::pause(const Result<void>& ended, const std::string& whose) {
    if (ending_) return;
    log_.debug("event stream ended", {{"of", whose}, {"why", ended ? std::string{"its end"} : ended.error().what}});
    for (auto left = std::chrono::milliseconds{pause_between}; left > 0ms && !ending_; left -= pause_step)
        std::this_thread::sleep_for(pause_step);
}

// A stream's first word is a hint too: what happened between a look and the stream's beginning, it does not tell.
void Hints::follow_marathon() {
    while (!ending_) {
        EventNames names;
        auto ended =
            marathon_.follow(marathon_events, "", "text/event-stream", silence_max, [&](std::string_view bytes) {
                names.take(bytes, [&](std::string_view) { waker_.hint(); });
                return !ending_.load();
            });
        pause(ended, "Marathon");
    }
}

void Hints::follow_mesos() {
    while (!ending_) {
        RecordReader records;
        bool first = true;
        auto ended = mesos_.follow("/api/v1", R"({"type":"SUBSCRIBE"})", "application/json", silence_max,
                                   [&](std::string_view bytes) {
                                       bool sane = records.take(bytes, [&](std::string_view record) {
                                           if (std::exchange(first, false) || is_about_agents(record)) waker_.hint();
                                       });
                                       return sane && !ending_.load();
                                   });
        pause(ended, "Mesos");
    }
}

}  // namespace boatswain::fleet
