// What the parts of a spool share: its options, its database, and one lock.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "spool/sqlite.h"

namespace boatswain::spool {

struct Options {
    Path state_dir;
    std::string host;
    std::uint64_t bytes_max = 1ULL << 30;    // when reached, no tenant has room, and reading pauses
    std::uint64_t aside_max = 256ULL << 20;  // of what stands aside: takes no room of the above up to here
};

// A part writes to the database through the Session that it is given: what several parts write in one is one
// transaction, and no statement is left when the lock is free (spool/sqlite.h).
struct State {
    const Options options;
    const Clock& clock;
    Log& log;
    Database database;         // has a lock of its own, which nobody takes with `mutex` held
    mutable std::mutex mutex;  // of what the parts keep in memory; never held over I/O
};

inline std::int64_t to_number(Timestamp time) { return time.time_since_epoch().count(); }
inline Timestamp to_time(std::int64_t number) { return Timestamp{Nanoseconds{number}}; }

}  // namespace boatswain::spool
