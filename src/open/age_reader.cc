#include "open/age_reader.h"

#include <algorithm>
#include <stdexcept>

#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/random.h"
#include "open/age_header.h"
#include "segment/age_format.h"

namespace boatswain::open {

using namespace segment;

namespace {

constexpr std::uint64_t first_fetch_bytes = 4096;
constexpr std::uint64_t object_bytes_max = 1ULL << 40;

std::unexpected<Error> refuse(std::string why) { return fail(Remedy::quarantine, "age file: " + std::move(why)); }

Result<std::string> fetch_exactly(const FetchRange& fetch, std::uint64_t first, std::uint64_t length) {
    if (length == 0) return std::string{};
    TRY(auto bytes, fetch(first, length));
    if (bytes.size() != length)
        return fail(Remedy::retry, "asked for " + std::to_string(length) + " bytes at " + std::to_string(first) +
                                       ", got " + std::to_string(bytes.size()));
    return bytes;
}

}  // namespace

struct AgeReader::State {
    FetchRange fetch;
    AgeHeader header;
    Aead aead;
    crypto::Key32 payload_key{};
    std::uint64_t payload_first = 0;  // where chunk 0 starts in the object
    std::uint64_t payload_bytes = 0;  // of all chunks, tags included
    std::uint64_t chunks = 0;
    std::uint64_t tail_first = 0;  // plaintext from here to the end is kept in `tail`
    std::string tail;

    ~State() { crypto::wipe(payload_key.data(), payload_key.size()); }

    std::uint64_t plaintext_bytes() const { return payload_bytes - chunks * age_tag_bytes; }

    // What the length says: which chunks there are, and that the last one is not empty unless it is the only one.
    Result<void> lay_out(std::uint64_t bytes) {
        payload_bytes = bytes;
        chunks = (bytes + age_sealed_chunk_bytes - 1) / age_sealed_chunk_bytes;
        auto last = bytes - (chunks == 0 ? 0 : (chunks - 1) * age_sealed_chunk_bytes);
        if (chunks == 0 || last < age_tag_bytes) return refuse("it is cut short");
        if (last == age_tag_bytes && chunks > 1) return refuse("its last chunk is empty");
        return {};
    }

    // The plaintext of chunks [first, end), by one fetch.
    Result<std::string> open_chunks(std::uint64_t first, std::uint64_t end, Aead& with) const {
        auto from = first * age_sealed_chunk_bytes;
        auto to = std::min(end * age_sealed_chunk_bytes, payload_bytes);
        TRY(auto sealed, fetch_exactly(fetch, payload_first + from, to - from));
        std::string plaintext;
        bool opened = true;
        std::uint64_t index = first;
        plaintext.resize_and_overwrite(sealed.size() - (end - first) * age_tag_bytes, [&](char* out, std::size_t size) {
            for (std::string_view rest = sealed; !rest.empty() && opened; ++index) {
                auto chunk = rest.substr(0, age_sealed_chunk_bytes);
                opened = with.open(payload_key, age_chunk_nonce(index, index + 1 == chunks), chunk, out);
                out += chunk.size() - age_tag_bytes;
                rest.remove_prefix(chunk.size());
            }
            return opened ? size : 0;
        });
        if (!opened)
            return refuse("chunk " + std::to_string(index - 1) + " of " + std::to_string(chunks) +
                          " does not open: it was changed, or the file was cut short or added to");
        return plaintext;
    }

    Result<void> keep_tail() {
        auto in_last = plaintext_bytes() - (chunks - 1) * age_chunk_bytes;
        auto first = chunks > 1 && in_last < age_chunk_bytes ? chunks - 2 : chunks - 1;
        TRY(tail, open_chunks(first, chunks, aead));
        tail_first = first * age_chunk_bytes;
        return {};
    }
};

AgeReader::AgeReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgeReader::AgeReader(AgeReader&&) noexcept = default;
AgeReader& AgeReader::operator=(AgeReader&&) noexcept = default;
AgeReader::~AgeReader() = default;

Result<AgeReader> AgeReader::open(std::uint64_t object_bytes, FetchRange fetch, std::span<const Identity> identities) {
    if (object_bytes > object_bytes_max) return refuse("it is too large");
    auto start_bytes = std::min(object_bytes, first_fetch_bytes);
    TRY(auto start, fetch_exactly(fetch, 0, start_bytes));
    TRY(auto header, parse_age_header(start));
    while (!header) {
        if (start.size() == object_bytes) return refuse("it ends before its header does");
        auto more = std::min<std::uint64_t>(start.size() * 3, object_bytes - start.size());
        TRY(auto next, fetch_exactly(fetch, start.size(), more));
        start += next;
        TRY(header, parse_age_header(start));
    }
    TRY(auto file_key, unwrap_file_key(*header, identities));
    WipeAtEnd wiped{file_key};

    if (object_bytes < header->bytes + age_nonce_bytes) return refuse("it is cut short");
    if (start.size() < header->bytes + age_nonce_bytes) {
        TRY(auto next, fetch_exactly(fetch, start.size(), header->bytes + age_nonce_bytes - start.size()));
        start += next;
    }
    auto state = std::make_unique<State>();
    state->fetch = std::move(fetch);
    state->payload_key =
        crypto::hkdf_sha256(file_key, std::string_view{start}.substr(header->bytes, age_nonce_bytes), "payload");
    state->payload_first = header->bytes + age_nonce_bytes;
    CHECK(state->lay_out(object_bytes - state->payload_first));
    state->header = std::move(*header);
    CHECK(state->keep_tail());
    return AgeReader{std::move(state)};
}

const AgeHeader& AgeReader::header() const { return state_->header; }
std::uint64_t AgeReader::plaintext_bytes() const { return state_->plaintext_bytes(); }

Result<std::string> AgeReader::read(std::uint64_t first, std::uint64_t length) {
    return read(first, length, state_->aead);
}

Result<std::string> AgeReader::read(std::uint64_t first, std::uint64_t length, Aead& aead) const {
    const auto& s = *state_;
    if (first > s.plaintext_bytes() || length > s.plaintext_bytes() - first)
        throw std::logic_error{"read outside the plaintext"};
    if (length == 0) return std::string{};
    if (first >= s.tail_first) return s.tail.substr(first - s.tail_first, length);
    auto first_chunk = first / age_chunk_bytes;
    auto end_chunk = (first + length + age_chunk_bytes - 1) / age_chunk_bytes;
    TRY(auto plaintext, s.open_chunks(first_chunk, end_chunk, aead));
    auto skip = first - first_chunk * age_chunk_bytes;
    plaintext.erase(0, skip);
    plaintext.resize(length);
    return plaintext;
}

std::uint64_t AgeReader::tail_memory() const { return state_->tail.capacity(); }
void AgeReader::drop_tail() {
    state_->tail_first = state_->plaintext_bytes();
    std::string{}.swap(state_->tail);
}

void AgeReader::drop_header() { state_->header = {}; }

}  // namespace boatswain::open
