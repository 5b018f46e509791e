#include "intake/driver/holding.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "intake/driver/held.h"
#include "intake/driver/log_entry.h"
#include "intake/driver/pipe_share.h"
#include "net/event.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// After a turn that left a FIFO empty: frames gather meanwhile, so that a container that writes a hundred thousand
// lines a second wakes us a few hundred times. At 50 MB/s less than half of a wide FIFO fills in this time.
constexpr milliseconds gather_pause{2};
constexpr milliseconds room_pause{20};  // until a full hold is looked at again
constexpr milliseconds trouble_pause{500};
constexpr milliseconds torn_pause{20};         // until the rest of a frame is looked for again
constexpr milliseconds superseded_wait{1000};  // for what an engine that is gone wrote last
constexpr milliseconds gone_wait{5000};
constexpr std::chrono::seconds full_warning_pause{10};

// A new hold: its page of fields, and one for what comes.
constexpr std::uint64_t begin_bytes = 2 * page_bytes;
// Descriptions of containers without a hold may exceed hold_total by one part of so many.
constexpr std::uint64_t description_reserve = 16;

std::uint64_t pages(std::uint64_t bytes) { return (bytes + page_bytes - 1) / page_bytes * page_bytes; }

}  // namespace

Holding::Holding(asio::any_io_executor executor, HoldingOptions options,
                 std::function<std::optional<std::string>(const SourceFacts&)> share_for, const Clock& clock, Log& log,
                 Recent& recent, net::TaskGroup& tasks)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      share_for_(std::move(share_for)),
      clock_(clock),
      log_(log),
      recent_(recent),
      tasks_(tasks),
      room_(options_.hold_bytes, options_.hold_total),
      wide_max_(wide_fifos_max(pipe_pages_soft(), fifo_bytes)) {}

Holding::~Holding() = default;

// ---- From FIFO to hold ----------------------------------------------------------------------------------------------

void Holding::attach(Held& held, Fifo fifo) {
    held.fifo = std::move(fifo);
    held.readable.emplace(executor_, held.fifo->fd());
    held.wide = held.fifo->wide() || (wide_ < wide_max_ && held.fifo->widen());
    wide_ += held.wide;
}

asio::awaitable<void> Holding::drain(std::shared_ptr<Held> held) {
    for (;;) {
        switch (guarded_turn(*held)) {
            case Pause::over: co_return;
            case Pause::again: co_await net::sleep_for(milliseconds{0}); break;
            case Pause::gather: co_await net::sleep_for(gather_pause); break;
            case Pause::room: co_await net::sleep_for(room_pause); break;
            case Pause::torn: co_await net::sleep_for(torn_pause); break;
            case Pause::trouble: co_await net::sleep_for(trouble_pause); break;
            case Pause::bytes: {
                auto [code] = co_await held->readable->async_wait(asio::posix::stream_descriptor::wait_read,
                                                                  asio::as_tuple(asio::use_awaitable));
                (void)code;  // cancelled by wake()
                break;
            }
        }
    }
}

// A fault of ours must not leave a FIFO unread.
Holding::Pause Holding::guarded_turn(Held& held) {
    try {
        return turn(held);
    } catch (const std::exception& fault) {
        log_.error("FIFO not read for a fault of ours; trying again",
                   {{"container", held.name.container.substr(0, 12)}, {"error", fault.what()}});
        return Pause::trouble;
    }
}

Holding::Pause Holding::turn(Held& held) {
    if (held.abandoned) return finish(held);
    if (held.over) return settle_debt(held);
    if (Error error; !held.fifo && !open_again(held, error)) return fifo_fails(held, error);
    if (held.unsettled && held.hold)
        if (auto settled = settle(held); !settled) return settling_fails(held, settled.error());
    held.unsettled = false;
    if (held.fifo->left() == 0) return at_rest(held);
    held.empty_since.reset();
    if (held.torn) return drop_some(held, held.torn, false) > 0 ? Pause::again : Pause::room;

    if (!held.hold && !begin_hold(held)) return no_room(held);
    if (!has_room(held)) return no_room(held);
    auto moved = held.fifo->move(*held.hold, *transfer_);
    if (!moved && moved.error().remedy == Remedy::stop) {
        // Never seen. What the pipe between holds then is anybody's guess: a new one, and on as after a kill.
        log_.error("FIFO not read; trying again", {{"container", held.name.container}, {"error", moved.error()}});
        if (auto fresh = Transfer::make()) transfer_ = std::move(*fresh);
        held.unsettled = true;
        return Pause::trouble;
    }
    if (!moved) return no_room(held);
    held.full_since.reset();
    if (moved->torn) {
        // All that comes is dropped, so that the container goes on.
        held.torn = held.fifo->hung_up() ? gap_torn : gap_malformed;
        return Pause::again;
    }
    if (moved->bytes == 0) return rest_of_frame(held);
    held.torn_since.reset();
    held.dropping = false;
    if (std::exchange(held.resting, false)) recent_.set_running(held.name.container, true);
    room_.add(held.name, moved->bytes);
    recent_.append(held.name.container, moved->frames);
    return moved->bytes < move_bytes_max / 2 ? Pause::gather : Pause::again;
}

