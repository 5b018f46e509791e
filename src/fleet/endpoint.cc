#include "fleet/endpoint.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "base/url_text.h"
#include "fleet/marathon_json.h"

namespace boatswain::fleet {
namespace {

constexpr std::chrono::milliseconds connect_timeout{5000};

bool is_redirect(int status) { return status == 301 || status == 302 || status == 307 || status == 308; }
bool is_election(int status) { return status == 502 || status == 503 || status == 504; }

bool is_header_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace

Result<std::string> parse_credential(std::string_view text) {
    text = trim(text);
    auto kind = text.substr(0, text.find(' '));
    auto value = trim(text.substr(std::min(text.size(), kind.size())));
    // What is wrong is said without the text: it is a secret.
    if (value.empty() || !is_header_text(value))
        return fail(Remedy::stop,
                    "a credential is one line: \"basic USER:PASSWORD\", \"token TOKEN\" or \"bearer TOKEN\"");
    if (kind == "basic" && value.contains(':')) return "Basic " + to_base64(value);
    if (kind == "token") return "token=" + std::string{value};
    if (kind == "bearer") return "Bearer " + std::string{value};
    return fail(Remedy::stop,
                "a credential starts with \"basic\" (then USER:PASSWORD), \"token\" or \"bearer\" (then the token)");
}

Result<std::optional<std::string>> CredentialSource::authorization() const {
    if (!file && !text) return std::optional<std::string>{};
    if (!file) {
        TRY(auto value, parse_credential(*text));
        return std::optional{std::move(value)};
    }
    TRY(auto bytes, read_file(*file, credential_bytes_max));
    auto value = parse_credential(bytes);
    if (!value) return std::unexpected(std::move(value).error().within(file->string()));
    return std::optional{std::move(*value)};
}

std::string origin_of(std::string_view url) {
    auto start = url.find("://");
    if (start == url.npos) return {};
    auto scheme = url.substr(0, start);
    if (scheme != "http" && scheme != "https") return {};
    auto rest = url.substr(start + 3);
    auto host = rest.substr(0, rest.find_first_of("/?#"));
    if (host.empty() || host.contains('@')) return {};
    auto lower = lower_case(host);
    auto bracket = lower.rfind(']');
    bool has_port = lower.find(':', bracket == std::string::npos ? 0 : bracket) != std::string::npos;
    if (!has_port) lower += scheme == "https" ? ":443" : ":80";
    return std::string{scheme} + "://" + lower;
}

std::string resolve(std::string_view url, std::string_view location) {
    if (!is_header_text(location)) return {};
    std::string target;
    if (location.starts_with("//"))
        target = std::string{url.substr(0, url.find("://"))} + ":" + std::string{location};
    else if (location.starts_with('/'))
        target = origin_of(url) + std::string{location};
    else
        target = location;
    return origin_of(target).empty() ? std::string{} : target;
}

Result<std::vector<std::string>> parse_addresses(std::string_view text) {
    std::vector<std::string> addresses;
    while (!text.empty()) {
        auto one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        one = trim(one);
        while (one.ends_with('/')) one.remove_suffix(1);
        if (one.empty()) continue;
        if (one.contains('@') || has_userinfo(one))
            return fail(Remedy::stop,
                        "an address holds no name and password, which everyone on the machine could read: give a file");
        if (origin_of(one).empty() || !is_header_text(one) || one.contains(' ') || one.contains('?'))
            return fail(Remedy::stop, "\"" + printable(url_for_people(one)) +
                                          "\" is not an address: http://HOST:PORT or https://HOST");
        if (addresses.size() == addresses_max) return fail(Remedy::stop, "too many addresses");
        addresses.emplace_back(one);
    }
    if (addresses.empty()) return fail(Remedy::stop, "an address is missing");
    return addresses;
}

Result<std::string> parse_proxy(std::string_view text) {
    TRY(auto addresses, parse_addresses(text));
    if (addresses.size() != 1 || addresses[0].find('/', addresses[0].find("://") + 3) != std::string::npos)
        return fail(Remedy::stop, "a proxy is http://HOST:PORT or https://HOST:PORT");
    return std::move(addresses[0]);
}

Endpoint::Endpoint(EndpointOptions options)
    : options_(std::move(options)),
      http_({.connect_timeout = connect_timeout, .exchange_max = options_.timeout, .ca_file = options_.ca_file}) {}

bool Endpoint::is_configured(std::string_view url) const {
    auto origin = origin_of(url);
    return std::ranges::any_of(options_.addresses, [&](const auto& one) { return origin_of(one) == origin; });
}

Result<http::HttpAnswer> Endpoint::at(const std::string& address, const Call& call, http::HttpClient& client) {
    std::string url = address + std::string{call.path};
    TRY(auto authorization, options_.credential.authorization());
    for (int hop = 0;; ++hop) {
        bool trusted = is_configured(url);
        http::HttpRequest request{.method = call.method,
                                  .url = url,
                                  .headers = {{"Accept", call.accept}},
                                  .body = call.body,
                                  .answer_bytes_max = answer_bytes_max,
                                  .direct = options_.proxy.empty() && url.starts_with("http:"),
                                  .proxy = options_.proxy,
                                  .give_up = options_.give_up};
        if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
        if (authorization && trusted) request.headers.emplace_back("Authorization", *authorization);
        if (call.on_bytes != nullptr) request.on_bytes = *call.on_bytes;
        auto answer = client.send(request);
        auto where = options_.name + " at " + printable(url_for_people(origin_of(url)));
        if (!answer) return std::unexpected(std::move(answer).error().within(where));
        if (is_election(answer->status))
            return fail(Remedy::back_off, where + ": HTTP status " + std::to_string(answer->status) +
                                              ", as while a leader is being elected");
        if (answer->status == 401 || answer->status == 403)
            return fail(Remedy::stop,
                        where + ": HTTP status " + std::to_string(answer->status) +
                            (!authorization ? ": it asks for a credential (see --help)"
                             : trusted      ? ": it refuses the credential"
                                            : ": it leads but is not among the given addresses, so it was sent no "
                                              "credential; add its address"));
        if (!is_redirect(answer->status)) return answer;
        auto target = resolve(url, answer->header("location"));
        if (target.empty() || hop == redirects_max)
            return fail(Remedy::back_off, where + ": it redirects " + (target.empty() ? "to nowhere" : "in circles"));
        url = std::move(target);
    }
}

Result<http::HttpAnswer> Endpoint::at_each(const Call& call, http::HttpClient& client) {
    Error last{.remedy = Remedy::back_off, .what = options_.name + " has no address"};
    auto first = last_good_.load();
    for (std::size_t i = 0; i < options_.addresses.size(); ++i) {
        auto index = (first + i) % options_.addresses.size();
        auto answer = at(options_.addresses[index], call, client);
        if (answer) {
            last_good_ = index;
            return answer;
        }
        bool told_to_end = options_.give_up != nullptr && options_.give_up->load();
        last = std::move(answer).error();
        if (told_to_end) break;
    }
    return std::unexpected(std::move(last));
}

Result<http::HttpAnswer> Endpoint::ask(std::string_view path, std::string_view post_body) {
    return at_each({.method = post_body.empty() ? "GET" : "POST", .path = path, .body = post_body}, http_);
}

Result<http::HttpAnswer> Endpoint::order(const std::string& method, std::string_view path, std::string_view body) {
    return at(options_.addresses.at(last_good_.load()), {.method = method, .path = path, .body = body}, http_);
}

Result<void> Endpoint::follow(std::string_view path, std::string_view post_body, const std::string& accept,
                              std::chrono::seconds silence_max, const std::function<bool(std::string_view)>& on_bytes) {
    // A stream of heartbeats is slow: only silence ends it.
    http::HttpClient client{{.connect_timeout = connect_timeout,
                             .stall_max = silence_max,
                             .stall_bytes_per_second = 1,
                             .ca_file = options_.ca_file}};
    TRY(auto answer, at_each({.method = post_body.empty() ? "GET" : "POST",
                              .path = path,
                              .body = post_body,
                              .accept = accept,
                              .on_bytes = &on_bytes},
                             client));
    if (answer.status != 200)
        return fail(Remedy::back_off, options_.name + ": its events: HTTP status " + std::to_string(answer.status));
    return {};
}

}  // namespace boatswain::fleet
