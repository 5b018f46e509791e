// Moves frames from one FIFO of the engine into its hold, so that a kill at any moment loses none and doubles none.
//
//   tee      the FIFO's bytes are copied into a pipe of ours; they stay in the FIFO
//   append   whole frames of them go into the hold
//   take     the same number of bytes is read out of the FIFO
//
// A kill before `append` leaves them in the FIFO, one behind `take` leaves them in the hold, and one in between leaves
// them in both, which resume() sees by comparing. The FIFO itself is widened where the engine's user may have more
// memory in pipes (pipe_share.h), so that the engine can lay down what a container printed last even when nobody takes
// it; it belongs to the engine, which keeps it open for reading and writing, and outlives our process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/time.h"
#include "intake/driver/hold.h"

namespace boatswain::intake::driver {

inline constexpr int fifo_bytes = 256 << 10;               // a FIFO that was widened (F_SETPIPE_SZ)
inline constexpr std::size_t move_bytes_max = 256U << 10;  // in one turn

// The pipe that bytes are copied through, and the memory they are looked at in. One for all FIFOs of a thread.
class Transfer {
  public:
    static Result<Transfer> make();

    // A copy of what `fifo` holds, at most so much; the bytes stay there. Empty: there is nothing.
    Result<std::string_view> peek(int fifo, std::size_t bytes_max);
    // Reads and drops so many bytes, which are there.
    Result<void> take(int fifo, std::size_t bytes);

  private:
    Fd read_end_, write_end_;
    std::string buffer_, dropped_;
};

class Fifo {
  public:
    // Opens it for reading without waiting. What lies at `path` must be a FIFO. A missing one is Remedy::re_resolve.
    // `again`: the engine opened its end long ago, so that nobody writing means the end; of a new FIFO, the engine may
    // not have opened its end yet.
    static Result<Fifo> open(const Path& path, bool again);

    int fd() const { return file_.get(); }
    bool wide() const;  // it has fifo_bytes
    bool widen();       // the same, when the kernel grants it
    std::size_t capacity() const;
    // What a process before us moved and did not live to take. Once, before move().
    Result<void> resume(const Hold& hold, Transfer& transfer);

    struct Moved {
        std::size_t bytes = 0;    // 0: nothing is there now
        std::string_view frames;  // valid until the next call
        bool torn = false;        // bytes are there that will never be whole frames, or are none
    };
    // One turn. Nothing is taken when the hold cannot take it (Remedy::back_off).
    Result<Moved> move(Hold& hold, Transfer& transfer);
    // One turn of dropping. `note` hears of the gap before its bytes are taken. How many bytes were dropped: whole
    // frames, so that what comes can still be told apart; without `whole_only` everything that is there.
    Result<std::size_t> drop(const std::function<void(const Gap&)>& note, Transfer& transfer, const char* reason,
                             bool whole_only);
    bool hung_up() const;      // nobody will write any more
    std::size_t left() const;  // bytes that are there

  private:
    explicit Fifo(Fd file) : file_(std::move(file)) {}
    Fd file_;
};

}  // namespace boatswain::intake::driver
