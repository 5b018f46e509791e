#include "intake/driver/http_post.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace boatswain::intake::driver {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

// Beast calls back with what it finds.
class HeadParser final : public http::basic_parser<true> {
  public:
    http::verb verb = http::verb::unknown;
    std::string target;

  private:
    void on_request_impl(http::verb method, string_view, string_view where, int, error_code& error) override {
        verb = method;
        target.assign(where.data(), where.size());
        error = {};
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field, string_view, string_view, error_code& error) override { error = {}; }
    void on_header_impl(error_code& error) override { error = {}; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override { error = {}; }
    std::size_t on_body_impl(string_view bytes, error_code& error) override {
        error = {};
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code& error) override { error = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
        error = {};
        return bytes.size();
    }
    void on_finish_impl(error_code& error) override { error = {}; }
};

constexpr int bad_request = 400, method_not_allowed = 405, length_required = 411, content_too_large = 413,
              fields_too_large = 431;

}  // namespace

int PostReader::read_head() {
    auto end = pending_.find("\r\n\r\n");
    if (end == pending_.npos) return pending_.size() > post_head_bytes_max ? fields_too_large : 0;
    end += 4;
    if (end > post_head_bytes_max) return fields_too_large;
    // The whole head lies there: it is parsed in one go, and what is incomplete to Beast is malformed.
    HeadParser parser;
    parser.header_limit(post_head_bytes_max + 1);
    parser.body_limit(post_body_bytes_max);
    error_code code;
    for (std::string_view head{pending_.data(), end}; !head.empty() && !parser.is_header_done() && !code;)
        head.remove_prefix(parser.put(boost::asio::const_buffer{head.data(), head.size()}, code));
    if (code == http::error::body_limit) return content_too_large;
    if (code || !parser.is_header_done() || !parser.target.starts_with('/')) return bad_request;
    if (parser.verb != http::verb::post) return method_not_allowed;
    if (parser.chunked()) return length_required;
    Head head{.post = {.path = parser.target, .body = {}, .keep_alive = parser.keep_alive()}};
    if (auto length = parser.content_length()) {
        if (*length > post_body_bytes_max) return content_too_large;
        head.body_bytes = static_cast<std::size_t>(*length);
    }
    pending_.erase(0, end);
    head_ = std::move(head);
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
