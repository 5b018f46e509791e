// How many tenants without a key file there may be at once.
//
// Whoever starts containers chooses the names of tenants whose key the container carries. Each name costs: a chain in
// the state, series, segments that are never full. A tenant has its place as long as somebody keeps what take() gave
// him: as long as a container of it is there. Belongs to one thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "record/source.h"

namespace boatswain::tenancy {

class CarriedPlaces {
  public:
    explicit CarriedPlaces(std::size_t places_max) : places_max_(places_max) {}
    // The tenant's place, one for all of its containers; nothing when all are taken by others.
    std::shared_ptr<const void> take(const TenantId& tenant);
    std::size_t taken() const { return taken_->size(); }
    bool has_room() const { return taken() < places_max_; }

  private:
    using Taken = std::map<std::string, std::weak_ptr<const void>>;
    const std::size_t places_max_;
    std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();  // shared with the places, which leave it
};

}  // namespace boatswain::tenancy
