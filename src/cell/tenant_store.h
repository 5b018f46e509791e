// The part of a store that one tenant's cell may see: names below the tenant's own prefix, and ranges of what lies there.
// Everything else is refused with Remedy::stop, whoever asks for it; and what the store answers beyond it is left out.
//
// Thread-safe, as the store behind it.
#pragma once

#include <string>

#include "record/source.h"
#include "store/store.h"

namespace boatswain::cell {

class TenantStore final : public store::Store {
  public:
    // `store` is borrowed.
    TenantStore(store::Store& store, const TenantId& tenant);

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    // At most read_bytes_max (messages.h) at a time.
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override;
    // Whole objects are not given.
    Result<std::string> read(std::string_view key) override;
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override;
    Result<void> probe() override { return store_.probe(); }
    std::string describe() const override { return store_.describe(); }

  private:
    store::Store& store_;
    const std::string prefix_;
};

}  // namespace boatswain::cell
