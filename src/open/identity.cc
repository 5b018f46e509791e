#include "open/identity.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "crypto/bech32.h"
#include "crypto/key32.h"
#include "crypto/key_kind.h"
#include "crypto/random.h"
#include "crypto/x25519.h"

namespace boatswain::open {
namespace {

constexpr std::string_view prefix = "AGE-SECRET-KEY-";
constexpr std::size_t identity_file_bytes_max = 1U << 20;
constexpr std::size_t identities_max = 100;  // each is tried on each recipient of an object

}  // namespace

Result<Identity> Identity::parse(std::string_view text) {
    auto kind = crypto::other_kind_of_key(text);
    if (kind)
        return fail(Remedy::stop, "not an age X25519 identity but " + *kind + ": " + std::string{crypto::x25519_alone});
    if (text.starts_with("age1")) return fail(Remedy::stop, "not an age identity but a recipient, the public half");
    auto decoded = crypto::decode_bech32(text);
    if (!decoded) return std::unexpected(std::move(decoded).error().within("not an age identity"));
    WipeAtEnd wiped{decoded->bytes};
    if (decoded->prefix != prefix)
        return fail(Remedy::stop, "not an age identity: it does not start with AGE-SECRET-KEY-1");
    Identity identity;
    if (decoded->bytes.size() != identity.scalar().size())
        return fail(Remedy::stop, "not an age identity: it does not hold 32 bytes");
    std::memcpy((*identity.scalar_).data(), decoded->bytes.data(), identity.scalar().size());
    return identity;
}

Identity Identity::generate() {
    Identity identity;
    crypto::random_bytes((*identity.scalar_).data(), identity.scalar().size());
    return identity;
}

Identity Identity::from_scalar(const std::array<std::uint8_t, 32>& scalar) {
    Identity identity;
    *identity.scalar_ = scalar;
    return identity;
}

crypto::Recipient Identity::recipient() const { return crypto::Recipient{crypto::x25519_public_key(scalar())}; }

std::string Identity::str() const {
    auto text = crypto::encode_bech32("age-secret-key-", crypto::as_view(scalar()));
    for (char& c : text) c = upper_case(c);
    return text;
}

Result<std::vector<Identity>> parse_identities(std::string_view text) {
    std::vector<Identity> identities;
    CHECK(crypto::for_each_key(text, [&](std::string_view line) -> Result<void> {
        TRY(auto identity, Identity::parse(line));
        if (identities.size() == identities_max)
            return fail(Remedy::stop, "more than " + std::to_string(identities_max) + " identities");
        identities.push_back(identity);
        return {};
    }));
    if (identities.empty()) return fail(Remedy::stop, "it holds no identity");
    return identities;
}

Result<std::vector<Identity>> read_identity_file(const Path& path) {
    auto text = read_file(path, identity_file_bytes_max);
    if (!text) return std::unexpected(std::move(text).error().within("identity file"));
    WipeAtEnd wiped{*text};
    auto identities = parse_identities(*text);
    if (!identities) return std::unexpected(std::move(identities).error().within("identity file " + path.string()));
    return identities;
}

Result<std::vector<Identity>> read_identities(const Fd& file) {
    // In one piece from the start: a text that grows leaves copies of itself behind.
    std::string text(identity_file_bytes_max + 1, '\0');
    WipeAtEnd wiped{text};
    std::size_t size = 0;
    while (size < text.size()) {
        auto more = ::pread(file.get(), text.data() + size, text.size() - size, static_cast<off_t>(size));
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) return fail_errno(Remedy::stop, "read the identity file");
        if (more == 0) break;
        size += static_cast<std::size_t>(more);
    }
    if (size > identity_file_bytes_max) return fail(Remedy::quarantine, "the identity file is too long");
    auto identities = parse_identities(std::string_view{text}.substr(0, size));
    if (!identities) return std::unexpected(std::move(identities).error().within("identity file"));
    return identities;
}

}  // namespace boatswain::open
