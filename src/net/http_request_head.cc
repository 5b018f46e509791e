#include "net/http_request_head.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace boatswain::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

// Beast calls back with what it finds.
class Parser final : public http::basic_parser<true> {
  public:
    HttpRequestHead head;

  private:
    void on_request_impl(http::verb, string_view method, string_view target, int version, error_code& error) override {
        head.method.assign(method.data(), method.size());
        head.target.assign(target.data(), target.size());
        head.version = version;
        error = {};
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field name, string_view, string_view value, error_code& error) override {
        head.hosts += name == http::field::host ? 1 : 0;
        if (name == http::field::authorization && head.authorization.empty())
            head.authorization.assign(value.data(), value.size());
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

constexpr int bad_request = 400, fields_too_large = 431;

}  // namespace

HttpHeadOutcome read_http_request_head(std::string_view bytes, std::size_t bytes_max) {
    auto end = bytes.find("\r\n\r\n");
    if (end == bytes.npos) return {.head = {}, .refusal = bytes.size() > bytes_max ? fields_too_large : 0};
    end += 4;
    if (end > bytes_max) return {.head = {}, .refusal = fields_too_large};

    // The whole head lies there: it is parsed in one go, and what is incomplete to Beast is malformed.
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(bytes_max + 1));
    parser.body_limit(boost::none);  // the caller's to judge
    error_code code;
    for (auto rest = bytes.substr(0, end); !rest.empty() && !parser.is_header_done() && !code;)
        rest.remove_prefix(parser.put(boost::asio::const_buffer{rest.data(), rest.size()}, code));
    if (code || !parser.is_header_done() || !parser.head.target.starts_with('/'))
        return {.head = {}, .refusal = bad_request};
    parser.head.chunked = parser.chunked();
    if (auto length = parser.content_length()) parser.head.content_length = *length;
    parser.head.keep_alive = parser.keep_alive();
    return {.head = std::move(parser.head), .bytes = end, .refusal = 0};
}

}  // namespace boatswain::net
