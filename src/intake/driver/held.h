// One FIFO, as Holding keeps it: for itself alone.
#pragma once

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "intake/driver/holding.h"

namespace boatswain::intake::driver {

inline constexpr std::uint64_t page_bytes = 4096;  // in which a memory file system counts

// One FIFO, for as long as the engine may write into it; longer while a gap of it waits for memory.
struct Holding::Held {
    Held() = default;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { let_go(); }
    void let_go() {
        if (readable) readable->release();  // the descriptor is the Fifo's
        readable.reset();
        fifo.reset();
    }
    void wake() {
        if (readable) readable->cancel();
    }

    Path path;
    HoldName name;                        // of its hold; without one: of the description, if `described`
    std::optional<StartRequest> request;  // nothing: the description was lost
    std::string share;
    bool share_known = false;  // else it may yet be another one
    std::optional<std::size_t> slot;
    std::optional<Fifo> fifo;
    std::optional<boost::asio::posix::stream_descriptor> readable;
    bool wide = false;
    std::optional<Hold> hold;
    bool described = false;
    Gap gap;  // what was dropped while there was no hold
    bool resumed = false;
    bool unsettled = false;      // the hold is of a holder before us, and not compared with the FIFO yet
    bool superseded = false;     // a newer FIFO of the same container is there
    bool gone = false;           // the agent says that the container does not run
    bool resting = false;        // its hold was ended for that
    bool over = false;           // the FIFO ended, and a gap waits for memory
    bool abandoned = false;      // nothing more is to be done
    const char* torn = nullptr;  // where frames begin is not known any more: the reason why all is dropped
    bool dropping = false;
    std::optional<std::chrono::steady_clock::time_point> full_since, empty_since, torn_since;
};

// What was dropped, and what was dropped since.
inline void join(Gap& all, const Gap& more) {
    if (all.lines_min + all.bytes_min == 0) {
        all = more;
        return;
    }
    all.to = std::max(all.to, more.to);
    all.lines_min += more.lines_min;
    all.bytes_min += more.bytes_min;
}

}  // namespace boatswain::intake::driver
