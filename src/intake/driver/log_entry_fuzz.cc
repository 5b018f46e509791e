// Any bytes, as frames and as an entry: views stay inside, whole frames add up, and what is written is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "intake/driver/log_entry.h"

using namespace boatswain::intake::driver;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    auto inside = [&](std::string_view part) {
        if (!part.empty() && (part.data() < bytes.data() || part.data() + part.size() > bytes.data() + bytes.size()))
            std::abort();
    };
    std::size_t seen = 0;
    for (auto left = bytes;;) {
        auto frame = first_frame(left);
        if (frame.size == 0) break;
        inside(frame.payload);
        (void)parse_log_entry(frame.payload);
        seen += frame.size;
        left.remove_prefix(frame.size);
    }
    if (seen != whole_frames(bytes)) std::abort();

    if (bytes.size() > frame_bytes_max / 2) return 0;
    if (auto entry = parse_log_entry(bytes)) {
        inside(entry->source);
        inside(entry->line);
        if (entry->piece) inside(entry->piece->id);
        auto written = to_frame(*entry);
        auto again = parse_log_entry(first_frame(written).payload);
        if (!again || again->source != entry->source || again->time_nano != entry->time_nano ||
            again->line != entry->line || again->ends_line() != entry->ends_line())
            std::abort();
    }
    return 0;
}
