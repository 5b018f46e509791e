#include "batch/memory_budget.h"

#include <algorithm>

namespace boatswain::batch {

bool MemoryBudget::has_room(const std::string& tenant) const {
    std::scoped_lock lock{guard_};
    auto mine = by_tenant_.find(tenant);
    std::size_t my_bytes = mine == by_tenant_.end() ? 0 : mine->second;
    if (my_bytes < tenant_bytes_min) return true;
    std::size_t share = bytes_max_ / std::max<std::size_t>(by_tenant_.size(), 1);
    return used_ < bytes_max_ && my_bytes < std::max(share, tenant_bytes_min);
}

std::size_t MemoryBudget::used() const {
    std::scoped_lock lock{guard_};
    return used_;
}

std::size_t MemoryBudget::used(const std::string& tenant) const {
    std::scoped_lock lock{guard_};
    auto mine = by_tenant_.find(tenant);
    return mine == by_tenant_.end() ? 0 : mine->second;
}

std::size_t MemoryBudget::peak() const {
    std::scoped_lock lock{guard_};
    return peak_;
}

void MemoryBudget::change(const std::string& tenant, std::size_t from, std::size_t to) {
    if (from == to) return;
    std::scoped_lock lock{guard_};
    auto& mine = by_tenant_[tenant];
    mine = mine - from + to;
    used_ = used_ - from + to;
    peak_ = std::max(peak_, used_);
    if (mine == 0) by_tenant_.erase(tenant);
}

Charge::Charge(MemoryBudget& budget, std::string tenant, std::size_t bytes)
    : budget_(&budget), tenant_(std::move(tenant)) {
    resize(bytes);
}

Charge::Charge(Charge&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      tenant_(std::move(other.tenant_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Charge& Charge::operator=(Charge&& other) noexcept {
    if (this != &other) {
        resize(0);
        budget_ = std::exchange(other.budget_, nullptr);
        tenant_ = std::move(other.tenant_);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

Charge::~Charge() { resize(0); }

void Charge::resize(std::size_t bytes) {
    if (!budget_) return;
    budget_->change(tenant_, bytes_, bytes);
    bytes_ = bytes;
}

}  // namespace boatswain::batch
