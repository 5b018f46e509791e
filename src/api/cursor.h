// Where a page of records ended: the time of its last one, and of each source the line that came last.
//
// Times are not unique, and a source's may step back; a line's source and ordinal name it. So the next page reads from
// that time on, with clock_step before it (or behind it, going backward), and leaves out what came already. A gap
// without a line of its source on the page may come twice, and nothing is lost.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "query/filter.h"
#include "query/range.h"

namespace boatswain::api {

class Cursor {
  public:
    // By how much a source's times may step back without a line being lost between pages.
    static constexpr Nanoseconds clock_step = std::chrono::hours{1};
    static constexpr std::size_t sources_max = 5'000;

    explicit Cursor(bool backward) : backward_(backward) {}
    // As str() wrote it: TIME;SOURCE:ORDINAL:TIME;... Remedy::stop for anything else.
    static Result<Cursor> parse(std::string_view text, bool backward);

    // What is left of `range`.
    query::TimeRange rest_of(const query::TimeRange& range) const;
    // Whether an entry came on this page or one before it; whether all of a frame did.
    bool has(const query::Entry& entry) const;
    bool has(const query::FrameSummary& frame) const;
    void add(const query::Entry& entry);
    std::string str() const;

  private:
    struct Last {
        std::uint64_t ordinal = 0;
        Timestamp time{};
    };
    bool backward_;
    bool begun_ = false;
    Timestamp time_{};
    std::map<std::string, Last, std::less<>> sources_;
};

// What did not come on the pages up to `cursor`. Asks for a numbered selection.
query::FilterPtr behind(Cursor cursor);

}  // namespace boatswain::api
