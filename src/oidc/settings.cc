#include "oidc/settings.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "base/url_text.h"
#include "config/toml_file.h"

namespace boatswain::oidc {
namespace {

using std::chrono::milliseconds;

// A list, or one text that stands for a list of one.
Result<std::vector<std::string>> list_of(const config::Given& given) {
    if (const auto* one = std::get_if<std::string>(&given.value)) return std::vector<std::string>{*one};
    return config::as_list(given);
}

Result<std::string> name_of(const config::Given& given) {
    TRY(auto name, config::as_text(given));
    if (name.empty() || name.size() > claim_bytes_max) return fail(Remedy::stop, "\"\" is not a name");
    return name;
}

Result<milliseconds> time_of(const config::Given& given, milliseconds least, milliseconds most) {
    TRY(auto time, config::as_duration(given));
    if (time < least || time > most)
        return fail(Remedy::stop,
                    "is not a time from " + to_text(Nanoseconds{least}) + " to " + to_text(Nanoseconds{most}));
    return std::chrono::duration_cast<milliseconds>(time);
}

Result<void> take_algorithms(const config::Given& given, Settings& settings) {
    TRY(auto names, list_of(given));
    settings.algorithms.clear();
    for (const auto& name : names) {
        auto kind = crypto::signature_kind_of(name);
        if (!kind)
            return fail(Remedy::stop, "\"" + printable(name, 40) + "\" is none of \"RS256\", \"ES256\", \"EdDSA\"");
        settings.algorithms.push_back(*kind);
    }
    if (settings.algorithms.empty()) return fail(Remedy::stop, "an empty list accepts nothing");
    return {};
}

Result<void> take(const config::TomlEntry& entry, Settings& settings) {
    using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
    const auto& given = entry.given;
    auto into = [](auto result, auto& place) -> Result<void> {
        if (!result) return std::unexpected(std::move(result).error());
        place = std::move(*result);
        return {};
    };
    const auto& key = entry.key;
    if (key == "issuer") return into(name_of(given), settings.issuer);
    if (key == "audience") return into(list_of(given), settings.audiences);
    if (key == "jwks") return into(name_of(given), settings.jwks);
    if (key == "algorithms") return take_algorithms(given, settings);
    if (key == "tenant_claim") return into(name_of(given), settings.tenant_claim);
    if (key == "apps_claim") return into(name_of(given), settings.apps_claim);
    if (key == "tenant") {
        TRY(auto name, config::as_text(given));
        return into(TenantId::parse(name), settings.tenant);
    }
    if (key == "ca") return into(name_of(given), settings.ca_file);
    if (key == "refresh") return into(time_of(given, seconds{1}, hours{24}), settings.refresh);
    if (key == "refetch_pause") return into(time_of(given, seconds{1}, minutes{10}), settings.refetch_pause);
    if (key == "keep_keys") return into(time_of(given, seconds{1}, hours{24}), settings.keep_keys);
    if (key == "client_id") return into(name_of(given), settings.client_id);
    if (key == "scope") return into(name_of(given), settings.scope);
    return fail(Remedy::stop, "there is no such setting");
}

Result<void> check(const Settings& settings) {
    auto refuse = [](std::string what) { return fail(Remedy::stop, std::move(what)); };
    if (settings.issuer.empty()) return refuse("whose tokens? Give issuer = \"https://...\"");
    if (!is_safe_url(settings.issuer)) return refuse("issuer: not an URL with https (http at 127.0.0.1 alone)");
    if (settings.audiences.empty())
        return refuse(
            "for whom are the tokens? Give audience = \"...\": without it, those that were made for other "
            "services of the issuer would open logs");
    if (settings.audiences.size() > audiences_max || std::ranges::count(settings.audiences, "") > 0)
        return refuse("audience: from 1 to " + std::to_string(audiences_max) + " names");
    if (!settings.jwks.empty() && !settings.is_file() && !is_safe_url(settings.jwks))
        return refuse("jwks: a file, or an URL with https (http at 127.0.0.1 alone)");
    if (settings.keep_keys < settings.refresh && !settings.is_file())
        return refuse("keep_keys: shorter than refresh: keys would end before they are fetched again");
    if (!settings.client_id.empty() && !settings.jwks.empty())
        return refuse("client_id: where the page signs in stands in the issuer's discovery document: leave jwks out");
    if (!settings.client_id.empty() && std::ranges::count(settings.audiences, settings.client_id) == 0)
        return refuse("client_id: the page's tokens are for it, so it has to be one of audience");
    return {};
}

}  // namespace

bool is_safe_url(std::string_view url) {
    constexpr std::string_view secure = "https://", plain = "http://";
    bool is_secure = url.starts_with(secure);
    if (url.size() > url_bytes_max || (!is_secure && !url.starts_with(plain)) || has_userinfo(url)) return false;
    for (char c : url)
        if (c <= ' ' || c >= 0x7F || std::string_view{"\"<>\\^`{|}#;,'"}.contains(c)) return false;
    auto rest = url.substr(is_secure ? secure.size() : plain.size());
    auto authority = rest.substr(0, rest.find_first_of("/?"));
    if (authority.empty() || authority.contains('@')) return false;
    if (is_secure) return true;
    auto host = authority.substr(0, authority.rfind(':'));
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

Result<Settings> parse_settings(std::string_view text, std::string_view path) {
    TRY(auto entries, config::parse_toml(text, path));
    Settings settings;
    for (const auto& entry : entries) {
        auto taken = entry.section.empty() ? take(entry, settings) : fail(Remedy::stop, "there are no sections here");
        if (taken) continue;
        auto name = entry.section.empty() ? entry.key : entry.section;
        return std::unexpected(std::move(taken).error().within(entry.given.where + ": " + printable(name, 40)));
    }
    if (auto fine = check(settings); !fine) return std::unexpected(std::move(fine).error().within(path));
    return settings;
}

Result<Settings> read_settings(const Path& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return fail_errno(Remedy::stop, "read " + file.string());
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(Remedy::stop, file.string() + " may be written to by others than its owner (chmod 644)");
    TRY(auto text, read_file(file, settings_bytes_max));
    return parse_settings(text, file.string());
}

}  // namespace boatswain::oidc
