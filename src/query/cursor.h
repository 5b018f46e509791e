// Where a page of records ended: the time of its last one, and of each source the line that came last.
//
// Times are not unique, and a source's may step back; a line's source and ordinal name it. So the next page reads from
// that time on, with clock_step before it (or behind it, going backward), and leaves out what came already. A gap
// without a line of its source on the page may come twice, and nothing is lost.
//
// As text it carries a sum over itself, its direction and its question, so that one that was cut short, changed or taken
// to another question is noticed. Whoever makes one up sees other lines of what may be seen anyway, and no more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "query/filter.h"
#include "query/range.h"

namespace boatswain::query {

class Cursor {
  public:
    // By how much a source's times may step back without a line being lost between pages.
    static constexpr Nanoseconds clock_step = std::chrono::hours{1};
    static constexpr std::size_t sources_max = 5'000;

    // `question`: what is asked, in the same words for each of its pages.
    Cursor(bool backward, std::string_view question) : backward_(backward), question_(question) {}
    // As str() wrote it: TIME;SOURCE:ORDINAL:TIME;...;SUM. Remedy::stop for anything else.
    static Result<Cursor> parse(std::string_view text, bool backward, std::string_view question);

    // What is left of `range`.
    TimeRange rest_of(const TimeRange& range) const;
    // Whether an entry came on this page or one before it; whether all of a frame did.
    bool has(const Entry& entry) const;
    bool has(const FrameSummary& frame) const;
    void add(const Entry& entry);
    // Whether there was a line, so that there is a place to go on from.
    bool has_begun() const { return begun_; }
    std::string str() const;

  private:
    struct Last {
        std::uint64_t ordinal = 0;
        Timestamp time{};
    };
    std::string sum_of(std::string_view text) const;

    bool backward_;
    std::string question_;
    bool begun_ = false;
    Timestamp time_{};
    std::map<std::string, Last, std::less<>> sources_;
};

// What did not come on the pages up to `cursor`. Asks for a numbered selection.
FilterPtr behind(Cursor cursor);

}  // namespace boatswain::query
