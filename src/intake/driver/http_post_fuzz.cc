// Any bytes as requests, cut anywhere, give the same requests.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "intake/driver/http_post.h"

using boatswain::intake::driver::PostReader;

namespace {

std::string read(std::string_view bytes, std::size_t piece) {
    PostReader reader;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.feed(bytes.substr(at, piece));
        for (;;) {
            auto outcome = reader.next();
            if (outcome.refusal) return seen + std::to_string(outcome.refusal);
            if (!outcome.post) break;
            if (!outcome.post->path.starts_with('/')) std::abort();
            seen += outcome.post->path + " " + outcome.post->body + (outcome.post->keep_alive ? "k|" : "c|");
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    if (bytes.size() < boatswain::intake::driver::post_head_bytes_max &&
        read(bytes, bytes.size()) != read(bytes, std::size_t{data[0]} % 32 + 1))
        std::abort();
    return 0;
}
