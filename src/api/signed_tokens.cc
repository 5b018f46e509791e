#include "api/signed_tokens.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "oidc/jwt.h"

namespace boatswain::api {
namespace {

constexpr std::uint64_t key_file_bytes_max = 64U << 10;

std::string signature_of(const Secret& key, std::string_view what) {
    auto signature = crypto::hmac_sha256(key.view(), what);
    return std::string{crypto::as_view(signature)};
}

// Nothing where they are no list of names. An empty list would mean everything: it is none.
std::optional<std::vector<std::string>> apps_of(const json::object& claims) {
    std::vector<std::string> apps;
    if (!json::field(claims, "apps")) return apps;
    bool all_names = true;
    auto take = [&](const json::element& one) {
        auto name = json::as_text(one);
        all_names = all_names && name && !name->empty();
        if (all_names) apps.emplace_back(*name);
    };
    bool fits = json::for_each(claims, "apps", token_apps_max, take);
    if (!fits || !all_names || apps.empty()) return std::nullopt;
    return apps;
}

std::optional<Token> token_of(const json::object& claims, Timestamp now) {
    auto expires = jwt::moment_of(claims, "exp");
    bool is_now = expires && *expires > now - jwt::skew_max && *expires <= now + signed_valid_max + jwt::skew_max &&
                  jwt::has_come(claims, "nbf", now) && jwt::has_come(claims, "iat", now);
    auto tenant = TenantId::parse(json::view_of(claims, "tenant"));
    auto apps = apps_of(claims);
    if (!is_now || !tenant || !apps || !jwt::is_for(claims, signed_audience)) return std::nullopt;
    constexpr std::size_t subject_bytes_max = 64;
    return Token{.id = "signed:" + printable(json::view_of(claims, "sub"), subject_bytes_max),
                 .sha256 = {},
                 .tenant = *tenant,
                 .expires = *expires,
                 .apps = std::move(*apps)};
}

}  // namespace

Result<std::vector<Secret>> read_signing_keys(const Path& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return fail_errno(Remedy::stop, "read " + file.string());
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(Remedy::stop, file.string() + " is open to others than its owner (chmod 600)");
    TRY(auto text, read_file(file, key_file_bytes_max));
    WipeAtEnd wiped{text};
    std::vector<Secret> keys;
    for (std::string_view left = text; !left.empty();) {
        auto line = left.substr(0, left.find('\n'));
        left.remove_prefix(std::min(left.size(), line.size() + 1));
        line = trim(line);
        if (line.empty()) continue;
        if (line.size() < signing_key_bytes_min || keys.size() == signing_keys_max)
            return fail(Remedy::stop, file.string() + " holds no signing keys: one a line, each of at least " +
                                          std::to_string(signing_key_bytes_min) + " characters, at most " +
                                          std::to_string(signing_keys_max));
        keys.emplace_back(line);
    }
    if (keys.empty()) return fail(Remedy::stop, file.string() + " holds no signing key");
    return keys;
}

std::string sign_token(const Secret& key, const Claims& claims) {
    auto json = json_object();
    json.member("aud", signed_audience).member("tenant", claims.tenant.str());
    if (!claims.apps.empty()) json.member("apps", claims.apps);
    json.member_unless_empty("sub", claims.subject);
    json.member("exp", std::chrono::floor<std::chrono::seconds>(claims.expires).time_since_epoch().count());
    auto what = to_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + to_base64url(json.take());
    return what + "." + to_base64url(signature_of(key, what));
}

std::optional<Token> verify_token(std::string_view text, const std::vector<Secret>& keys, Timestamp now) {
    auto parts = jwt::split(text);
    if (!parts) return std::nullopt;
    auto signature = from_base64url(parts->signature);
    bool is_signed = false;
    for (const auto& key : keys)
        if (signature && crypto::equal_in_constant_time(*signature, signature_of(key, parts->is_signed)))
            is_signed = true;
    if (!is_signed) return std::nullopt;
    auto head = from_base64url(parts->head), payload = from_base64url(parts->payload);
    if (!head || !payload) return std::nullopt;
    json::parser of_head, of_payload;
    auto fields = json::parse_object(of_head, *head, "head");
    auto claims = json::parse_object(of_payload, *payload, "claims");
    if (!fields || !claims || json::view_of(*fields, "alg") != "HS256" || json::field(*fields, "crit"))
        return std::nullopt;
    return token_of(*claims, now);
}

}  // namespace boatswain::api
