#include "intake/pod_watch/pod.h"

#include <algorithm>

#include "base/text.h"

namespace boatswain::intake::cri {
namespace {

// Names of the Kubernetes API are DNS labels or DNS subdomains (RFC 1123).
constexpr std::size_t label_bytes_max = 63, subdomain_bytes_max = 253;

bool is_name(std::string_view text, std::size_t bytes_max, bool dots) {
    auto fits = [&](char c) { return is_lower_letter(c) || is_digit(c) || c == '-' || (dots && c == '.'); };
    return !text.empty() && text.size() <= bytes_max && text.front() != '.' && std::ranges::all_of(text, fits);
}

bool is_uid(std::string_view text) {
    auto fits = [](char c) { return is_letter_or_digit(c) || c == '-'; };
    return !text.empty() && text.size() <= label_bytes_max && std::ranges::all_of(text, fits);
}

}  // namespace

std::optional<Pod> make_pod(std::string_view space, std::string_view name, std::string_view uid) {
    if (!is_name(space, label_bytes_max, false) || !is_node_name(name) || !is_uid(uid)) return std::nullopt;
    return Pod{.space = std::string{space}, .name = std::string{name}, .uid = std::string{uid}};
}

bool is_container_name(std::string_view name) { return is_name(name, label_bytes_max, false); }
bool is_node_name(std::string_view name) { return is_name(name, subdomain_bytes_max, true); }

}  // namespace boatswain::intake::cri
