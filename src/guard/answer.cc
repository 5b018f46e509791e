#include "guard/answer.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json_writer.h"

namespace boatswain::guard {
namespace {

// Everything that the engine's clients look at (its API's reference); what is not here stays behind.
constexpr std::array<std::string_view, 10> passed_fields{
    "Api-Version",         "Builder-Version", "Cache-Control", "Content-Type", "Date",
    "Docker-Experimental", "Ostype",          "Pragma",        "Server",       "Swarm"};

std::string_view reason_of(int status) {
    switch (status) {
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 408: return "Request Timeout";
        case 413: return "Content Too Large";
        case 431: return "Request Header Fields Too Large";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Refused";
    }
}

std::string_view end_of_head(bool to_upgrade) { return to_upgrade ? "\r\n" : "Connection: close\r\n\r\n"; }

}  // namespace

std::string answer_head(const http::Exchange& answer, Framing framing, std::string_view length, bool to_upgrade) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status()) + " " + printable(answer.reason(), 80) + "\r\n";
    for (auto name : passed_fields)
        if (auto value = answer.field(name); !value.empty())
            head += std::string{name} + ": " + printable(value, 1000) + "\r\n";
    switch (framing) {
        case Framing::length: head += "Content-Length: " + std::string{length} + "\r\n"; break;
        case Framing::chunked: head += "Transfer-Encoding: chunked\r\n"; break;
        case Framing::to_close: break;
        case Framing::upgraded: return head + "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    }
    return head.append(end_of_head(to_upgrade));
}

std::string refusal_answer(int status, std::string_view why, bool with_body, bool to_upgrade) {
    auto body = json_object().member("message", "boatswaind guard: " + printable(why, 300)).take_line();
    return "HTTP/1.1 " + std::to_string(status) + " " + std::string{reason_of(status)} +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string{end_of_head(to_upgrade)} + (with_body ? body : std::string{});
}

}  // namespace boatswain::guard
