#include "tenancy/carried_places.h"

namespace boatswain::tenancy {

std::shared_ptr<const void> CarriedPlaces::take(const TenantId& tenant) {
    auto name = tenant.str();
    if (auto found = taken_->find(name); found != taken_->end()) return found->second.lock();
    if (taken_->size() >= places_max_) return nullptr;
    auto leave = [taken = taken_, name](const char*) { taken->erase(name); };
    std::shared_ptr<const void> place{"", leave};
    taken_->emplace(name, place);
    return place;
}

}  // namespace boatswain::tenancy
