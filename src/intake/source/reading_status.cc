#include "intake/source/reading_status.h"

#include <algorithm>

namespace boatswain::intake {

ReadingStatus& ReadingStatus::operator+=(const ReadingStatus& other) {
    containers += other.containers;
    reading += other.reading;
    unreadable += other.unreadable;
    for (const auto& [lack, count] : other.held) held[lack] += count;
    lag_bytes += other.lag_bytes;
    held_lag_bytes += other.held_lag_bytes;
    lag_time = std::max(lag_time, other.lag_time);
    stuck += other.stuck;
    if (stuck_trouble.empty()) stuck_trouble = other.stuck_trouble;
    ended_readers.insert(ended_readers.end(), other.ended_readers.begin(), other.ended_readers.end());
    return *this;
}

TenantLag& TenantLag::operator+=(const TenantLag& other) {
    containers += other.containers;
    bytes += other.bytes;
    time = std::max(time, other.time);
    return *this;
}

}  // namespace boatswain::intake
