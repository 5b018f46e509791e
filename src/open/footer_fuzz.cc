// The end of a plaintext as an attacker would write it, who has a tenant's public key; and the JSON inside alone.
#include <cstdlib>

#include "open/footer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    std::string_view plaintext{reinterpret_cast<const char*>(data), size};
    auto read = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        if (first > size || length > size - first) std::abort();
        return std::string{plaintext.substr(first, length)};
    };
    open::Decompressor decompressor;
    if (auto footer = open::read_footer(size, read, decompressor)) {
        for (const auto& frame : footer->frames)
            if (frame.source >= footer->sources.size() || frame.offset + frame.compressed_bytes > size) std::abort();
    }
    (void)open::parse_footer(plaintext);
    return 0;
}
