// What the holder does without the engine's requests: it empties FIFOs into holds, whatever happens to holds,
// descriptions, memory and directory.
//
//   a FIFO is taken in     it is noted in the table (fifo_table.h) and gets a hold, if there is room (room.h)
//   there is no room       the container's writes wait for block_max, then its lines are dropped under a gap; without a
//                          hold the gap stands in the table until a hold can be made
//   a hold fails           (torn, removed, its FIFO cannot be compared) behind a gap another one begins after block_max
//   the description fails  nobody can say whose the lines are: they are dropped, counted and logged
//   the FIFO ends          so does the hold
//   the agent says that the container does not run any more (HoldName.gone), and the FIFO is empty for gone_wait
//                          the hold ends. The FIFO is watched on, since the agent may be wrong; it is let go when its
//                          place is needed
//
// Invariant: of every FIFO that is known, something is taken within block_max and a second, as long as this thread
// runs.
//
// Belongs to one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/time.h"
#include "intake/driver/fifo.h"
#include "intake/driver/fifo_table.h"
#include "intake/driver/hold.h"
#include "intake/driver/hold_lock.h"
#include "intake/driver/plugin_request.h"
#include "intake/driver/recent.h"
#include "intake/driver/room.h"
#include "net/task_group.h"

namespace boatswain::intake::driver {

struct HoldingOptions {
    Path hold_dir;
    std::uint64_t hold_bytes = 0, hold_total = 0;
    std::chrono::nanoseconds block_max{};
};

class Holding {
  public:
    static constexpr std::size_t fifos_max = FifoTable::slots;

    // `share_for`: the tenant in whose share a container's holds are counted (room.h); nothing while that is not known.
    Holding(boost::asio::any_io_executor executor, HoldingOptions options,
            std::function<std::optional<std::string>(const SourceFacts&)> share_for, const Clock& clock, Log& log,
            Recent& recent, net::TaskGroup& tasks);
    ~Holding();
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;

    // `lock`: of options.hold_dir.
    Result<void> prepare(HoldLock lock);
    // What a holder before us left. Once, before take_in().
    void resume_all();
    // The engine's end of request.fifo is open, or about to be. Refused only when there is no such FIFO, or no place.
    Result<void> take_in(StartRequest request);
    boost::asio::awaitable<void> look_now_and_then();  // until cancelled

  private:
    struct Held;
    enum class Pause { again, gather, room, torn, bytes, trouble, over };

    boost::asio::awaitable<void> drain(std::shared_ptr<Held> held);
    Pause guarded_turn(Held& held);
    Pause turn(Held& held);
    Pause at_rest(Held& held);
    Pause rest_of_frame(Held& held);
    Pause no_room(Held& held);
    Pause finish(Held& held);
    Pause settle_debt(Held& held);
    Pause fifo_fails(Held& held, const Error& error);
    Pause settling_fails(Held& held, const Error& error);
    Result<void> settle(Held& held);
    bool open_again(Held& held, Error& error);
    void attach(Held& held, Fifo fifo);
    std::size_t drop_some(Held& held, const char* reason, bool whole_only);
    void note_full(Held& held);
    bool patient(const Held& held) const;
    bool has_room(Held& held);
    bool begin_hold(Held& held);
    bool describe_hold(Held& held);
    void end_hold(Held& held);
    void abandon_hold(Held& held, std::uint64_t bytes_lost);
    void forget(Held& held);
    bool retire_one();
    void spawn(std::shared_ptr<Held> held);
    void supersede_others(const Held& fresh, Gap& gap);
    void write_slot(Held& held);

    void look();
    void look_at_files();
    bool look_if_stale();
    void publish();
    void open_table();
    Result<void> take_directory_again();
    std::string share_of(const HoldName& name) const;
    void learn_share(Held& held);
    void resume_hold(const HoldName& name, const std::map<HoldName, Path>& fifos);
    std::shared_ptr<Held> resume_without_hold(const FifoTable::Entry& entry);

    Path path_of(const HoldName& name) const { return options_.hold_dir / (name.str() + ".hold"); }
    Path description_of(const HoldName& name) const { return options_.hold_dir / (name.str() + ".json"); }

    boost::asio::any_io_executor executor_;
    const HoldingOptions options_;
    std::function<std::optional<std::string>(const SourceFacts&)> share_for_;
    const Clock& clock_;
    Log& log_;
    Recent& recent_;
    net::TaskGroup& tasks_;
    std::optional<HoldLock> lock_;
    std::optional<FifoTable> table_;
    std::optional<Transfer> transfer_;
    Room room_;
    std::map<Path, std::shared_ptr<Held>> held_;  // by FIFO; also owned by the coroutine that drains it
    std::size_t wide_max_ = 0, wide_ = 0;
    std::uint64_t unnamed_lines_ = 0;
    std::chrono::steady_clock::time_point next_look_{}, next_full_warning_{};
    std::size_t full_unlogged_ = 0;
    bool directory_lost_ = false;
};

}  // namespace boatswain::intake::driver
