// Whatever the parameters: times, lengths and limits are within their bounds, or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/parameters.h"
#include "logql/evaluate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    auto given = api::Parameters::parse({reinterpret_cast<const char*>(data), size}, {});
    if (!given) return 0;
    auto now = Timestamp{std::chrono::seconds{1'795'950'613}};
    constexpr Nanoseconds length_max = std::chrono::hours{721};
    if (auto limit = api::limit_of(*given); limit && (*limit == 0 || *limit > api::lines_max)) std::abort();
    (void)api::is_backward(*given);
    (void)api::time_of(*given, "time", now);
    auto range = api::range_of(*given, now, length_max);
    if (!range) return 0;
    if (range->until <= range->since || range->until - range->since > length_max) std::abort();
    auto step = api::step_of(*given, *range);
    if (!step) return 0;
    if (*step <= Nanoseconds{0}) std::abort();
    auto steps = logql::Steps::of_range(range->since, range->until, *step);
    if (steps && steps->count() > logql::steps_max + 2) std::abort();
    return 0;
}
