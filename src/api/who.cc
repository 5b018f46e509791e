// Who asks: by a token of the file, one that a platform signed, one of a login server, or a client's certificate.
#include "api/api.h"
#include "api/signed_tokens.h"
#include "base/bytes.h"
#include "net/event.h"

namespace boatswain::api {

using net::Task;

// A signed token has dots, which those of the file have not. Whose key is whose decides: a token that says HS256 is
// checked by our signing keys alone, and one of the issuer by the issuer's alone.
std::optional<Token> Api::who_bears(std::string_view authorization) {
    auto presented = bearer_of(authorization);
    if (!presented.contains('.') || (!options_.signing_keys && options_.oidc == nullptr))
        return tokens_.find(presented);
    if (options_.signing_keys) {
        auto keys = read_signing_keys(*options_.signing_keys);
        if (!keys)
            log_.error("signing keys cannot be read: no token that they signed is accepted",
                       {{"error", keys.error().what}});
        else if (auto token = verify_token(presented, *keys, sources_.clock.now()))
            return token;
    }
    if (options_.oidc == nullptr) return std::nullopt;
    auto found = options_.oidc->who(presented).bearer;
    if (!found) return std::nullopt;
    return Token{.id = "oidc:" + found->subject,
                 .sha256 = {},
                 .tenant = std::move(found->tenant),
                 .expires = found->expires,
                 .apps = std::move(found->apps)};
}

// With a certificate and a token both have to allow it: one tenant, and the apps that both may read.
std::optional<Token> Api::who(const http::Request& request) {
    auto authorization = request.field("authorization");
    if (!options_.wants_certificates) return who_bears(authorization);
    if (!request.certificate) return std::nullopt;
    if (!client_names_) return who_bears(authorization);
    auto client = client_names_->find(*request.certificate);
    if (!client) return std::nullopt;
    if (authorization.empty())
        return Token{.id = "certificate:" + printable(client->name, 64),
                     .sha256 = {},
                     .tenant = std::move(client->tenant),
                     .expires = {},
                     .apps = std::move(client->apps)};
    auto token = who_bears(authorization);
    if (!token || token->tenant != client->tenant) return std::nullopt;
    if (client->apps.empty()) return token;
    if (token->apps.empty()) {
        token->apps = std::move(client->apps);
        return token;
    }
    std::erase_if(token->apps, [&](const std::string& app) { return std::ranges::count(client->apps, app) == 0; });
    if (token->apps.empty()) return std::nullopt;  // an empty list would mean all
    return token;
}

Task<std::optional<Token>> Api::who_in_time(const http::Request& request) {
    constexpr std::chrono::milliseconds look_every{25};
    auto* issuer = options_.oidc;
    auto found = who(request);
    if (found || issuer == nullptr) co_return found;
    auto before = issuer->fetches();
    if (!issuer->who(bearer_of(request.field("authorization"))).is_key_unknown || !issuer->ask_again()) co_return found;
    auto until = std::chrono::steady_clock::now() + keys_wait_max;
    while (issuer->fetches() == before && std::chrono::steady_clock::now() < until) co_await net::sleep_for(look_every);
    co_return who(request);
}

http::Answer Api::readiness() {
    bool is_ready = true;
    auto refuse = [&](std::string_view why, const Error& error) {
        log_.error(why, {{"error", error}});
        is_ready = false;
    };
    if (auto trouble = tokens_.trouble()) refuse("tokens cannot be read: nobody is served", *trouble);
    if (options_.signing_keys)
        if (auto keys = read_signing_keys(*options_.signing_keys); !keys)
            refuse("signing keys cannot be read", keys.error());
    if (options_.oidc != nullptr)
        if (auto trouble = options_.oidc->trouble()) refuse("no token of the issuer is accepted", *trouble);
    if (client_names_)
        if (auto trouble = client_names_->trouble()) refuse("names of clients cannot be read", *trouble);
    if (auto written = audit_.probe(); !written)
        refuse("the audit log cannot be written: nobody is served", written.error());
    constexpr int ok = 200, unavailable = 503;
    return is_ready ? error_answer(ok, "ready") : error_answer(unavailable, "not ready");
}

}  // namespace boatswain::api
