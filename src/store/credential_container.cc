// Credentials of the container that we run in, from the service that its orchestrator runs beside it.
#include <arpa/inet.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"
#include "base/url_text.h"
#include "store/credential_json.h"
#include "store/credential_sources.h"

namespace boatswain::store {
namespace {

using http::NameValues;
using namespace std::chrono_literals;

constexpr std::string_view ecs_service = "http://169.254.170.2";
constexpr std::uint64_t authorization_bytes_max = 64 << 10;
constexpr auto service_timeout = 5s;  // it is on this host
constexpr std::size_t said_bytes_max = 200;

// Over plain http only where no other host can listen, and where the orchestrators' own services are (the SDKs' list).
constexpr std::array<std::string_view, 4> plain_hosts{"localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};

bool is_loopback(const std::string& host) {
    in_addr four{};
    if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
    in6_addr six{};
    return ::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool is_same_address(const std::string& host, std::string_view other) {
    in6_addr one{}, two{};
    return ::inet_pton(AF_INET6, host.c_str(), &one) == 1 &&
           ::inet_pton(AF_INET6, std::string{other}.c_str(), &two) == 1 && IN6_ARE_ADDR_EQUAL(&one, &two);
}

bool may_be_asked_plainly(const std::string& host) {
    return is_loopback(host) || std::ranges::any_of(plain_hosts, [&](std::string_view known) {
               return host == known || is_same_address(host, known);
           });
}

// The host of an authority ("[fd00:ec2::23]:80"); nothing when it is none that we read exactly as libcurl does.
std::optional<std::string> host_of(std::string_view authority) {
    auto allowed = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; };
    std::string_view host, port;
    if (authority.starts_with('[')) {
        auto end = authority.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
        if (!std::ranges::all_of(host, [&](char c) { return c == ':' || (allowed(c) && c != '-'); }))
            return std::nullopt;
    } else {
        host = authority.substr(0, authority.find(':'));
        port = authority.substr(host.size());
        if (!std::ranges::all_of(host, allowed)) return std::nullopt;
    }
    bool port_is_one =
        port.empty() || (port.starts_with(':') && port.size() > 1 &&
                         std::ranges::all_of(port.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
    if (host.empty() || !port_is_one) return std::nullopt;
    return std::string{host};
}

bool fits_a_request(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F && c != '\\'; });
}

Result<std::string> full_uri(const std::string& uri) {
    auto refuse = [&](std::string_view why) {
        return fail(Remedy::stop, "AWS_CONTAINER_CREDENTIALS_FULL_URI \"" + printable(url_for_people(uri)) +
                                      "\": " + std::string{why});
    };
    bool secure = uri.starts_with("https://");
    if (!secure && !uri.starts_with("http://")) return refuse("it does not start with http:// or https://");
    if (!fits_a_request(uri)) return refuse("it holds a blank or another character that no url has");
    auto rest = std::string_view{uri}.substr(secure ? 8 : 7);
    auto host = host_of(rest.substr(0, rest.find_first_of("/?#")));
    if (!host) return refuse("it names no host as in http://127.0.0.1:8080/path");
    if (!secure && !may_be_asked_plainly(*host))
        return refuse(
            "over http only this host is asked (127.0.0.0/8, ::1, localhost), 169.254.170.2, 169.254.170.23 and "
            "[fd00:ec2::23]; others over https");
    return uri;
}

// What proves to the service who asks; empty: nothing does. A token file is read again each time, since it is renewed.
Result<std::string> authorization_token(const Environment& environment) {
    std::string token;
    if (auto file = setting(environment, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"})) {
        auto text = read_file(*file, authorization_bytes_max);
        if (!text) return fail(Remedy::back_off, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " + text.error().what);
        WipeAtEnd wiped{*text};
        token = trimmed(*text);
        if (token.empty()) return fail(Remedy::back_off, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the file is empty");
    } else {
        token = setting(environment, {"AWS_CONTAINER_AUTHORIZATION_TOKEN"}).value_or("");
    }
    // "Basic ..." holds a blank; nothing holds the end of a line.
    if (std::ranges::any_of(token, [](unsigned char c) { return c < 0x20 || c >= 0x7F; })) {
        WipeAtEnd wiped{token};
        return fail(Remedy::stop,
                    "the container's authorization token holds a newline or another character inside that "
                    "cannot be sent");
    }
    return token;
}

// What the service says of its refusal, when it says it as ECS does.
std::string said_in(std::string_view body) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::padded_string padded{body};
    std::string_view message;
    if (parser.parse(padded).get(document) != simdjson::SUCCESS ||
        document["message"].get(message) != simdjson::SUCCESS)
        return "";
    return " (" + printable(message, said_bytes_max) + ")";
}

}  // namespace

Result<std::optional<std::string>> container_endpoint(const Environment& environment) {
    if (auto relative = setting(environment, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"})) {
        if (!relative->starts_with('/') || !fits_a_request(*relative))
            return fail(Remedy::stop, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI \"" +
                                          printable(url_for_people(*relative)) +
                                          "\": it is no path that starts with '/'");
        return std::string{ecs_service} + *relative;
    }
    auto full = setting(environment, {"AWS_CONTAINER_CREDENTIALS_FULL_URI"});
    if (!full) return std::nullopt;
    TRY(auto checked, full_uri(*full));
    return checked;
}

MaybeCredentials from_container(const Environment& environment, HttpClient& http) {
    TRY(auto endpoint, container_endpoint(environment));
    if (!endpoint) return std::nullopt;
    auto doing = "the container's credentials service at " + printable(url_for_people(*endpoint));
    auto token = authorization_token(environment);
    if (!token) return std::unexpected(std::move(token).error().within(doing));
    WipeAtEnd wiped_token{*token};
    NameValues headers{{"Accept", "application/json"}};
    if (!token->empty()) headers.emplace_back("Authorization", *token);
    auto answer = http.send(
        {.method = "GET", .url = *endpoint, .headers = std::move(headers), .timeout = service_timeout, .direct = true});
    if (!answer) return std::unexpected(std::move(answer).error().within(doing));
    WipeAtEnd wiped_answer{answer->body};
    if (answer->status != 200)
        return fail(Remedy::back_off, doing + ": " + std::to_string(answer->status) + said_in(answer->body));
    auto found = parse_credentials(answer->body, {.token = "Token"});
    if (!found) return std::unexpected(std::move(found).error().within(doing));
    found->source = doing;
    found->renewable = true;
    return std::move(*found);
}

}  // namespace boatswain::store
