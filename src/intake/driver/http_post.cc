#include "intake/driver/http_post.h"

#include "net/http_request_head.h"

namespace boatswain::intake::driver {
namespace {

constexpr int method_not_allowed = 405, length_required = 411, content_too_large = 413;

}  // namespace

int PostReader::read_head() {
    auto read = net::read_http_request_head(pending_, post_head_bytes_max);
    if (!read.head) return read.refusal;
    auto& head = *read.head;
    if (head.method != "POST") return method_not_allowed;
    if (head.chunked) return length_required;
    auto body_bytes = head.content_length.value_or(0);
    if (body_bytes > post_body_bytes_max) return content_too_large;
    pending_.erase(0, read.bytes);
    head_ = Head{.post = {.path = std::move(head.target), .body = {}, .keep_alive = head.keep_alive},
                 .body_bytes = static_cast<std::size_t>(body_bytes)};
    return 0;
}

PostReader::Outcome PostReader::next() {
    if (!head_)
        if (int refusal = read_head()) return {.post = std::nullopt, .refusal = refusal};
    if (!head_ || pending_.size() < head_->body_bytes) return {};
    auto post = std::move(head_->post);
    post.body = pending_.substr(0, head_->body_bytes);
    pending_.erase(0, head_->body_bytes);
    head_.reset();
    return {.post = std::move(post)};
}

}  // namespace boatswain::intake::driver
