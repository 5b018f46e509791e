// Whatever is read as an object's key is written back as the same text; nothing crashes.
#include "segment/object_key.h"

#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::string_view text{reinterpret_cast<const char*>(data), size};
    if (auto key = boatswain::segment::parse_object_key(text); key && key->str() != text) std::abort();
    return 0;
}
