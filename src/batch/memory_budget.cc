#include "batch/memory_budget.h"

#include <algorithm>

namespace boatswain::batch {

std::size_t MemoryBudget::ask(const std::string& name) {
    std::scoped_lock lock{mutex_};
    auto tenant = active(name);
    tenant->second.asked_tick = tick_;
    auto share = share_of(name);
    auto held = tenant->second.bytes;
    if (held >= share) {
        // It does not wait for others' memory, but for its own.
        leave_line(tenant);
        return 0;
    }
    if (!is_next(tenant->second)) {
        enter_line(tenant);
        return 0;
    }
    leave_line(tenant);
    drop_if_idle(tenant);
    return std::clamp(share - held, read_bytes_min, read_bytes_max);
}

bool MemoryBudget::has_room(const std::string& name) const {
    std::scoped_lock lock{mutex_};
    auto tenant = tenants_.find(name);
    if (tenant == tenants_.end()) return is_next(Tenant{.preferred = is_preferred(name)});
    return tenant->second.bytes < share_of(name) && is_next(tenant->second);
}

bool MemoryBudget::has_its_share(const std::string& name) const {
    std::scoped_lock lock{mutex_};
    auto tenant = tenants_.find(name);
    return tenant != tenants_.end() && tenant->second.bytes >= share_of(name);
}

std::size_t MemoryBudget::share(const std::string& name) const {
    std::scoped_lock lock{mutex_};
    return share_of(name);
}

bool MemoryBudget::is_short() const {
    std::scoped_lock lock{mutex_};
    return std::ranges::any_of(kinds_, [](const Kind& kind) { return !kind.line.empty(); }) ||
           (free_reads(true) == 0 && free_reads(false) == 0);
}

void MemoryBudget::prefer(std::set<std::string> tenants) {
    std::scoped_lock lock{mutex_};
    preferred_ = std::move(tenants);
    for (auto tenant = tenants_.begin(); tenant != tenants_.end(); ++tenant) move(tenant, is_preferred(tenant->first));
}

void MemoryBudget::tick() {
    std::scoped_lock lock{mutex_};
    ++tick_;
    for (auto& kind : kinds_)
        for (auto each = kind.line.begin(); each != kind.line.end();) {
            auto tenant = tenants_.find((each++)->second);
            if (tick_ - tenant->second.asked_tick <= absent_ticks_max) continue;
            leave_line(tenant);
            drop_if_idle(tenant);
        }
}

bool MemoryBudget::is_preferred(const std::string& name) const {
    return name.starts_with('_') || preferred_.contains(name);
}

MemoryBudget::Tenants::iterator MemoryBudget::active(const std::string& name) {
    auto [tenant, is_new] = tenants_.try_emplace(name);
    if (is_new) ++kinds_[tenant->second.preferred = is_preferred(name)].active;
    return tenant;
}

void MemoryBudget::drop_if_idle(Tenants::iterator tenant) {
    if (tenant->second.bytes > 0 || tenant->second.place) return;
    --kinds_[tenant->second.preferred].active;
    tenants_.erase(tenant);
}

void MemoryBudget::move(Tenants::iterator tenant, bool to_preferred) {
    auto& [bytes, preferred, place, asked] = tenant->second;
    if (preferred == to_preferred) return;
    auto &from = kinds_[preferred], &to = kinds_[to_preferred];
    --from.active, ++to.active;
    from.bytes -= bytes, to.bytes += bytes;
    if (place) to.line.insert(from.line.extract(*place));
    preferred = to_preferred;
}

std::size_t MemoryBudget::lines_max() const {
    return std::max(bytes_max_ - std::min(standing_, bytes_max_), bytes_max_ / 2);
}

// What tenants of one kind may hold together. Of the others' part a quarter is free for preferred ones at any time, so
// that they need not wait until it is given back.
std::size_t MemoryBudget::pool(bool preferred) const {
    auto all = lines_max();
    auto most = all / 4 * 3, least = all / 4;
    if (preferred) return kinds_[false].active > 0 ? most : all;
    if (preferred_.empty()) return all;
    return std::max(most - std::min(most, kinds_[true].bytes), least);
}

std::size_t MemoryBudget::share_of(const std::string& name) const {
    auto tenant = tenants_.find(name);
    bool is_new = tenant == tenants_.end();
    bool preferred = is_new ? is_preferred(name) : tenant->second.preferred;
    return std::max(pool(preferred) / (kinds_[preferred].active + (is_new ? 1 : 0)), share_bytes_min);
}

// How many reads there is memory for.
std::size_t MemoryBudget::free_reads(bool preferred) const {
    auto all = lines_max(), most = pool(preferred);
    auto free = std::min(all - std::min(all, lines()), most - std::min(most, kinds_[preferred].bytes));
    return free / std::min(read_cost_max, all / 8);
}

// Nobody is before it for whom there is not memory as well.
bool MemoryBudget::is_next(const Tenant& tenant) const {
    auto reads = free_reads(tenant.preferred);
    const auto& line = kinds_[tenant.preferred].line;
    if (!tenant.place) return line.size() < reads;
    std::size_t before = 0;
    for (auto each = line.begin(); each->first != *tenant.place && before < reads; ++each) ++before;
    return before < reads;
}

void MemoryBudget::enter_line(Tenants::iterator tenant) {
    if (tenant->second.place) return;
    tenant->second.place = ++last_place_;
    kinds_[tenant->second.preferred].line.emplace(last_place_, tenant->first);
}

void MemoryBudget::leave_line(Tenants::iterator tenant) {
    if (auto place = std::exchange(tenant->second.place, std::nullopt))
        kinds_[tenant->second.preferred].line.erase(*place);
}

std::size_t MemoryBudget::used() const {
    std::scoped_lock lock{mutex_};
    return lines() + standing_;
}

std::size_t MemoryBudget::used(const std::string& name) const {
    std::scoped_lock lock{mutex_};
    auto tenant = tenants_.find(name);
    return tenant == tenants_.end() ? 0 : tenant->second.bytes;
}

std::size_t MemoryBudget::held() const {
    std::scoped_lock lock{mutex_};
    return lines();
}

std::size_t MemoryBudget::standing() const {
    std::scoped_lock lock{mutex_};
    return standing_;
}

std::size_t MemoryBudget::peak() const {
    std::scoped_lock lock{mutex_};
    return peak_;
}

std::size_t MemoryBudget::waiting() const {
    std::scoped_lock lock{mutex_};
    return kinds_[0].line.size() + kinds_[1].line.size();
}

void MemoryBudget::change(const std::string& name, std::size_t from, std::size_t to) {
    if (from == to) return;
    std::scoped_lock lock{mutex_};
    auto step = [&](std::size_t& total) { total = total - from + to; };
    if (name.empty()) {
        step(standing_);
    } else {
        auto tenant = active(name);
        step(tenant->second.bytes);
        step(kinds_[tenant->second.preferred].bytes);
        drop_if_idle(tenant);
    }
    peak_ = std::max(peak_, lines() + standing_);
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
