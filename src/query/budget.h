// The memory that answering one question may take, whatever lies in the store: listings, footers, and the text of the
// frames that a merge stands in. What cannot be had is an error that says what to do (is_over_budget()), never more
// memory.
//
// Half of it is for text, which gives way: a merge with too little keeps a part of each frame and reads the rest again
// when its turn comes (merge.h). The other half is for what must be held: names, footers, counts. While that takes
// less than an eighth of the whole, the ends of objects are kept too, which saves requests.
//
// Beside the budget stands what does not depend on the store: code, threads, one frame and one footer being read
// (open/bounds.h).
//
// Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "open/bounds.h"

namespace boatswain::query {

inline constexpr std::uint64_t budget_bytes_default = 256U << 20;
inline constexpr std::uint64_t budget_bytes_min = 16U << 20;

class Budget;

// A part of a budget, given back at its end.
class Share {
  public:
    Share() = default;
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
        std::swap(budget_, other.budget_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Share();
    std::uint64_t bytes() const { return bytes_; }

  private:
    friend class Budget;
    Share(Budget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
    Budget* budget_ = nullptr;
    std::uint64_t bytes_ = 0;
};

class Budget {
  public:
    explicit Budget(std::uint64_t bytes_max = budget_bytes_default) : bytes_max_(bytes_max) {}
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    std::uint64_t bytes_max() const { return bytes_max_; }
    std::uint64_t text_bytes_max() const { return bytes_max_ / 2; }
    std::uint64_t held_bytes_max() const { return bytes_max_ / 2; }
    std::uint64_t tail_bytes_max() const { return bytes_max_ / 8; }
    // Of the text: what is read before it is needed, and what a merge stands in.
    std::uint64_t ahead_bytes_max() const { return bytes_max_ / 8; }
    std::uint64_t merged_bytes_max() const { return text_bytes_max() - ahead_bytes_max(); }

    // For what must be held. `what` names it for people: "names of segments".
    Result<Share> hold(std::uint64_t bytes, std::string_view what);
    // For the end of an object: an empty share when there is no room.
    Share try_tail(std::uint64_t bytes);
    // How much hold() would give.
    std::uint64_t room() const { return held_bytes_max() - std::min(held_bytes_max(), held_.load()); }
    // How much text is held now; whoever holds it keeps below merged_bytes_max() and ahead_bytes_max().
    void set_text(std::uint64_t bytes);
    void set_ahead(std::uint64_t bytes);

    // The most that was ever held at once.
    std::uint64_t peak() const { return peak_; }

  private:
    friend class Share;
    bool take(std::uint64_t bytes, std::uint64_t limit);
    void give_back(std::uint64_t bytes) { held_ -= bytes; }
    void note_peak();

    const std::uint64_t bytes_max_;
    std::atomic<std::uint64_t> held_{0};
    std::atomic<std::uint64_t> text_{0};
    std::atomic<std::uint64_t> ahead_{0};
    std::atomic<std::uint64_t> peak_{0};
};

class Crew;
class KnownFooters;
class RolledUp;

// What answering a question may take, and what it believes of an object.
struct Limits {
    Budget& budget;
    open::Bounds bounds{};
    // What is known of roll-ups, for several readings one after the other. None: each reading finds out by itself.
    RolledUp* rolled_up = nullptr;
    // Who reads ahead and opens segments. None: each reading has a crew of its own.
    Crew* crew = nullptr;
    // Footers that earlier questions have read. None: each is fetched.
    KnownFooters* known = nullptr;
};

// Whether an error says that a budget was used up.
bool is_over_budget(const Error& error);
// That error, for `what` of which there is too much.
Error over_budget(const Budget& budget, std::string_view what);

}  // namespace boatswain::query
