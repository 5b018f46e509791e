// The text of a frame; what is accepted must be written again to the same bytes.
#include <cstdlib>
#include <cstring>

#include "open/segment_reader.h"
#include "open/text.h"
#include "segment/frame_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    segment::FrameText again{Source{}};
    (void)open::for_each_entry(text, [&](const open::TextEntry& entry) {
        if (entry.kind != open::TextEntry::Kind::line) return true;
        auto before = again.text().size();
        again.append(entry.line);
        auto written = again.text().substr(before);
        if (written.substr(0, written.size() - 1) != entry.raw) std::abort();
        return true;
    });
    (void)open::heading_source(text);
    (void)open::count_text(text);
    return 0;
}
