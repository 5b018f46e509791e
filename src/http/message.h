// A request as our servers read it, and an answer as they give it. Values; no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boatswain::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;  // as sent: "GET"
    std::string path;    // as sent, not decoded: "/metrics"
    std::string query;   // behind '?', as sent
    Fields fields;       // names in lower case, in the order in which they came
    std::string body;
    std::string peer;                                       // net::Connection::peer_network()
    std::optional<std::vector<std::string>> certificate{};  // net::Connection::certificate_names()
    bool keep_alive = false;  // the client wants to send another request on this connection
    bool http_1_0 = false;

    bool is_head() const { return method == "HEAD"; }
    // The first field of that name (in lower case), as sent; empty when there is none.
    std::string_view field(std::string_view name) const;
};

struct Answer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    Fields fields = {};  // beside those that the server writes itself
};

// "Not Found": as RFC 9110 names a status.
std::string_view reason_of(int status);

// A status with its reason as the body.
Answer refusal(int status);

// A line's end, or another control character, in a name or value would be another field to the client: whoever puts
// foreign text into a field asks here first.
bool is_field_value(std::string_view value);

}  // namespace boatswain::http
