// What a request to Loki's API asks: parameters of its URL and of its form, and the times, lengths and limits among
// them. Pure. Errors are for the client, in Loki's words (Remedy::stop).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "query/range.h"

namespace boatswain::api {

// More pairs, or a longer query, are refused.
inline constexpr std::size_t parameters_max = 200;
inline constexpr std::size_t query_bytes_max = 128U << 10;
inline constexpr std::uint64_t lines_default = 100;
inline constexpr std::uint64_t lines_max = 5000;
inline constexpr Nanoseconds since_default = std::chrono::hours{1};
// Moments before 1970 or after this are refused: sums of them stay within what a Timestamp holds.
inline constexpr std::int64_t seconds_max = 7'258'118'400;  // 2200-01-01

class Parameters {
  public:
    // Both percent-encoded, with '+' for a blank ("application/x-www-form-urlencoded").
    static Result<Parameters> parse(std::string_view url_query, std::string_view form);

    // As all() gave them.
    static Result<Parameters> of(std::vector<std::pair<std::string, std::string>> all);
    const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

    // The first of that name that is not empty; else empty.
    std::string_view value(std::string_view name) const;
    std::vector<std::string_view> values(std::string_view name) const;

  private:
    std::vector<std::pair<std::string, std::string>> all_;
};

// A moment: digits are seconds (up to ten of them) or nanoseconds, with a dot seconds, rounded to milliseconds; or
// RFC 3339. Absent: `otherwise`.
Result<Timestamp> time_of(const Parameters& given, std::string_view name, Timestamp otherwise);
// `start` and `end`, by default the hour, or `since`, before now. A range that is empty, or longer than `length_max`,
// is refused.
Result<query::TimeRange> range_of(const Parameters& given, Timestamp now, Nanoseconds length_max);
std::unexpected<Error> too_long(Nanoseconds length, Nanoseconds length_max);
// `limit` of lines.
Result<std::uint64_t> limit_of(const Parameters& given);
// A number from 1 on; above `most` it is refused.
Result<std::uint64_t> count_of(const Parameters& given, std::string_view name, std::uint64_t otherwise,
                               std::uint64_t most);
// `interval` of lines: seconds or a duration; absent: 0.
Result<Nanoseconds> interval_of(const Parameters& given);
// `step`: seconds, or a duration like 5m. Absent: a 250th of the range, a second at least.
Result<Nanoseconds> step_of(const Parameters& given, const query::TimeRange& range);
// `direction`.
Result<bool> is_backward(const Parameters& given);

// As Loki writes it: "721h0m0s".
std::string duration_text(Nanoseconds length);

}  // namespace boatswain::api
