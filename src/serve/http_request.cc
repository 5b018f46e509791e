#include "serve/http_request.h"

#include "net/http_request_head.h"

namespace boatswain::serve {
namespace {

constexpr int bad_request = 400, content_too_large = 413;

}  // namespace

HttpRequestReader::Outcome HttpRequestReader::next() {
    // Empty lines before a request line are passed over (RFC 9112 section 2.2).
    std::size_t blanks = 0;
    while (blanks < pending_.size() && (pending_[blanks] == '\r' || pending_[blanks] == '\n')) ++blanks;
    pending_.erase(0, blanks);

    auto read = net::read_http_request_head(pending_, http_request_bytes_max);
    if (!read.head) return {.request = std::nullopt, .refusal = read.refusal};
    auto& head = *read.head;
    if (head.version >= 11 && head.hosts != 1) return {.request = std::nullopt, .refusal = bad_request};
    if (head.chunked || head.content_length.value_or(0) > 0)
        return {.request = std::nullopt, .refusal = content_too_large};
    pending_.erase(0, read.bytes);

    HttpRequest request{.method = std::move(head.method),
                        .authorization = std::move(head.authorization),
                        .keep_alive = head.keep_alive};
    auto question = head.target.find('?');
    request.path = head.target.substr(0, question);
    if (question != std::string::npos) request.query = head.target.substr(question + 1);
    return {.request = std::move(request)};
}

}  // namespace boatswain::serve
