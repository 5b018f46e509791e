// What lies where a manifest of an export is looked for is somebody's file: it is read or refused, never trusted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "export/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain::exporting;
    auto read = parse_manifest({reinterpret_cast<const char*>(data), size});
    if (!read) return 0;
    auto again = parse_manifest(read->json());
    if (!again || again->segments != read->segments || again->parts != read->parts) std::abort();
    return 0;
}
