#include "guard/request.h"

#include <algorithm>

#include "base/text.h"

namespace boatswain::guard {
namespace {

constexpr int bad_request = 400;
constexpr int fields_too_large = 431;
constexpr std::size_t method_bytes_max = 16;

bool is_visible(char c) { return c > 0x20 && c < 0x7f; }
bool is_token(char c) { return is_letter_or_digit(c) || std::string_view{"!#$%&'*+-.^_`|~"}.contains(c); }
bool is_value(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

// The next line without its CRLF.
std::string_view take_line(std::string_view& head) {
    auto end = head.find("\r\n");
    auto line = head.substr(0, end);
    head.remove_prefix(end == head.npos ? head.size() : end + 2);
    return line;
}

Judged<Request> parse_request_line(std::string_view line) {
    auto malformed = [] { return refuse(bad_request, "the request line is malformed"); };
    auto first = line.find(' '), last = line.rfind(' ');
    if (first == line.npos || first == last) return malformed();
    auto method = line.substr(0, first), target = line.substr(first + 1, last - first - 1),
         version = line.substr(last + 1);
    if (method.empty() || method.size() > method_bytes_max ||
        !std::ranges::all_of(method, [](char c) { return c >= 'A' && c <= 'Z'; }))
        return malformed();
    if (!target.starts_with('/') || !std::ranges::all_of(target, is_visible) || target.contains('#'))
        return malformed();
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505, "HTTP/1.1 is spoken here");
    auto question = target.find('?');
    Request request{.method = std::string{method},
                    .path = std::string{target.substr(0, question)},
                    .query = {},
                    .upgrade = {},
                    .http_1_0 = version == "HTTP/1.0"};
    if (question != target.npos) request.query = target.substr(question + 1);
    return request;
}

struct Seen {
    std::size_t fields = 0;
    bool host = false, length = false;
};

// One field; what is wrong with it, if anything.
Judged<void> take_field(std::string_view line, Request& request, Seen& seen) {
    if (++seen.fields > request_fields_max) return refuse(fields_too_large, "the request has too many fields");
    auto colon = line.find(':');
    auto name = line.substr(0, colon);
    if (colon == line.npos || name.empty() || !std::ranges::all_of(name, is_token))
        return refuse(bad_request, "a field of the request is malformed");
    auto value = trim(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_value)) return refuse(bad_request, "a field of the request is malformed");

    auto known = lower_case(name);
    if (known == "host") {
        if (std::exchange(seen.host, true)) return refuse(bad_request, "the field Host is repeated");
    } else if (known == "transfer-encoding" || known == "trailer" || known == "expect") {
        request.body = true;
    } else if (known == "content-length") {
        request.body = request.body || std::exchange(seen.length, true) || value != "0";
    } else if (known == "upgrade") {
        if (!request.upgrade.empty() || value.empty())
            return refuse(bad_request, "the field Upgrade is repeated or empty");
        request.upgrade = lower_case(value);
    }
    return {};
}

}  // namespace

Judged<Request> parse_request(std::string_view head) {
    if (head.size() > request_bytes_max) return refuse(fields_too_large, "the request is too long");
    if (!head.ends_with("\r\n\r\n")) return refuse(bad_request, "the request is not whole");
    head.remove_suffix(2);
    auto request = parse_request_line(take_line(head));
    Seen seen;
    while (request && !head.empty())
        if (auto taken = take_field(take_line(head), *request, seen); !taken) return std::unexpected{taken.error()};
    if (request && !seen.host && !request->http_1_0) return refuse(bad_request, "the field Host is missing");
    return request;
}

}  // namespace boatswain::guard
