// How much memory lines take, in all and by tenant, against a bound.
//
// Everything that holds lines between a source and the disk (frames that grow, frames that wait for a worker,
// compressed frames, sealed bytes) holds a Charge for what it costs. Readers ask has_room() before they read on. Fair:
// while others are active, no tenant may take more than its share of the bound; a tenant under tenant_bytes_min always
// may go on, so the bound can be passed by that much for each tenant, no more.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace boatswain::batch {

class MemoryBudget {
  public:
    static constexpr std::size_t tenant_bytes_min = 1U << 20;

    explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    bool has_room(const std::string& tenant) const;
    std::size_t used() const;
    std::size_t used(const std::string& tenant) const;
    std::size_t peak() const;  // the most that was ever used
    std::size_t bytes_max() const { return bytes_max_; }

  private:
    friend class Charge;
    void change(const std::string& tenant, std::size_t from, std::size_t to);

    const std::size_t bytes_max_;
    mutable std::mutex guard_;
    std::map<std::string, std::size_t> by_tenant_;  // only tenants that hold something
    std::size_t used_ = 0;
    std::size_t peak_ = 0;
};

// A part of the budget, given back at destruction. The budget outlives it.
class Charge {
  public:
    Charge() = default;
    Charge(MemoryBudget& budget, std::string tenant, std::size_t bytes);
    Charge(Charge&& other) noexcept;
    Charge& operator=(Charge&& other) noexcept;
    ~Charge();
    void resize(std::size_t bytes);
    std::size_t bytes() const { return bytes_; }

  private:
    MemoryBudget* budget_ = nullptr;
    std::string tenant_;
    std::size_t bytes_ = 0;
};

}  // namespace boatswain::batch
