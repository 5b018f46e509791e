// Any bytes, cut anywhere, give the same payloads as in one piece, and never more than went in.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/multiplexed.h"

using boatswain::Stream;
using boatswain::engine::MultiplexedParser;

namespace {

std::string parse(std::string_view bytes, std::size_t piece) {
    MultiplexedParser parser;
    std::string seen;
    auto on_payload = [&](Stream stream, std::string_view payload, bool end) {
        seen += payload;
        if (end) seen += stream == Stream::out ? "|o" : "|e";
    };
    auto on_message = [&](std::string_view payload, bool end) {
        seen += payload;
        if (end) seen += "|m";
    };
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        if (!parser.feed(bytes.substr(at, piece), on_payload, on_message)) return seen + "|broken";
    return seen + (parser.at_frame_start() ? "|clean" : "|torn");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    auto whole = parse(bytes, bytes.size() + 1);
    if (parse(bytes, std::size_t{data[0]} % 16 + 1) != whole) std::abort();
    if (whole.size() > 2 * bytes.size() + 10) std::abort();
    return 0;
}
