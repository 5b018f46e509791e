#include "serve/http_request.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>

namespace boatswain::serve {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

// Beast calls back with what it finds.
class Parser final : public http::basic_parser<true> {
  public:
    std::string method;
    std::string target;
    int version = 0;  // 11 for HTTP/1.1
    int hosts = 0;

  private:
    void on_request_impl(http::verb, string_view verb, string_view where, int spoken, error_code& error) override {
        version = spoken;
        method.assign(verb.data(), verb.size());
        target.assign(where.data(), where.size());
        error = {};
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field name, string_view, string_view, error_code& error) override {
        hosts += name == http::field::host ? 1 : 0;
        error = {};
    }
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

constexpr int bad_request = 400;
constexpr int content_too_large = 413;
constexpr int fields_too_large = 431;

bool has_body(const Parser& parser) {
    auto length = parser.content_length();
    return parser.chunked() || (length && *length > 0);
}

}  // namespace

HttpRequestReader::Outcome HttpRequestReader::next() {
    // Empty lines before a request line are passed over (RFC 9112 section 2.2).
    std::size_t blanks = 0;
    while (blanks < pending_.size() && (pending_[blanks] == '\r' || pending_[blanks] == '\n')) ++blanks;
    pending_.erase(0, blanks);

    auto end = pending_.find("\r\n\r\n");
    if (end == pending_.npos) return {.refusal = pending_.size() > http_request_bytes_max ? fields_too_large : 0};
    end += 4;
    if (end > http_request_bytes_max) return {.refusal = fields_too_large};

    // The whole head lies there: it is parsed in one go, and what is incomplete to Beast is malformed.
    Parser parser;
    parser.header_limit(http_request_bytes_max + 1);
    error_code code;
    for (std::string_view head{pending_.data(), end}; !head.empty() && !parser.is_header_done() && !code;)
        head.remove_prefix(parser.put(boost::asio::const_buffer{head.data(), head.size()}, code));
    if (code || !parser.is_header_done()) return {.refusal = bad_request};
    if (parser.version >= 11 && parser.hosts != 1) return {.refusal = bad_request};
    if (has_body(parser)) return {.refusal = content_too_large};
    if (!parser.target.starts_with('/')) return {.refusal = bad_request};
    pending_.erase(0, end);

    HttpRequest request{.method = std::move(parser.method), .keep_alive = parser.keep_alive()};
    auto question = parser.target.find('?');
    request.path = parser.target.substr(0, question);
    if (question != std::string::npos) request.query = parser.target.substr(question + 1);
    return {.request = std::move(request)};
}

}  // namespace boatswain::serve
