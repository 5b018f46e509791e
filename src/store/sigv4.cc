#include "store/sigv4.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/key32.h"

namespace boatswain::store {
namespace {

// Without blanks at either end, and with one for each run of them inside.
std::string trimmed(std::string_view value) {
    std::string out;
    for (char c : value) {
        bool blank = c == ' ' || c == '\t';
        if (!blank)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

// By lower-case name, in order; several values of one name are joined by commas in the order in which they were given.
std::map<std::string, std::string> canonical_headers(const NameValues& headers) {
    std::map<std::string, std::string> canonical;
    for (const auto& [name, value] : headers) {
        auto [place, added] = canonical.try_emplace(lower_case(name), trimmed(value));
        if (!added) place->second += "," + trimmed(value);
    }
    return canonical;
}

std::string signed_headers(const std::map<std::string, std::string>& canonical) {
    std::string names;
    for (const auto& header : canonical) names += (names.empty() ? "" : ";") + header.first;
    return names;
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slashes) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (unsigned char c : text) {
        bool plain = is_letter_or_digit(static_cast<char>(c)) || c == '-' || c == '.' || c == '_' || c == '~' ||
                     (c == '/' && keep_slashes);
        if (plain)
            out += static_cast<char>(c);
        else
            (out += '%', out += hex[c >> 4], out += hex[c & 15]);
    }
    return out;
}

std::string canonical_path(std::string_view path) { return uri_encode(path, true); }

std::string canonical_query(const NameValues& query) {
    NameValues encoded;
    for (const auto& [name, value] : query) encoded.emplace_back(uri_encode(name), uri_encode(value));
    std::ranges::sort(encoded);
    std::string text;
    for (const auto& [name, value] : encoded) text += (text.empty() ? "" : "&") + name + "=" + value;
    return text;
}

std::string amz_date(Timestamp time) {
    auto text = to_text(time);  // "2013-05-24T00:00:00.000000000Z"
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text.substr(0, 15) + "Z";
}

std::string canonical_request(const RequestToSign& request) {
    auto headers = canonical_headers(request.headers);
    std::string text{request.method};
    text += "\n" + std::string{request.path} + "\n" + canonical_query(request.query) + "\n";
    for (const auto& [name, value] : headers) text += name + ":" + value + "\n";
    return text + "\n" + signed_headers(headers) + "\n" + std::string{request.payload_hash};
}

std::string authorization(const RequestToSign& request, const SigningScope& scope) {
    auto time = amz_date(scope.time);
    auto day = time.substr(0, 8);
    auto credential_scope = day + "/" + std::string{scope.region} + "/" + std::string{scope.service} + "/aws4_request";
    auto to_sign = "AWS4-HMAC-SHA256\n" + time + "\n" + credential_scope + "\n" +
                   to_hex(crypto::sha256(canonical_request(request)));

    auto start = "AWS4" + std::string{scope.secret_key};
    auto key = crypto::hmac_sha256(start, day);
    WipeAtEnd wiped_start{start}, wiped_key{key};
    for (std::string_view part : {scope.region, scope.service, std::string_view{"aws4_request"}}) {
        auto next = crypto::hmac_sha256(crypto::as_view(key), part);
        WipeAtEnd wiped_next{next};
        key = next;
    }

    return "AWS4-HMAC-SHA256 Credential=" + std::string{scope.access_key} + "/" + credential_scope +
           ", SignedHeaders=" + signed_headers(canonical_headers(request.headers)) +
           ", Signature=" + to_hex(crypto::as_view(crypto::hmac_sha256(crypto::as_view(key), to_sign)));
}

}  // namespace boatswain::store
