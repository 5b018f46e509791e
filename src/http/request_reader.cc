#include "http/request_reader.h"

#include "base/text.h"
#include "http/request_head.h"

namespace boatswain::http {
namespace {

constexpr int length_required = 411, content_too_large = 413, expectation_failed = 417;

bool is_continue(std::string_view value) { return equal_in_any_case(value, "100-continue"); }

}  // namespace

int RequestReader::read_head() {
    // Empty lines before a request line are passed over (RFC 9112 section 2.2).
    std::size_t blanks = 0;
    while (blanks < pending_.size() && (pending_[blanks] == '\r' || pending_[blanks] == '\n')) ++blanks;
    pending_.erase(0, blanks);

    auto read = read_request_head(pending_, request_head_bytes_max);
    if (!read.head) return read.refusal;
    auto& head = *read.head;
    if (head.chunked) return body_bytes_max_ > 0 ? length_required : content_too_large;
    if (head.content_length > body_bytes_max_) return content_too_large;
    pending_.erase(0, read.bytes);

    Begun begun{.request = {.method = std::move(head.method), .fields = std::move(head.fields)},
                .body_bytes = static_cast<std::size_t>(head.content_length)};
    auto& request = begun.request;
    request.keep_alive = head.keep_alive;
    request.http_1_0 = head.version == 10;
    auto question = head.target.find('?');
    request.path = head.target.substr(0, question);
    if (question != std::string::npos) request.query = head.target.substr(question + 1);
    if (auto expected = request.field("expect"); !expected.empty()) {
        if (!is_continue(expected)) return expectation_failed;
        begun.wants_continue = !request.http_1_0 && begun.body_bytes > 0;
    }
    begun_ = std::move(begun);
    return 0;
}

RequestReader::Outcome RequestReader::next() {
    if (!begun_)
        if (int refused = read_head()) return {.request = std::nullopt, .refusal = refused};
    if (!begun_) return {};
    if (pending_.size() < begun_->body_bytes) {
        // Who has sent a part of it does not wait.
        bool waits = std::exchange(begun_->wants_continue, false) && pending_.empty();
        return {.request = std::nullopt, .wants_continue = waits};
    }
    auto request = std::move(begun_->request);
    request.body = pending_.substr(0, begun_->body_bytes);
    pending_.erase(0, begun_->body_bytes);
    begun_.reset();
    return {.request = std::move(request)};
}

}  // namespace boatswain::http