Holding::Pause Holding::rest_of_frame(Held& held) {
    auto now = clock_.steady();
    if (!held.torn_since) held.torn_since = now;
    // A pipe of an engine that may have no more (rootless, and many of them) can be shorter than a frame.
    if (held.fifo->capacity() >= frame_bytes_max || now - *held.torn_since < options_.block_max) return Pause::torn;
    if (!held.fifo->widen()) held.torn = gap_malformed;
    return Pause::torn;
}

bool Holding::open_again(Held& held, Error& error) {
    auto fifo = Fifo::open(held.path, true);
    if (!fifo) {
        error = std::move(fifo).error();
        return false;
    }
    attach(held, std::move(*fifo));
    return true;
}

Holding::Pause Holding::fifo_fails(Held& held, const Error& error) {
    // It is gone: so is the container's run, and what lies in the hold is all there is of it.
    bool gone = error.remedy == Remedy::re_resolve || error.remedy == Remedy::quarantine;
    if (gone && held.hold) {
        (void)held.hold->repair();
        return finish(held);
    }
    if (gone) return finish(held);
    if (!std::exchange(held.dropping, true))
        log_.error("FIFO not opened: the container's writes wait; trying again",
                   {{"container", held.name.container.substr(0, 12)}, {"error", error}});
    return Pause::trouble;
}

// What a holder before us moved and did not live to take.
Result<void> Holding::settle(Held& held) {
    CHECK(held.hold->repair());
    CHECK(held.fifo->resume(*held.hold, *transfer_));
    held.hold->settle();
    return {};
}

Holding::Pause Holding::settling_fails(Held& held, const Error& error) {
    if (!held.full_since) held.full_since = clock_.steady();
    if (auto fresh = Transfer::make()) transfer_ = std::move(*fresh);
    if (patient(held)) return Pause::trouble;
    log_.error("hold given up: it cannot be written on; another one is begun",
               {{"hold", held.name.str()}, {"error", error}});
    abandon_hold(held, 1);
    return Pause::again;
}

Holding::Pause Holding::at_rest(Held& held) {
    // Once lines are dropped they are until there is room: or a container would wait again after each pipeful.
    if (!held.dropping) held.full_since.reset();
    if (held.fifo->hung_up()) return finish(held);
    auto now = clock_.steady();
    if (held.superseded) {
        if (!held.empty_since) held.empty_since = now;
        return now - *held.empty_since > superseded_wait ? finish(held) : Pause::gather;
    }
    if (!held.gone) return Pause::bytes;
    if (!held.empty_since) held.empty_since = now;
    if (now - *held.empty_since < gone_wait) return Pause::trouble;
    // The engine never closed it: its StopLogging found nobody.
    log_.info("container does not run any more; its hold is ended", {{"hold", held.name.str()}});
    held.gone = false;
    held.resting = true;
    recent_.set_running(held.name.container, false);
    end_hold(held);
    // Should it go on after all, with another holder: that one has to know whose it is.
    if (held.request) (void)describe_hold(held);
    write_slot(held);
    return Pause::bytes;
}

bool Holding::patient(const Held& held) const {
    return held.full_since && clock_.steady() - *held.full_since < options_.block_max;
}

Holding::Pause Holding::no_room(Held& held) {
    note_full(held);
    // Without a description there never will be room.
    bool hopeless = !held.hold && !held.request;
    if (!hopeless && patient(held)) return Pause::room;
    return drop_some(held, gap_driver_overflow, !held.fifo->hung_up()) > 0 ? Pause::again : Pause::room;
}

void Holding::note_full(Held& held) {
    if (held.full_since) return;
    auto now = clock_.steady();
    held.full_since = now;
    if (now < next_full_warning_) {
        ++full_unlogged_;
        return;
    }
    next_full_warning_ = now + full_warning_pause;
    auto bound = room_.against(held.name.container, held.share, begin_bytes);
    log_.warning("no room to hold lines: the container's writes wait",
                 {{"container", held.name.container.substr(0, 12)},
                  {"bound", bound == Room::Bound::none ? "memory of the directory of holds" : to_string(bound)},
                  {"all_bytes", room_.total()},
                  {"until_dropped", to_text(options_.block_max)},
                  {"others_not_logged", std::exchange(full_unlogged_, 0)}});
}

std::size_t Holding::drop_some(Held& held, const char* reason, bool whole_only) {
    auto note = [&](const Gap& gap) {
        if (held.hold) return held.hold->add_gap(gap);
        join(held.gap, gap);
        write_slot(held);
    };
    auto dropped = held.fifo->drop(note, *transfer_, reason, whole_only);
    if (!dropped) {
        log_.error("FIFO not emptied", {{"container", held.name.container}, {"error", dropped.error()}});
        if (auto fresh = Transfer::make()) transfer_ = std::move(*fresh);
    }
    if (dropped.value_or(0) > 0 && !std::exchange(held.dropping, true))
        log_.error("lines dropped", {{"container", held.name.container.substr(0, 12)}, {"reason", reason}});
    return dropped.value_or(0);
}

