// The parts of a roll-up as they are once the age file is open: nothing of them is believed before it is checked.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rollup/rollup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    if (size < 1) return 0;
    std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    auto frames = std::size_t{data[0]} * 3;
    auto query = rollup::GramQuery::of("needle in a frame").value();
    auto read = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        return std::string{text.substr(first, length)};
    };
    rollup::GramReader grams{frames, 0, text.size(), read};
    for (std::size_t i = 0; i < frames; ++i) (void)grams.frame(i).may_hold(query);
    bool fits = grams.finish().has_value();
    rollup::GramReader again{frames, 0, text.size(), read};
    auto band = again.next_band();
    if (fits && band && frames > 0 && rollup::pack_band(*band) != text) std::abort();
    if (auto summaries = rollup::parse_summaries(text))
        if (rollup::pack_summaries(*summaries) != text) std::abort();
    (void)rollup::parse_index(text, TenantId::parse("acme").value(), parse_time("2026-11-30T00:00:00Z").value(), size);
    return 0;
}
