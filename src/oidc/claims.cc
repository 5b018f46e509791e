#include "oidc/claims.h"

#include <algorithm>

#include "base/bytes.h"
#include "oidc/jwt.h"

namespace boatswain::oidc {
namespace {

// A text, or a list of texts. Nothing: neither, or empty, or with an empty text in it.
std::optional<std::vector<std::string>> names_of(const json::object& claims, std::string_view name) {
    auto value = json::field(claims, name);
    if (!value) return std::nullopt;
    std::vector<std::string> names;
    bool all_names = true;
    auto take = [&](const json::element& one) {
        auto text = json::as_text(one);
        all_names = all_names && text && !text->empty();
        if (all_names) names.emplace_back(*text);
    };
    if (json::as<json::array>(*value)) {
        if (!json::for_each(claims, name, apps_max, take)) return std::nullopt;
    } else {
        take(*value);
    }
    if (!all_names || names.empty()) return std::nullopt;
    return names;
}

bool is_now(const json::object& claims, const Settings& settings, Timestamp now) {
    auto expires = jwt::moment_of(claims, "exp");
    if (!expires || *expires <= now - jwt::skew_max || *expires > now + settings.lifetime_max + jwt::skew_max)
        return false;
    auto issued = jwt::moment_of(claims, "iat");
    if (issued && *expires - *issued > settings.lifetime_max + jwt::skew_max) return false;
    return jwt::has_come(claims, "nbf", now) && jwt::has_come(claims, "iat", now);
}

std::optional<TenantId> tenant_of(const json::object& claims, const Settings& settings) {
    if (settings.tenant) return settings.tenant;
    auto names = names_of(claims, settings.tenant_claim);
    if (!names || names->size() != 1) return std::nullopt;
    auto tenant = TenantId::parse(names->front());
    return tenant ? std::optional{std::move(*tenant)} : std::nullopt;
}

// An empty list of names is all of them. Nothing: the token says none.
std::optional<std::vector<std::string>> apps_of(const json::object& claims, const Settings& settings) {
    if (settings.apps_claim.empty()) return std::vector<std::string>{};
    auto apps = names_of(claims, settings.apps_claim);
    if (apps && std::ranges::count(*apps, "*") > 0) apps->clear();
    return apps;
}

}  // namespace

std::optional<Bearer> bearer_of(std::string_view text, const Settings& settings, Timestamp now) {
    json::parser parser;
    auto claims = json::parse_object(parser, text, "claims");
    if (!claims || jwt::has_a_name_twice(*claims)) return std::nullopt;
    bool is_for_us = std::ranges::any_of(settings.audiences,
                                         [&](const std::string& audience) { return jwt::is_for(*claims, audience); });
    // `events`: it tells of something (RFC 8417), as a logout token does, and is for no reading.
    if (json::view_of(*claims, "iss") != settings.issuer || !is_for_us || json::field(*claims, "events") ||
        !is_now(*claims, settings, now))
        return std::nullopt;
    auto tenant = tenant_of(*claims, settings);
    auto apps = apps_of(*claims, settings);
    if (!tenant || !apps) return std::nullopt;
    constexpr std::size_t subject_bytes_max = 64;
    return Bearer{.tenant = std::move(*tenant),
                  .apps = std::move(*apps),
                  .subject = printable(json::view_of(*claims, "sub"), subject_bytes_max),
                  .expires = *jwt::moment_of(*claims, "exp")};
}

}  // namespace boatswain::oidc
