// Marathon's and Mesos' event streams, as a hint to look sooner. Nothing is concluded from an event: its order and its
// arrival are promised by neither, and Mesos has none for an agent that is drained or deactivated. A stream that breaks
// is opened again after a while; without streams the interval is enough.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/sync.h"

namespace boatswain::fleet {

// Lets one thread sleep until another one knows better. Thread-safe.
class Waker {
  public:
    void wake();
    // Returns when the time is over or somebody called wake(); with `hints` also when there was a hint().
    void wait_for(Nanoseconds time, bool hints);
    void hint();

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    bool hinted_ = false;
};

// Two threads, one a stream. `waker` and `log` outlive it.
class Hints {
  public:
    Hints(Connections connections, Waker& waker, Log& log);
    ~Hints();
    Hints(const Hints&) = delete;
    Hints& operator=(const Hints&) = delete;

  private:
    void follow_marathon();
    void follow_mesos();
    void pause(const Result<void>& ended, const std::string& whose);

    std::atomic<bool> ending_{false};
    Endpoint marathon_;
    Endpoint mesos_;
    Waker& waker_;
    Log& log_;
    std::thread marathon_thread_, mesos_thread_;
};

// RecordIO, as Mesos' v1 streams are framed: "LENGTH\nBYTES", repeated. Source: apache/mesos docs/recordio.md.
// Only the first `kept_max` bytes of a record are kept: they show its type, and the first record of SUBSCRIBE
// holds the whole cluster.
class RecordReader {
  public:
    static constexpr std::size_t kept_max = 4096;
    static constexpr std::uint64_t record_bytes_max = 1ULL << 30;

    // Takes the next bytes, wherever they were cut; `each` is called with the beginning of each record that ended.
    // False when they are not RecordIO: the stream is of no more use.
    template <class Each>
    bool take(std::string_view bytes, const Each& each) {
        while (!bytes.empty()) {
            if (in_length_) {
                char c = bytes.front();
                bytes.remove_prefix(1);
                if (c == '\n' && digits_ > 0) {
                    in_length_ = false;
                    kept_.clear();
                } else if (c < '0' || c > '9' || ++digits_ > 10) {
                    return false;
                } else {
                    left_ = left_ * 10 + static_cast<std::uint64_t>(c - '0');
                    if (left_ > record_bytes_max) return false;
                }
            } else {
                auto part = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
                bytes.remove_prefix(part.size());
                left_ -= part.size();
                kept_ += part.substr(0, kept_max - std::min(kept_.size(), kept_max));
            }
            if (!in_length_ && left_ == 0) {
                each(std::string_view{kept_});
                in_length_ = true;
                digits_ = 0;
            }
        }
        return true;
    }

  private:
    bool in_length_ = true;
    int digits_ = 0;
    std::uint64_t left_ = 0;
    std::string kept_;
};

// Server-sent events, as far as needed: the names in their "event:" lines, wherever the bytes were cut.
// Source: WHATWG HTML, "Server-sent events". Lines longer than `line_bytes_max` are passed over.
class EventNames {
  public:
    static constexpr std::size_t line_bytes_max = 256;

    template <class Each>
    void take(std::string_view bytes, const Each& each) {
        for (char c : bytes) {
            if (c != '\n' && c != '\r') {
                if (line_.size() <= line_bytes_max) line_ += c;
                continue;
            }
            std::string_view line = line_;
            if (line.size() <= line_bytes_max && line.starts_with("event:")) {
                line.remove_prefix(6);
                if (line.starts_with(' ')) line.remove_prefix(1);
                each(line);
            }
            line_.clear();
        }
    }

  private:
    std::string line_;
};

// Whether a record of Mesos' SUBSCRIBE speaks of an agent that came or went.
bool is_about_agents(std::string_view record);

}  // namespace boatswain::fleet
