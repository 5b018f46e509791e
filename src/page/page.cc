#include "page/page.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "page/files.h"

namespace boatswain::page {
namespace {

constexpr int not_modified = 304, not_found = 404, not_allowed = 405;

// Scripts, styles and images of this server alone, nothing inside the page itself; who may put a frame around it follows.
// A reader who signs in at a login server has his code changed for a token there: nowhere else is anything sent.
std::string policy_begin(std::string_view token_origin = {}) {
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'" +
           (token_origin.empty() ? "" : " " + std::string{token_origin}) +
           "; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ";
}

// Of workers that open sealed objects in the browser: their decompressor is WebAssembly, which it brings in a data: URL.
// What a worker may do, the answer with its script says; the page itself gets none of this.
constexpr std::string_view sealed_policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' data:; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::string_view sealed_workers = "/assets/sealed-worker-";

constexpr std::string_view embedded = "/embed", login_path = "/sign-in.json", fleet = "/fleet";

// "https://login.example:8443" of an URL there.
std::string_view origin_of(std::string_view url) {
    auto host = url.find("//");
    return host == url.npos ? std::string_view{} : url.substr(0, url.find('/', host + 2));
}

http::Answer answer_of(const std::optional<LoginServer>& login) {
    if (!login) return http::refusal(not_found);
    return {.content_type = "application/json",
            .body = json_object()
                        .member("issuer", login->issuer)
                        .member("authorization_endpoint", login->authorization_endpoint)
                        .member("token_endpoint", login->token_endpoint)
                        .member("client_id", login->client_id)
                        .member("scope", login->scope)
                        .member("names_itself", login->names_itself)
                        .take_line()};
}

const File* find(std::string_view path) {
    if (path == "/" || path == embedded || path == fleet) path = "/index.html";
    auto all = files();
    auto at = std::ranges::find(all, path, &File::path);
    return at == all.end() ? nullptr : &*at;
}

bool is_asset(std::string_view path) { return path.starts_with("/assets/"); }

// "gzip" or "*" of a list like "gzip;q=0.8, br", unless with a weight of zero.
bool takes_gzip(std::string_view accepted) {
    while (!accepted.empty()) {
        auto one = accepted.substr(0, accepted.find(','));
        accepted.remove_prefix(std::min(accepted.size(), one.size() + 1));
        while (one.starts_with(' ')) one.remove_prefix(1);
        auto name = one.substr(0, one.find_first_of("; "));
        auto weight = one.find("q=0");
        bool is_nothing = weight != std::string_view::npos && one.find_first_not_of("0.", weight + 2) == one.npos;
        if (name == "gzip" || name == "*") return !is_nothing;
    }
    return false;
}

bool is_host(std::string_view host) {
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

}  // namespace

// RFC 6454; what stands in a header must hold nothing else.
Result<void> check_origin(std::string_view origin) {
    auto rest = origin;
    bool has_scheme = rest.starts_with("https://") || rest.starts_with("http://");
    rest.remove_prefix(has_scheme ? rest.find("//") + 2 : 0);
    auto host = rest.substr(0, rest.find(':'));
    auto port = rest.substr(std::min(rest.size(), host.size() + 1));
    bool has_port = rest.size() > host.size();
    bool is_port = port.size() <= 5 && !port.empty() && port.find_first_not_of("0123456789") == port.npos;
    if (!has_scheme || !is_host(host) || (has_port && !is_port))
        return fail(Remedy::stop, "\"" + printable(origin, 60) +
                                      "\" is no origin: it is SCHEME://HOST or SCHEME://HOST:PORT, in lower case, like "
                                      "https://platform.example");
    return {};
}

Page::Page(std::span<const std::string> embedders, FindLoginServer login)
    : embedded_policy_(policy_begin()), login_(std::move(login)) {
    for (const auto& origin : embedders) embedded_policy_ += origin + " ";
    if (embedders.empty()) embedded_policy_ += "'none'";
}

bool Page::takes(std::string_view path) { return find(path) != nullptr || is_asset(path) || path == login_path; }

std::string Page::policy_of(std::string_view path) const {
    if (path.starts_with(sealed_workers)) return std::string{sealed_policy};
    if (path == embedded) return embedded_policy_;
    auto login = login_ ? login_() : std::nullopt;
    return policy_begin(login ? origin_of(login->token_endpoint) : std::string_view{}) + "'none'";
}

http::Answer Page::answer(const http::Request& request) const {
    if (request.method != "GET" && !request.is_head()) {
        auto refused = http::refusal(not_allowed);
        refused.fields.emplace_back("Allow", "GET, HEAD");
        return refused;
    }
    if (request.path == login_path) return answer_of(login_ ? login_() : std::nullopt);
    const auto* file = find(request.path);
    if (!file) return http::refusal(not_found);

    http::Answer answer{.content_type = std::string{file->content_type}, .body = {}};
    bool packed = takes_gzip(request.field("accept-encoding"));
    auto tag = "\"" + std::string{file->hash} + (packed ? "-gzip\"" : "\"");
    answer.fields.emplace_back("ETag", tag);
    answer.fields.emplace_back("Vary", "Accept-Encoding");
    // The name of an asset changes with its bytes.
    answer.fields.emplace_back("Cache-Control",
                               is_asset(request.path) ? "public, max-age=31536000, immutable" : "no-cache");
    bool is_embedded = request.path == embedded;
    answer.fields.emplace_back("Content-Security-Policy", policy_of(request.path));
    answer.fields.emplace_back("Referrer-Policy", "no-referrer");
    if (!is_embedded) answer.fields.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    if (request.field("if-none-match") == tag) {
        answer.status = not_modified;
        return answer;
    }
    if (packed) answer.fields.emplace_back("Content-Encoding", "gzip");
    answer.body = packed ? file->packed : file->bytes;
    return answer;
}

http::Mount Page::mount() const {
    auto handle = [this](http::Request request, http::AnswerWriter& writer) { return writer.send(answer(request)); };
    return {.takes = takes, .handler = handle};
}

}  // namespace boatswain::page
