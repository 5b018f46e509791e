// Goes through a listing page by page, and ends whatever the store answers: a page must lie behind the one before it,
// must not ask for itself again, and there are at most so many of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace boatswain::store {

// Of one listing: all objects of a tenant's hour, all hours of a tenant.
inline constexpr std::uint64_t listed_names_max = 10'000'000;
// Pages without a name, one after the other. S3 may send such a page and a token to go on.
inline constexpr std::size_t empty_pages_max = 100;
inline constexpr std::uint64_t pages_max = 100'000;

class Pages {
  public:
    Pages(Store& store, std::string prefix, bool delimited)
        : store_(store), prefix_(std::move(prefix)), delimited_(delimited) {}

    bool more() const { return more_; }
    // The next page; only while more(). Remedy::stop for a listing that does not end.
    Result<ListPage> next();

  private:
    Result<void> check(const ListPage& page);

    Store& store_;
    std::string prefix_;
    bool delimited_;
    bool more_ = true;
    std::optional<std::string> token_;
    std::string last_;  // the greatest name so far
    std::uint64_t pages_ = 0, names_ = 0;
    std::size_t empty_pages_ = 0;
};

}  // namespace boatswain::store
