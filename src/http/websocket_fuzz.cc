// Any bytes as a client's frames, whole and one at a time: the same frames, or both refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/websocket.h"

namespace {

std::string frames_of(std::string_view bytes, std::size_t piece) {
    boatswain::http::WebSocketReader reader;
    std::string all;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.feed(bytes.substr(at, piece));
        for (;;) {
            auto frame = reader.next();
            if (!frame) return all + "refused";
            if (!*frame) break;
            if ((*frame)->payload.size() > boatswain::http::websocket_frame_bytes_max) std::abort();
            all += std::to_string((*frame)->kind) + ":" + (*frame)->payload + "\n";
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (size > 0 && frames_of(bytes, size) != frames_of(bytes, 1)) std::abort();
    return 0;
}
