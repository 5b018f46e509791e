#include "intake/driver/recent.h"

#include <algorithm>
#include <vector>

#include "intake/driver/log_entry.h"

namespace boatswain::intake::driver {

void Recent::append(const std::string& container, std::string_view frames) {
    if (ring_bytes_ == 0) return;
    auto& ring = rings_[container];
    ring.touched = ++touches_;
    ring.frames += frames;
    // Cut when a quarter too much is there: each byte is moved a few times at most.
    if (ring.frames.size() > ring_bytes_ + ring_bytes_ / 4) {
        std::size_t drop = 0;
        while (ring.frames.size() - drop > ring_bytes_) {
            auto frame = first_frame(std::string_view{ring.frames}.substr(drop));
            if (frame.size == 0) break;
            drop += frame.size;
        }
        ring.frames.erase(0, drop);
        ring.dropped += drop;
    }
    make_room();
}

void Recent::set_running(const std::string& container, bool running) {
    if (ring_bytes_ == 0) return;
    rings_[container].running = running;
    rings_[container].touched = ++touches_;
    make_room();
}

bool Recent::running(const std::string& container) const {
    auto found = rings_.find(container);
    return found != rings_.end() && found->second.running;
}

void Recent::make_room() {
    while (rings_.size() > containers_max) {
        auto idle = std::ranges::min_element(
            rings_, {}, [](const auto& entry) { return std::pair{entry.second.running, entry.second.touched}; });
        rings_.erase(idle);
    }
}

std::uint64_t Recent::begin(const ReadRequest& request) const {
    auto found = rings_.find(request.container);
    if (found == rings_.end()) return 0;
    const auto& ring = found->second;
    if (request.tail < 0) return ring.dropped;
    std::vector<std::uint64_t> starts;  // of lines: pieces of one line count once
    std::uint64_t at = 0;
    bool fresh = true;
    for (std::string_view left = ring.frames; !left.empty();) {
        auto frame = first_frame(left);
        if (frame.size == 0) break;
        if (fresh) starts.push_back(ring.dropped + at);
        auto entry = parse_log_entry(frame.payload);
        fresh = !entry || entry->ends_line();
        at += frame.size;
        left.remove_prefix(frame.size);
    }
    auto wanted = static_cast<std::uint64_t>(request.tail);
    if (wanted == 0) return ring.dropped + ring.frames.size();
    return wanted >= starts.size() ? ring.dropped : starts[starts.size() - wanted];
}

std::string Recent::next(const ReadRequest& request, std::uint64_t& place) const {
    auto found = rings_.find(request.container);
    if (found == rings_.end()) return {};
    const auto& ring = found->second;
    place = std::max(place, ring.dropped);
    std::string out;
    auto left = std::string_view{ring.frames}.substr(std::min<std::uint64_t>(place - ring.dropped, ring.frames.size()));
    while (out.size() < read_bytes) {
        auto frame = first_frame(left);
        if (frame.size == 0) break;
        auto entry = parse_log_entry(frame.payload);
        Timestamp time{Nanoseconds{entry ? entry->time_nano : 0}};
        bool wanted = entry && (!request.since || time >= *request.since) && (!request.until || time <= *request.until);
        if (wanted) {
            // The engine takes no newline from a line, and prints it as it comes back to it.
            bool fits = frame.size + 8 < frame_bytes_max;
            auto line = std::string{entry->line} + (entry->ends_line() && fits ? "\n" : "");
            entry->line = line;
            out += to_frame(*entry);
        }
        place += frame.size;
        left.remove_prefix(frame.size);
    }
    return out;
}

}  // namespace boatswain::intake::driver
