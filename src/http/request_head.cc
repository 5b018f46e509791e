#include "http/request_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/text.h"

namespace boatswain::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

// Beast calls back with what it finds.
class Parser final : public beast::basic_parser<true> {
  public:
    RequestHead head;

  private:
    void on_request_impl(beast::verb, string_view method, string_view target, int version, error_code& error) override {
        head.method.assign(method.data(), method.size());
        head.target.assign(target.data(), target.size());
        head.version = version;
        error = {};
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(beast::field, string_view name, string_view value, error_code& error) override {
        head.fields.emplace_back(lower_case({name.data(), name.size()}), std::string{value.data(), value.size()});
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

bool is_visible(char c) { return c > ' ' && static_cast<unsigned char>(c) < 0x7F; }

// Of one line, without its end.
bool is_plain_line(std::string_view line) {
    return std::ranges::all_of(line,
                               [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F); });
}

bool is_plain_request_line(std::string_view line) {
    auto first = line.find(' '), last = line.rfind(' ');
    if (first == line.npos || first == last) return false;
    auto version = line.substr(last + 1);
    return first > 0 && std::ranges::all_of(line.substr(first + 1, last - first - 1), is_visible) &&
           (version == "HTTP/1.1" || version == "HTTP/1.0");
}

bool is_plain_field(std::string_view line) {
    auto colon = line.find(':');
    return colon != line.npos && colon > 0 && std::ranges::all_of(line.substr(0, colon), is_visible);
}

// Every line ends with CRLF and holds no control character; `head` ends with the empty line, its only one.
bool is_plain(std::string_view head) {
    std::size_t fields = 0;
    for (bool first = true; head != "\r\n"; first = false) {
        auto end = head.find("\r\n");
        auto line = head.substr(0, end);
        if (!is_plain_line(line) || !(first ? is_plain_request_line(line) : is_plain_field(line))) return false;
        if (!first && ++fields > request_fields_max) return false;
        head.remove_prefix(end + 2);
    }
    return true;
}

std::size_t count(const RequestHead& head, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count(head.fields, name, &Fields::value_type::first));
}

// One framing and one host, so that nobody who reads the same bytes sees another request (RFC 9112 section 6.3).
bool is_unambiguous(const RequestHead& head) {
    auto lengths = count(head, "content-length"), codings = count(head, "transfer-encoding"),
         hosts = count(head, "host");
    if (lengths + codings > 1 || hosts > 1 || (head.version == 11 && hosts == 0)) return false;
    if (codings == 1) {
        auto coding = std::ranges::find(head.fields, "transfer-encoding", &Fields::value_type::first)->second;
        return head.version == 11 && equal_in_any_case(coding, "chunked");
    }
    if (lengths == 0) return true;
    const auto& length = std::ranges::find(head.fields, "content-length", &Fields::value_type::first)->second;
    return !length.empty() && std::ranges::all_of(length, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

RequestHeadOutcome read_request_head(std::string_view bytes, std::size_t bytes_max) {
    auto end = bytes.find("\r\n\r\n");
    if (end == bytes.npos) return {.head = {}, .refusal = bytes.size() > bytes_max ? fields_too_large : 0};
    end += 4;
    if (end > bytes_max) return {.head = {}, .refusal = fields_too_large};
    if (!is_plain(bytes.substr(0, end))) return {.head = {}, .refusal = bad_request};

    // The whole head lies there: it is parsed in one go, and what is incomplete to Beast is malformed.
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(bytes_max + 1));
    parser.body_limit(boost::none);  // the caller's to judge
    error_code code;
    for (auto rest = bytes.substr(0, end); !rest.empty() && !parser.is_header_done() && !code;)
        rest.remove_prefix(parser.put(boost::asio::const_buffer{rest.data(), rest.size()}, code));
    auto& head = parser.head;
    if (code || !parser.is_header_done() || !head.target.starts_with('/') || !is_unambiguous(head))
        return {.head = {}, .refusal = bad_request};
    head.chunked = count(head, "transfer-encoding") > 0;
    head.content_length = parser.content_length().value_or(0);
    head.keep_alive = parser.keep_alive();
    return {.head = std::move(head), .bytes = end, .refusal = 0};
}

}  // namespace boatswain::http
