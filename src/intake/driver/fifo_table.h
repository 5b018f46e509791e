// Which FIFOs the holder reads, in one file of fixed size beside the holds ("fifos"), whose memory is taken when it is
// made: it can be written when there is no memory for anything else. The engine does not say again what it has said, so
// a holder that starts has it from here, whatever became of holds and descriptions.
//
//   offset 0      a page: "BWFIFO1\n", then figures for the agent, 8 bytes each, little endian, in the order of Figures
//   offset 4096   slots of 512 bytes: container (64 hex digits; zeros: the slot is free), number of its hold (8 bytes),
//                 gap: from, to (nanoseconds), lines, bytes, 8 bytes each: what was dropped while there was no hold;
//                 path of the FIFO, zeros to the end
//
// Only the holder writes, and belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "intake/driver/hold.h"
#include "record/gap.h"

namespace boatswain::intake::driver {

inline constexpr const char* fifo_table_file = "fifos";
inline constexpr std::size_t fifo_path_bytes_max = 400;

// What only the holder knows, for the agent's metrics.
struct Figures {
    std::uint64_t fifos = 0;          // that are read
    std::uint64_t narrow = 0;         // of them, such as could not be widened
    std::uint64_t waiting = 0;        // of them, such as find no room now: writes wait, or lines are dropped
    std::uint64_t unheld = 0;         // of them, such as have no hold at all
    std::uint64_t memory = 0;         // bytes that all holds take
    std::uint64_t unnamed_lines = 0;  // ever dropped of containers for which not even a gap could be noted
};

class FifoTable {
  public:
    static constexpr std::size_t slots = 4096;

    struct Entry {
        HoldName name;  // of the hold, whether it is there or not
        Path fifo;
        Gap gap;  // without a reason
    };

    // Made if it is not there, and again if it makes no sense. Remedy::back_off when memory is short.
    static Result<FifoTable> open(const Path& directory);

    // Of slots that make sense, with their number.
    std::vector<std::pair<std::size_t, Entry>> entries() const;
    // The slot; nothing when all are taken.
    std::optional<std::size_t> add(const Entry& entry);
    void put(std::size_t slot, const Entry& entry);
    void remove(std::size_t slot);

    void publish(const Figures& figures);
    static std::optional<Figures> read_figures(const Path& directory);

  private:
    explicit FifoTable(Fd file) : file_(std::move(file)) {}
    Fd file_;
    std::vector<bool> taken_ = std::vector<bool>(slots);
    std::size_t next_ = 0;
};

}  // namespace boatswain::intake::driver
