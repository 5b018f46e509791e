// How much memory grows by what tenants do, in all and by tenant, against a bound that does not depend on their number.
//
// Everything that holds lines between a source and the disk (frames that grow, long lines that are not complete, frames
// that wait for a worker, compressed frames, sealed bytes) holds a Charge of its tenant for what it costs. What is
// there whether lines come or not (facts about containers, their readers, memory that is kept for reuse) is charged to
// nobody ("standing"): it leaves less for lines, but never less than half of the bound.
//
// Readers ask before each read. Two things can be in the way:
//
//   the share      Tenants that hold or wait for something have equal shares. A tenant with its share waits for its own
//                  batch to leave. No share is under share_bytes_min: smaller reads make segments that are too small.
//   the bound      With more tenants than there are such shares, they take turns: who finds no memory for one more read
//                  gets a place in a line, and what is given back goes to those in front.
//
// Preferred tenants (those with a key file) and all others have shares and lines of their own. A quarter of the bound
// is kept for each kind: whoever makes up names, however many, finds it taken from the other kind at no time.
//
// Invariant: what was asked for never passes the bound. What is written without asking (closing records, gaps) can, by
// a few KiB a source. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace boatswain::batch {

class MemoryBudget {
  public:
    static constexpr std::size_t share_bytes_min = 256U << 10;
    // One read takes between these of a log. What it adds to memory is at most read_cost: a frame that was nearly full
    // grows by half of itself besides.
    static constexpr std::size_t read_bytes_min = 64U << 10;
    static constexpr std::size_t read_bytes_max = 512U << 10;
    static constexpr std::size_t read_cost_max = 1U << 20;
    // A place in the line is given up when nobody has asked for so many ticks.
    static constexpr std::uint64_t absent_ticks_max = 10;

    explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    // So many bytes of a log may be read for `tenant` now; 0: wait, and ask again when memory was given back, or soon.
    std::size_t ask(const std::string& tenant);
    // Whether ask() would say yes. Takes no place in the line.
    bool has_room(const std::string& tenant) const;
    // The tenant holds its share: its batch has to leave before more is read.
    bool has_its_share(const std::string& tenant) const;
    std::size_t share(const std::string& tenant) const;  // in bytes
    // Somebody waits for memory, or nearly all of it is taken: batches are to leave before their time.
    bool is_short() const;

    void prefer(std::set<std::string> tenants);  // in place of those before; reserved names ("_...") always are
    void tick();                                 // a few times a second

    std::size_t used() const;  // standing and lines
    std::size_t used(const std::string& tenant) const;
    std::size_t held() const;  // by tenants
    std::size_t standing() const;
    std::size_t peak() const;  // the most that was ever used
    std::size_t bytes_max() const { return bytes_max_; }
    std::size_t waiting() const;  // tenants in the line

  private:
    friend class Charge;
    using Place = std::uint64_t;  // in a line: smaller ones first
    // The preferred tenants, or the others.
    struct Kind {
        std::size_t active = 0;  // tenants
        std::size_t bytes = 0;   // that they hold
        std::map<Place, std::string> line;
    };
    struct Tenant {
        std::size_t bytes = 0;
        bool preferred = false;
        std::optional<Place> place;
        std::uint64_t asked_tick = 0;
    };
    using Tenants = std::map<std::string, Tenant>;

    void change(const std::string& tenant, std::size_t from, std::size_t to);
    // mutex_ is held for all of these.
    bool is_preferred(const std::string& tenant) const;
    Tenants::iterator active(const std::string& tenant);
    void drop_if_idle(Tenants::iterator tenant);
    void move(Tenants::iterator tenant, bool to_preferred);
    std::size_t lines() const { return kinds_[0].bytes + kinds_[1].bytes; }
    std::size_t lines_max() const;
    std::size_t pool(bool preferred) const;
    std::size_t share_of(const std::string& tenant) const;
    std::size_t free_reads(bool preferred) const;
    bool is_next(const Tenant& tenant) const;
    void enter_line(Tenants::iterator tenant);
    void leave_line(Tenants::iterator tenant);

    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    Tenants tenants_;  // only those that hold or wait for something
    Kind kinds_[2];    // others, preferred ones
    std::set<std::string> preferred_;
    Place last_place_ = 0;
    std::uint64_t tick_ = 0;
    std::size_t standing_ = 0;
    std::size_t peak_ = 0;
};

// A part of the budget, given back at destruction. The budget outlives it.
class Charge {
  public:
    Charge() = default;
    Charge(MemoryBudget& budget, std::string tenant, std::size_t bytes);
    // To nobody: what is there whether lines come or not.
    static Charge standing(MemoryBudget& budget, std::size_t bytes) { return {budget, {}, bytes}; }
    Charge(Charge&& other) noexcept;
    Charge& operator=(Charge&& other) noexcept;
    ~Charge();
    void resize(std::size_t bytes);
    std::size_t bytes() const { return bytes_; }

  private:
    MemoryBudget* budget_ = nullptr;
    std::string tenant_;  // empty: standing
    std::size_t bytes_ = 0;
};

}  // namespace boatswain::batch
