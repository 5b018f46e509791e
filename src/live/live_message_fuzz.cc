// Any bytes as what a peer says in a message: refused, or within its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "live/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (auto hello = live::parse_hello(bytes); hello && (hello->host.empty() || hello->nonce.size() != 64))
        std::abort();
    if (auto order = live::parse_order(bytes)) {
        auto again = live::parse_order(live::to_json(*order));
        if (!again || again->stream != order->stream || again->mark != order->mark) std::abort();
    }
    if (auto nonce = live::parse_challenge(bytes); nonce && nonce->size() != 64) std::abort();
    (void)live::parse_welcome(bytes);
    if (auto part = live::parse_part(bytes); part && live::to_bytes(*part) != bytes) std::abort();
    return 0;
}
