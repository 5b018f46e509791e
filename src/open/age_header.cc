#include "open/age_header.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/x25519.h"
#include "open/aead.h"
#include "segment/age_format.h"

namespace boatswain::open {
namespace {

using namespace segment;

std::unexpected<Error> refuse(std::string why) { return fail(Remedy::quarantine, "age header: " + std::move(why)); }

// Takes whole lines from the front; knows when the bytes at hand end first.
class Lines {
  public:
    explicit Lines(std::string_view text) : text_(text) {}
    std::optional<std::string_view> next() {
        auto end = text_.find('\n', at_);
        if (end == std::string_view::npos) return std::nullopt;
        auto line = text_.substr(at_, end - at_);
        at_ = end + 1;
        return line;
    }
    std::size_t at() const { return at_; }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

// "-> TYPE ARGUMENT ..." where an argument is one or more visible ASCII characters.
Result<AgeStanza> parse_stanza_line(std::string_view line) {
    AgeStanza stanza;
    line.remove_prefix(std::string_view{"->"}.size());
    while (!line.empty()) {
        if (line.front() != ' ') return refuse("arguments of a stanza are not separated by one space");
        line.remove_prefix(1);
        auto argument = line.substr(0, line.find(' '));
        if (argument.empty()) return refuse("an empty argument in a stanza");
        if (std::ranges::any_of(argument, [](char c) { return c < 33 || c > 126; }))
            return refuse("a character in a stanza that is not visible ASCII");
        stanza.arguments.emplace_back(argument);
        line.remove_prefix(argument.size());
    }
    if (stanza.arguments.empty()) return refuse("a stanza without a type");
    return stanza;
}

enum class Body { complete, needs_more };

// Base64 lines of 64 columns; the last is shorter and may be empty.
Result<Body> parse_body(Lines& lines, std::string& body) {
    for (;;) {
        auto line = lines.next();
        if (!line) return Body::needs_more;
        if (line->size() > age_body_columns) return refuse("a body line longer than 64 columns");
        auto decoded = from_base64_unpadded(*line);
        if (!decoded) return refuse("a body line that is not canonical base64");
        body += *decoded;
        if (line->size() < age_body_columns) return Body::complete;
    }
}

Result<std::optional<AgeHeader>> need_more(std::string_view file) {
    if (file.size() >= age_header_bytes_max)
        return refuse("longer than " + std::to_string(age_header_bytes_max) + " bytes");
    return std::nullopt;
}

// What wraps the file key in an X25519 stanza, or an error when the stanza is not as the specification wants it.
struct Wrapped {
    crypto::Key32 share{};
    std::string_view body;
};
Result<Wrapped> parse_x25519(const AgeStanza& stanza) {
    if (stanza.arguments.size() != 2) return refuse("an X25519 stanza without exactly one argument");
    auto share = from_base64_unpadded(stanza.arguments[1]);
    Wrapped wrapped;
    if (!share || share->size() != wrapped.share.size())
        return refuse("an X25519 share that is not 32 bytes in canonical base64");
    if (stanza.body.size() != age_file_key_bytes + age_tag_bytes) return refuse("an X25519 body that is not 32 bytes");
    std::memcpy(wrapped.share.data(), share->data(), wrapped.share.size());
    wrapped.body = stanza.body;
    return wrapped;
}

// The file key when `identity` fits, nothing when it does not.
Result<std::optional<std::string>> unwrap(Aead& aead, const Wrapped& wrapped, const Identity& identity) {
    crypto::Key32 shared{};
    WipeAtEnd wiped_shared{shared};
    if (!crypto::x25519(identity.scalar(), wrapped.share, shared)) return refuse("an X25519 share of low order");
    std::string salt{crypto::as_view(wrapped.share)};
    salt += crypto::as_view(identity.recipient().public_key());
    auto key = crypto::hkdf_sha256(crypto::as_view(shared), salt, age_x25519_info);
    WipeAtEnd wiped_key{key};
    std::string file_key(age_file_key_bytes, '\0');
    if (!aead.open(key, {}, wrapped.body, file_key.data())) return std::nullopt;
    return file_key;
}

bool mac_fits(const AgeHeader& header, std::string_view file_key) {
    auto key = crypto::hkdf_sha256(file_key, {}, "header");
    WipeAtEnd wiped{key};
    auto mac = crypto::hmac_sha256(crypto::as_view(key), header.authenticated);
    return header.mac.size() == mac.size() && CRYPTO_memcmp(mac.data(), header.mac.data(), mac.size()) == 0;
}

const std::error_category& for_others() {
    static const struct Category final : std::error_category {
        const char* name() const noexcept override { return "boatswain.open"; }
        std::string message(int) const override { return "sealed for other keys"; }
    } category;
    return category;
}

}  // namespace

Result<std::optional<AgeHeader>> parse_age_header(std::string_view file) {
    file = file.substr(0, age_header_bytes_max);
    if (file.size() < age_version_line.size() && age_version_line.starts_with(file)) return std::nullopt;
    if (!file.starts_with(age_version_line))
        return refuse("not an age v1 file: it does not start with \"age-encryption.org/v1\"");

    AgeHeader header;
    Lines lines{file};
    lines.next();
    for (;;) {
        auto start = lines.at();
        auto line = lines.next();
        if (!line) return need_more(file);
        if (line->starts_with("---")) {
            if (!line->starts_with("--- ")) return refuse("the last line has no MAC");
            auto mac = from_base64_unpadded(line->substr(4));
            if (!mac || mac->size() != crypto::Key32{}.size())
                return refuse("a MAC that is not 32 bytes in canonical base64");
            if (header.stanzas.empty()) return refuse("no recipient");
            header.authenticated = file.substr(0, start + 3);
            header.mac = *mac;
            header.bytes = lines.at();
            return header;
        }
        if (!line->starts_with("->")) return refuse("a line that starts neither a stanza nor the MAC");
        if (header.stanzas.size() == age_stanzas_max)
            return refuse("more than " + std::to_string(age_stanzas_max) + " stanzas");
        TRY(auto stanza, parse_stanza_line(*line));
        TRY(auto body, parse_body(lines, stanza.body));
        if (body == Body::needs_more) return need_more(file);
        header.stanzas.push_back(std::move(stanza));
    }
}

Result<std::string> unwrap_file_key(const AgeHeader& header, std::span<const Identity> identities) {
    Aead aead;
    for (const auto& stanza : header.stanzas) {
        if (stanza.arguments.front() != "X25519") continue;  // another kind of recipient, not ours to judge
        TRY(auto wrapped, parse_x25519(stanza));
        for (const auto& identity : identities) {
            TRY(auto file_key, unwrap(aead, wrapped, identity));
            if (!file_key) continue;
            if (!mac_fits(header, *file_key)) return refuse("the MAC does not match: the header was changed");
            return *file_key;
        }
    }
    return fail(Remedy::stop, "no identity given opens this object", {1, for_others()});
}

bool is_for_others(const Error& error) { return error.cause.category() == for_others(); }

}  // namespace boatswain::open
