// Any bytes as an HTTP answer, cut anywhere, are the same whole answer or none, and its body is no longer than what
// came.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "http/answer_reader.h"

using boatswain::http::AnswerReader;

namespace {

struct Outcome {
    unsigned status = 0;
    std::string body;
    std::string rest;
    bool operator==(const Outcome&) const = default;
};

// Nothing when it is nonsense or torn: which of the two a head without end is may depend on where it is cut.
std::optional<Outcome> read(std::string_view bytes, std::size_t piece) {
    AnswerReader answer;
    Outcome outcome;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        if (!answer.feed(bytes.substr(at, piece), outcome.body)) return std::nullopt;
    if (!answer.end()) return std::nullopt;
    outcome.status = answer.status();
    outcome.rest = answer.rest();
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    auto whole = read(bytes, bytes.size());
    auto cut = read(bytes, std::size_t{data[0]} % 32 + 1);
    // Bounds are checked at the end of each piece, so one that is overstepped and left again in one piece is not seen:
    // with small inputs there is no such case.
    if (bytes.size() < boatswain::http::http_chunk_head_bytes_max && !(whole == cut)) std::abort();
    if (whole && whole->body.size() + whole->rest.size() > bytes.size()) std::abort();
    return 0;
}
