#include "net/address.h"

#include <charconv>

#include "base/bytes.h"
#include "base/url_text.h"

namespace boatswain::net {
namespace {

Result<Address> parse_unix(std::string_view path, std::string_view text) {
    if (path.size() > unix_path_bytes_max)
        return fail(Remedy::stop,
                    "address " + printable(url_for_people(text)) + ": a unix socket's path is at most 107 bytes long");
    if (path.empty() || path.front() != '/' || path.find('\0') != path.npos)
        return fail(Remedy::stop,
                    "address " + printable(url_for_people(text)) + ": a unix socket's path starts with /");
    return Address{.unix_path = std::string{path}};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    std::string_view rest = text;
    if (rest.starts_with("unix://")) return parse_unix(rest.substr(7), text);
    if (rest.starts_with("unix:")) return parse_unix(rest.substr(5), text);
    if (rest.starts_with("/")) return parse_unix(rest, text);
    if (rest.starts_with("tcp://")) rest.remove_prefix(6);
    if (rest.ends_with('/')) rest.remove_suffix(1);

    auto expected = [&](std::string_view what) {
        return fail(Remedy::stop, "address " + printable(url_for_people(text)) + ": " + std::string{what});
    };
    if (has_userinfo(text)) return expected("a name and a password do not belong into it");
    auto colon = rest.rfind(':');
    if (colon == rest.npos) return expected("expected unix:/path or host:port");
    std::string_view host = rest.substr(0, colon);
    std::string_view digits = rest.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of(":/") != host.npos) {
        return expected("expected unix:/path or host:port (IPv6 in brackets)");
    }
    if (host.empty() || host.find_first_of(std::string_view{"\0 []", 4}) != host.npos)
        return expected("the host is missing");
    std::uint16_t port = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return expected("the port is not 0 to 65535");
    return Address{.host = std::string{host}, .port = port};
}

std::string to_text(const Address& address) {
    if (address.is_unix()) return "unix:" + address.unix_path;
    bool v6 = address.host.find(':') != std::string::npos;
    return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace boatswain::net
