#include "oidc/jwt.h"

#include <cmath>
#include <set>

namespace boatswain::jwt {

std::optional<Parts> split(std::string_view text) {
    auto first = text.find('.'), last = text.rfind('.');
    if (text.size() > token_bytes_max || first == text.npos || first == last) return std::nullopt;
    auto payload = text.substr(first + 1, last - first - 1);
    if (payload.contains('.')) return std::nullopt;
    return Parts{.head = text.substr(0, first),
                 .payload = payload,
                 .signature = text.substr(last + 1),
                 .is_signed = text.substr(0, last)};
}

std::optional<Timestamp> moment_of(const json::object& claims, std::string_view name) {
    constexpr double latest = 7'258'118'400;  // 2200-01-01
    auto seconds = json::get<double>(claims, name);
    if (!seconds || !(*seconds >= 0 && *seconds <= latest)) return std::nullopt;
    return Timestamp{std::chrono::seconds{static_cast<std::int64_t>(*seconds)}};
}

bool has_come(const json::object& claims, std::string_view name, Timestamp now) {
    if (!json::field(claims, name)) return true;
    auto moment = moment_of(claims, name);
    return moment && *moment <= now + skew_max;
}

bool is_for(const json::object& claims, std::string_view audience) {
    if (json::view_of(claims, "aud") == audience) return true;
    bool found = false;
    auto take = [&](const json::element& one) { found = found || json::as_text(one) == audience; };
    return json::for_each(claims, "aud", audiences_max, take) && found;
}

bool has_a_name_twice(const json::object& fields) {
    std::set<std::string_view> names;
    for (auto [name, value] : fields)
        if (!names.insert(name).second) return true;
    return false;
}

}  // namespace boatswain::jwt
