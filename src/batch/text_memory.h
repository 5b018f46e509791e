// Memory of frames' text, kept from one frame to the next: allocating a quarter of a MiB anew for each frame costs a
// page fault a page. Thread-safe: the I/O thread takes, the workers give back.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace boatswain::batch {

class TextMemory {
  public:
    // What is kept at most, in pieces and in bytes of one: sixteen pieces of up to 768 KiB. Not part of the memory
    // budget.
    static constexpr std::size_t pieces_max = 16;
    static constexpr std::size_t piece_bytes_max = 768U << 10;
    // Smaller ones are not worth keeping: a frame that is flushed half empty is followed by another such.
    static constexpr std::size_t piece_bytes_min = 128U << 10;

    // Empty when there is none.
    std::string take() {
        std::scoped_lock lock{guard_};
        if (pieces_.empty()) return {};
        auto piece = std::move(pieces_.back());
        pieces_.pop_back();
        return piece;
    }

    void give_back(std::string piece) {
        if (piece.size() < piece_bytes_min || piece.size() > piece_bytes_max) return;
        std::scoped_lock lock{guard_};
        if (pieces_.size() < pieces_max) pieces_.push_back(std::move(piece));
    }

  private:
    std::mutex guard_;
    std::vector<std::string> pieces_;
};

}  // namespace boatswain::batch
