#include "segment/age_writer.h"

#include <algorithm>
#include <stdexcept>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/random.h"
#include "crypto/sealing_cipher.h"
#include "crypto/x25519.h"
#include "segment/age_format.h"

namespace boatswain::segment {
namespace {

void require(bool done, const char* what) {
    if (!done) throw std::logic_error{std::string{"age writer: "} + what};
}

using FileKey = std::array<char, age_file_key_bytes>;
std::string_view view(const FileKey& key) { return {key.data(), key.size()}; }

// One X25519 stanza: the file key, wrapped for one recipient. Empty for a recipient of low order.
std::string stanza(crypto::SealingCipher& cipher, const FileKey& file_key, const crypto::Recipient& recipient) {
    crypto::Key32 ephemeral{}, shared{};
    WipeAtEnd wiped_ephemeral{ephemeral}, wiped_shared{shared};
    crypto::random_bytes(ephemeral.data(), ephemeral.size());
    auto share = crypto::x25519_public_key(ephemeral);
    if (!crypto::x25519(ephemeral, recipient.public_key(), shared)) return {};

    std::string salt{crypto::as_view(share)};
    salt += crypto::as_view(recipient.public_key());
    auto wrapping_key = crypto::hkdf_sha256(crypto::as_view(shared), salt, age_x25519_info);
    WipeAtEnd wiped_key{wrapping_key};
    std::array<char, age_file_key_bytes + age_tag_bytes> body{};
    cipher.begin(wrapping_key, {});
    cipher.encrypt(view(file_key), body.data());
    cipher.finish(body.data() + age_file_key_bytes);
    // 32 bytes are 43 characters: one line, shorter than 64 columns, as the last line of a body must be.
    return "-> X25519 " + to_base64_unpadded(crypto::as_view(share)) + "\n" +
           to_base64_unpadded({body.data(), body.size()}) + "\n";
}

}  // namespace

struct AgeWriter::State {
    crypto::SealingCipher cipher;
    crypto::Key32 payload_key{};
    std::uint64_t plaintext_left = 0;  // not yet appended
    std::uint64_t chunk = 0;
    std::size_t in_chunk = 0;  // plaintext bytes of the open chunk so far
    bool open = false;         // a chunk is begun and not finished
    std::string out;           // of the final size from the start
    std::size_t used = 0;
    std::size_t final_used = 0;  // up to the end of the last whole chunk

    ~State() { crypto::wipe(payload_key.data(), payload_key.size()); }

    void begin_chunk() {
        cipher.begin(payload_key, age_chunk_nonce(chunk, plaintext_left <= age_chunk_bytes));
        in_chunk = 0;
        open = true;
    }
    void finish_chunk() {
        cipher.finish(out.data() + used);
        used += age_tag_bytes;
        final_used = used;
        ++chunk;
        open = false;
    }
};

AgeWriter::AgeWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgeWriter::AgeWriter(AgeWriter&&) noexcept = default;
AgeWriter& AgeWriter::operator=(AgeWriter&&) noexcept = default;
AgeWriter::~AgeWriter() = default;

Result<AgeWriter> AgeWriter::begin(std::span<const crypto::Recipient> recipients, std::uint64_t plaintext_bytes,
                                   std::string_view stanzas) {
    if (recipients.empty()) return fail(Remedy::stop, "no recipient to seal for");
    if (recipients.size() > crypto::recipients_max)
        return fail(Remedy::stop, std::to_string(recipients.size()) + " recipients, at most " +
                                      std::to_string(crypto::recipients_max) + " are allowed");
    auto state = std::make_unique<State>();
    FileKey file_key{};
    WipeAtEnd wiped_key{file_key};
    crypto::random_bytes(file_key.data(), file_key.size());

    std::string header{age_version_line};
    header += stanzas;
    for (const auto& recipient : recipients) {
        auto wrapped = stanza(state->cipher, file_key, recipient);
        if (wrapped.empty())
            return fail(Remedy::stop,
                        "recipient " + recipient.str() + " is a point of low order, which protects nothing");
        header += wrapped;
    }
    header += "---";
    auto mac_key = crypto::hkdf_sha256(view(file_key), {}, "header");
    WipeAtEnd wiped_mac_key{mac_key};
    header += " " + to_base64_unpadded(crypto::as_view(crypto::hmac_sha256(crypto::as_view(mac_key), header))) + "\n";

    std::array<char, age_nonce_bytes> nonce{};
    crypto::random_bytes(nonce.data(), nonce.size());
    header.append(nonce.data(), nonce.size());
    state->payload_key = crypto::hkdf_sha256(view(file_key), {nonce.data(), nonce.size()}, "payload");

    // No zeros are written first: every byte of it is about to be.
    state->out.resize_and_overwrite(header.size() + age_sealed_bytes(plaintext_bytes), [&](char* p, std::size_t size) {
        std::copy(header.begin(), header.end(), p);
        return size;
    });
    state->used = state->final_used = header.size();
    state->plaintext_left = plaintext_bytes;
    return AgeWriter{std::move(state)};
}

void AgeWriter::append(std::string_view plaintext) {
    auto& s = *state_;
    require(plaintext.size() <= s.plaintext_left, "more plaintext than was said");
    while (!plaintext.empty()) {
        if (!s.open) s.begin_chunk();
        auto piece = plaintext.substr(0, age_chunk_bytes - s.in_chunk);
        s.cipher.encrypt(piece, s.out.data() + s.used);
        s.used += piece.size();
        s.in_chunk += piece.size();
        s.plaintext_left -= piece.size();
        plaintext.remove_prefix(piece.size());
        if (s.in_chunk == age_chunk_bytes) s.finish_chunk();
    }
}

std::string_view AgeWriter::written() const { return std::string_view{state_->out}.substr(0, state_->final_used); }

std::string AgeWriter::finish() {
    auto& s = *state_;
    require(s.plaintext_left == 0, "less plaintext than was said");
    if (!s.open && s.chunk == 0) s.begin_chunk();  // an empty plaintext has one empty chunk
    if (s.open) s.finish_chunk();
    require(s.used == s.out.size(), "a size that does not fit");
    return std::move(s.out);
}

}  // namespace boatswain::segment
