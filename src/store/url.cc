#include "store/url.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/url_text.h"

namespace boatswain::store {
namespace {

constexpr std::size_t url_bytes_max = 4096;
constexpr std::size_t prefix_bytes_max = 512;  // leaves half of S3's 1024 bytes to our own keys
constexpr std::array<std::string_view, 5> parameter_names{"endpoint", "region", "path_style", "profile", "ca_file"};

std::unexpected<Error> refuse(std::string_view url, std::string what) {
    return fail(Remedy::stop, "store url \"" + printable(url_for_people(url)) + "\": " + without_url_secrets(what));
}

std::string suggestion_for(std::string_view name) {
    auto nearest = std::ranges::min_element(parameter_names, {},
                                            [&](std::string_view known) { return edit_distance(name, known); });
    if (edit_distance(name, *nearest) <= 3) return "did you mean " + std::string{*nearest} + "?";
    std::string all;
    for (auto known : parameter_names) all += (all.empty() ? "" : ", ") + std::string{known};
    return "known are " + all;
}

std::string advice_for_scheme(std::string_view url) {
    auto scheme = url.substr(0, url.find(':'));
    if (url.starts_with('/') || url.starts_with('.') || scheme.size() == url.size())
        return "has no scheme: did you mean dir:" + printable(url_for_people(url)) + "?";
    if (url.starts_with("s3:")) return "a bucket is written s3://BUCKET";
    auto said = "unknown scheme \"" + printable(url_for_people(scheme)) + "\": ";
    if (scheme == "http" || scheme == "https" || scheme == "minio")
        return said + "an S3 server is written s3://BUCKET?endpoint=https://HOST:PORT";
    if (edit_distance(scheme, "s3") <= 1) return said + "did you mean s3://BUCKET?";
    if (scheme == "file" || edit_distance(scheme, "dir") <= 2 || scheme == "directory")
        return said + "did you mean dir:PATH?";
    return said + "known are dir:PATH and s3://BUCKET";
}

// Bucket names travel in the host name and in the path. The form is S3's, and wider where other servers are ("_",
// capitals).
std::optional<std::string> bucket_problem(std::string_view bucket) {
    if (bucket.empty()) return "names no bucket: s3://BUCKET";
    auto fits =
        std::ranges::all_of(bucket, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; });
    if (!fits || bucket.size() < 3 || bucket.size() > 63 || !is_letter_or_digit(bucket.front()) ||
        !is_letter_or_digit(bucket.back()))
        return "\"" + printable(bucket) +
               "\" cannot name a bucket: 3 to 63 letters, digits, '-', '.' or '_', the first and last of them a letter "
               "or digit";
    if (bucket.find("..") != std::string_view::npos)
        return "\"" + printable(bucket) + "\" cannot name a bucket: it holds \"..\"";
    return std::nullopt;
}

std::optional<std::string> bucket_prefix_problem(std::string_view prefix) {
    if (prefix.size() > prefix_bytes_max)
        return "the prefix is longer than " + std::to_string(prefix_bytes_max) + " bytes";
    if (!is_valid_utf8(prefix)) return "the prefix is not UTF-8";
    if (std::ranges::any_of(prefix, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
        return "the prefix holds a control character";
    for (std::size_t at = 0; at < prefix.size();) {
        auto part = prefix.substr(at, prefix.find('/', at) - at);
        if (part.empty() || part == "." || part == "..")
            return "the prefix has an empty part or a part \".\" or \"..\"";
        at += part.size() + 1;
    }
    return std::nullopt;
}

std::optional<std::string> set_parameter(S3Url& into, std::string_view name, std::string value) {
    if (value.find('\0') != std::string::npos) return "parameter " + std::string{name} + " holds a NUL byte";
    if (value.empty()) return "parameter " + std::string{name} + " is empty";
    if (name == "endpoint") {
        if (value.ends_with('/')) value.pop_back();
        if (auto problem = endpoint_problem(value)) return problem;
        into.endpoint = std::move(value);
    } else if (name == "region") {
        if (auto problem = region_problem(value)) return problem;
        into.region = std::move(value);
    } else if (name == "path_style") {
        if (value != "true" && value != "false") return "path_style is true or false, not \"" + printable(value) + "\"";
        into.path_style = value == "true";
    } else if (name == "profile") {
        into.profile = std::move(value);
    } else {
        into.ca_file = std::move(value);
    }
    return std::nullopt;
}

std::optional<std::string> read_parameters(S3Url& into, std::string_view query) {
    std::vector<std::string_view> seen;
    while (!query.empty()) {
        auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        auto name = pair.substr(0, pair.find('='));
        if (std::ranges::find(parameter_names, name) == parameter_names.end())
            return "unknown parameter \"" + printable(name) + "\": " + suggestion_for(name);
        if (std::ranges::find(seen, name) != seen.end()) return "parameter " + std::string{name} + " is given twice";
        seen.push_back(name);
        auto value = percent_decode(name.size() == pair.size() ? std::string_view{} : pair.substr(name.size() + 1));
        if (!value) return "parameter " + std::string{name} + " has a % that is not followed by two hex digits";
        if (auto problem = set_parameter(into, name, std::move(*value))) return problem;
    }
    return std::nullopt;
}

Result<StoreUrl> parse_s3(std::string_view url) {
    // Everybody who may see the process, its configuration or this message would have them.
    if (has_userinfo(url))
        return refuse(
            url,
            "a name and a password do not belong into it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "write a shared credentials file");
    auto rest = url.substr(5);
    auto place = rest.substr(0, rest.find('?'));
    S3Url parsed;
    parsed.bucket = place.substr(0, place.find('/'));
    if (auto problem = bucket_problem(parsed.bucket)) return refuse(url, *problem);
    auto prefix = percent_decode(place.size() > parsed.bucket.size() ? place.substr(parsed.bucket.size() + 1)
                                                                     : std::string_view{});
    if (!prefix) return refuse(url, "the prefix has a % that is not followed by two hex digits");
    parsed.prefix = std::move(*prefix);
    if (parsed.prefix.ends_with('/')) parsed.prefix.pop_back();
    if (auto problem = bucket_prefix_problem(parsed.prefix)) return refuse(url, *problem);
    if (place.size() < rest.size())
        if (auto problem = read_parameters(parsed, rest.substr(place.size() + 1))) return refuse(url, *problem);
    return parsed;
}

}  // namespace

std::optional<std::string> endpoint_problem(std::string_view endpoint) {
    auto host = endpoint;
    if (host.starts_with("http://"))
        host.remove_prefix(7);
    else if (host.starts_with("https://"))
        host.remove_prefix(8);
    else
        return "endpoint must start with http:// or https://";
    auto allowed = [](char c) {
        return is_letter_or_digit(c) || std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
    };
    if (host.empty() || !std::ranges::all_of(host, allowed))
        return "endpoint must be a scheme, a host and perhaps a port, as in https://s3.example.net:9000";
    return std::nullopt;
}

std::optional<std::string> region_problem(std::string_view region) {
    auto plain = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; };
    if (std::ranges::all_of(region, plain) && region.size() <= region_bytes_max) return std::nullopt;
    return "region \"" + printable(region) + "\" is not one: letters, digits and '-'";
}

Result<StoreUrl> parse_url(std::string_view url) {
    if (url.size() > url_bytes_max) return refuse(url, "longer than " + std::to_string(url_bytes_max) + " bytes");
    if (url.find('\0') != std::string_view::npos) return refuse(url, "holds a NUL byte");
    if (url.empty()) return fail(Remedy::stop, "store url is empty: dir:PATH or s3://BUCKET");
    if (url.starts_with("s3://")) return parse_s3(url);
    if (!url.starts_with("dir:")) return refuse(url, advice_for_scheme(url));
    if (url == "dir:") return refuse(url, "names no directory: dir:PATH");
    return DirectoryUrl{.path = Path{url.substr(4)}.lexically_normal()};
}

}  // namespace boatswain::store
