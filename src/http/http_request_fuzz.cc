// Any bytes as requests, cut anywhere, give the same requests; nothing of them holds a line's end or is out of bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/request_reader.h"

using boatswain::http::RequestReader;

namespace {

constexpr std::uint64_t body_bytes_max = 256;

std::string read(std::string_view bytes, std::size_t piece) {
    RequestReader reader{body_bytes_max};
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.feed(bytes.substr(at, piece));
        for (;;) {
            auto outcome = reader.next();
            if (outcome.refusal) return seen + std::to_string(outcome.refusal);
            if (!outcome.request) break;
            auto& request = *outcome.request;
            if (!request.path.starts_with('/')) std::abort();
            if (request.body.size() > body_bytes_max) std::abort();
            for (const auto& [name, value] : request.fields)
                if (!boatswain::http::is_field_value(name) || !boatswain::http::is_field_value(value)) std::abort();
            seen += request.body + "|" + request.method + " " + request.path + " " + request.query +
                    (request.keep_alive ? "k|" : "c|");
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    // A piece is never longer than what the server reads at once; a request's bound is checked against what has come.
    if (bytes.size() < boatswain::http::request_head_bytes_max &&
        read(bytes, bytes.size()) != read(bytes, std::size_t{data[0]} % 32 + 1))
        std::abort();
    return 0;
}