// ---- The end of a FIFO ----------------------------------------------------------------------------------------------

void Holding::end_hold(Held& held) {
    if (!held.hold) return;
    held.hold->end();
    room_.set(held.name, held.hold->memory() + page_bytes);
    held.hold.reset();
    held.described = false;  // the next hold has a number of its own
}

void Holding::abandon_hold(Held& held, std::uint64_t bytes_lost) {
    end_hold(held);
    held.described = false;
    auto now = clock_.now();
    join(held.gap, {.from = now, .to = now, .reason = gap_unreadable, .lines_min = 0, .bytes_min = bytes_lost});
    write_slot(held);
}

Holding::Pause Holding::finish(Held& held) {
    end_hold(held);
    bool owes = held.gap.lines_min + held.gap.bytes_min > 0;
    // An engine that restarted, or gave StopLogging up, does not remove its FIFO.
    if (held.superseded || held.resumed || held.resting) (void)remove_file(held.path);
    wide_ -= std::exchange(held.wide, false);
    held.let_go();
    if (owes && held.request && !held.abandoned) {
        held.over = true;
        return settle_debt(held);
    }
    if (owes && !held.abandoned) {
        unnamed_lines_ += held.gap.lines_min;
        log_.error("lines of a container were dropped, and no record of it can be made: its description was lost",
                   {{"container", held.name.container}, {"lines", held.gap.lines_min}, {"bytes", held.gap.bytes_min}});
    }
    log_.debug("container's FIFO ended", {{"container", held.name.container}, {"hold", held.name.str()}});
    forget(held);
    return Pause::over;
}

// The FIFO ended, and what was dropped of it is to be named.
Holding::Pause Holding::settle_debt(Held& held) {
    if (!begin_hold(held)) return Pause::trouble;
    end_hold(held);
    forget(held);
    return Pause::over;
}

void Holding::forget(Held& held) {
    auto container = held.name.container;
    if (held.described && !held.hold) {  // of a hold that never was
        (void)remove_file(description_of(held.name));
        room_.forget(held.name);
    }
    if (table_ && held.slot) table_->remove(*held.slot);
    auto own = held_.find(held.path);
    if (own != held_.end() && own->second.get() == &held) held_.erase(own);
    recent_.set_running(container, std::ranges::any_of(held_, [&](const auto& entry) {
                            return entry.second->name.container == container && !entry.second->resting;
                        }));
}

// A place for another container: one of those that do not run any more, as far as anybody knows.
bool Holding::retire_one() {
    std::shared_ptr<Held> oldest;
    for (auto& [path, held] : held_)
        if ((held->resting && (!oldest || held->empty_since < oldest->empty_since)) || (held->over && !oldest))
            oldest = held;
    if (!oldest) return false;
    if (oldest->over) {
        unnamed_lines_ += oldest->gap.lines_min;
        log_.error("lines of a container were dropped, and there is no memory to name them",
                   {{"container", oldest->name.container}, {"lines", oldest->gap.lines_min}});
    }
    oldest->abandoned = true;
    oldest->wake();
    held_.erase(oldest->path);
    return true;
}

void Holding::write_slot(Held& held) {
    if (table_ && held.slot) table_->put(*held.slot, {.name = held.name, .fifo = held.path, .gap = held.gap});
}

// ---- A hold begins --------------------------------------------------------------------------------------------------

bool Holding::has_room(Held& held) {
    auto wanted = std::min(held.fifo->left(), move_bytes_max) + page_bytes;
    auto against = [&] { return room_.against(held.name.container, held.share, wanted) != Room::Bound::none; };
    return !against() || (look_if_stale() && held.hold && !against());
}

bool Holding::describe_hold(Held& held) {
    if (held.described) return true;
    auto description = describe(*held.request);
    held.name.number = std::max(held.name.number, room_.last_number(held.name.container)) + 1;
    auto bytes = pages(description.size());
    if (room_.total() + bytes > room_.total_max() + room_.total_max() / description_reserve) return false;
    if (auto written = write_file_durably(description_of(held.name), description, 0600); !written) {
        return false;
    }
    room_.set(held.name, held.share, bytes);
    held.described = true;
    write_slot(held);
    return true;
}

bool Holding::begin_hold(Held& held) {
    if (!held.request) return false;
    if (!describe_hold(held)) {
        look_if_stale();
        return false;
    }
    auto against = [&] { return room_.against(held.name.container, held.share, begin_bytes) != Room::Bound::none; };
    if (against() && (!look_if_stale() || against())) return false;
    auto hold = Hold::create(path_of(held.name));
    if (!hold) {
        if (std::filesystem::exists(path_of(held.name))) held.described = false;  // another number, then
        look_if_stale();
        return false;
    }
    if (held.gap.lines_min + held.gap.bytes_min > 0) hold->add_gap(std::exchange(held.gap, Gap{}));
    held.hold = std::move(*hold);
    room_.add(held.name, held.hold->memory());
    write_slot(held);
    log_.debug("hold begun", {{"hold", held.name.str()}});
    return true;
}

}  // namespace boatswain::intake::driver
