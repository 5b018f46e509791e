// Any bytes as a record: refused, or items that are written again as they were read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "live/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    auto items = live::parse_record(bytes);
    if (!items) return 0;
    std::string again;
    for (const auto& item : *items) std::visit([&](const auto& one) { live::append_item(again, one); }, item);
    auto reread = live::parse_record(again);
    if (!reread || reread->size() != items->size()) std::abort();
    return 0;
}
