// The cells of a server: a process for each tenant that asks, in which its questions are answered (inside.h).
//
// Invariants
//   - A tenant has one cell at most, and a cell one tenant for as long as it lives.
//   - At most `cells_max` live. One that answers nothing gives way to a new one; it ends by itself after idle_max.
//   - No identity is read here: a cell gets the open file of its tenant's.
//   - A cell that dies, or says what it should not, ends its own questions; the next question starts a new one.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "api/questions.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cell/hands.h"
#include "cell/process.h"
#include "store/store.h"

namespace boatswain::cell {

struct CellsOptions {
    std::size_t cells_max = 16;      // at least as many as there are questions at a time
    std::size_t questions_max = 8;   // that are asked at a time, of all tenants together
    std::uint64_t memory = 0;        // that one question may take
    std::uint64_t footer_cache = 0;  // of each
    std::chrono::milliseconds idle_max{60'000};
    std::string version = {};
    const char* word = cell_word;  // for tests: another program in the executable
};

class Cells final : public api::Answering {
  public:
    // All borrowed. `identities`: a directory of TENANT.key.
    Cells(Fd executable, store::Store& store, Path identities, CellsOptions options, const Clock& clock,
          Metrics& metrics, Log& log);
    ~Cells() override;  // no question runs any more
    Cells(const Cells&) = delete;
    Cells& operator=(const Cells&) = delete;

    // Starts a cell for nobody and ends it: whether cells can be had here. What is missing of their confinement.
    Result<std::string> probe();

    api::Reply answer(const api::Question& question, const std::atomic<bool>& given_up,
                      http::PieceWriter& out) override;

    // Of the tenant's cell; nothing: it has none. For tests.
    std::optional<pid_t> process_of(const TenantId& tenant) const;

  private:
    struct Cell;
    class Seat;
    Result<Seat> seat_for(const TenantId& tenant);
    Result<CellProcess> start(const TenantId& tenant) const;
    void leave(const std::shared_ptr<Cell>& cell, const std::string& fault);
    std::shared_ptr<Cell> take_longest_idle(std::chrono::steady_clock::time_point since);
    void show_count();
    void keep();

    const Fd executable_;
    store::Store& store_;
    const Path identities_;
    const CellsOptions options_;
    const Clock& clock_;
    Metrics& metrics_;
    Log& log_;
    Hands hands_;
    mutable std::mutex guard_;  // of what follows
    std::condition_variable is_over_called_;
    std::map<TenantId, std::shared_ptr<Cell>> cells_;
    bool is_over_ = false;
    std::jthread keeper_;  // ends those that are idle
};

}  // namespace boatswain::cell
