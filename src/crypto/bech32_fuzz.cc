// Whatever decodes encodes back to the same text; nothing crashes.
#include <cstdlib>

#include "crypto/bech32.h"
#include "crypto/recipient.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain::crypto;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    if (auto decoded = decode_bech32(text)) {
        auto upper = text.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos;
        if (!upper && encode_bech32(decoded->prefix, decoded->bytes) != text) std::abort();
    }
    if (auto recipient = Recipient::parse(text); recipient && recipient->str() != text) std::abort();
    return 0;
}
