// The process of a cell, as its server has it: started, handed questions, ended.
//
// It is a new run of this very executable, never a copy of this process: nothing of what is in our memory is in its.
// It gets no arguments but a word, no environment, no file, and of our descriptors its control socket alone.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "cell/setup.h"

namespace boatswain::cell {

// A cell that is not ready within this time is not used.
inline constexpr int ready_seconds_max = 20;

struct ProcessLimits {
    std::uint64_t memory_max = 0;  // of its data (RLIMIT_DATA); 0: unlimited
    std::uint32_t questions_max = 1;
};

// The executable of this process, opened: it stays the same one when the file is replaced.
Result<Fd> open_this_executable();

class CellProcess {
  public:
    // Blocks until the cell is confined and ready. Any thread.
    static Result<CellProcess> start(const Fd& executable, const char* word, const CellSetup& setup,
                                     const ProcessLimits& limits);
    CellProcess(CellProcess&& other) noexcept;
    CellProcess& operator=(CellProcess&&) = delete;
    ~CellProcess();  // ends it, and waits for that

    pid_t id() const { return process_; }
    // Why it is confined less than it could be; empty: it is not.
    const std::string& missing() const { return missing_; }
    // Thread-safe.
    Result<void> hand(const Handed& handed) const { return cell::hand(control_, handed); }
    // At once. Thread-safe.
    void kill() const;
    // Whether it has ended by itself. Thread-safe.
    bool has_ended() const;

  private:
    CellProcess(Fd control, pid_t process, std::string missing)
        : control_(std::move(control)), process_(process), missing_(std::move(missing)) {}

    // Kills it, and waits. The code with which it had ended by itself before; -1: it had not.
    int end();

    Fd control_;
    pid_t process_ = 0;
    std::string missing_;
};

}  // namespace boatswain::cell
