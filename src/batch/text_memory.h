// Memory of frames' text, kept from one frame to the next: allocating a quarter of a MiB for each frame costs a page
// fault a page. What is kept is charged to the memory budget, to no tenant. Thread-safe: the I/O thread takes, the
// workers give back.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "batch/memory_budget.h"

namespace boatswain::batch {

class TextMemory {
  public:
    // What is kept at most, in pieces and in bytes of one: sixteen pieces of up to 768 KiB, and an eighth of the
    // budget.
    static constexpr std::size_t pieces_max = 16;
    static constexpr std::size_t budget_part = 8;
    static constexpr std::size_t piece_bytes_max = 768U << 10;
    // Smaller ones are not worth keeping: a frame that is flushed half empty is followed by another such.
    static constexpr std::size_t piece_bytes_min = 128U << 10;

    explicit TextMemory(MemoryBudget& budget)
        : bytes_max_(budget.bytes_max() / budget_part), charge_(Charge::standing(budget, 0)) {}

    // Empty when there is none.
    std::string take() {
        std::scoped_lock lock{mutex_};
        if (pieces_.empty()) return {};
        auto piece = std::move(pieces_.back());
        pieces_.pop_back();
        charge_.resize(charge_.bytes() - piece.capacity());
        return piece;
    }

    void give_back(std::string piece) {
        if (piece.size() < piece_bytes_min || piece.size() > piece_bytes_max) return;
        std::scoped_lock lock{mutex_};
        if (pieces_.size() >= pieces_max || charge_.bytes() + piece.capacity() > bytes_max_) return;
        charge_.resize(charge_.bytes() + piece.capacity());
        pieces_.push_back(std::move(piece));
    }

    // Keeps none: the memory is wanted elsewhere.
    void clear() {
        std::scoped_lock lock{mutex_};
        pieces_.clear();
        charge_.resize(0);
    }

  private:
    const std::size_t bytes_max_;
    std::mutex mutex_;
    std::vector<std::string> pieces_;
    Charge charge_;
};

}  // namespace boatswain::batch
