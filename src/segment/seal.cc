#include "segment/seal.h"

#include <zstd.h>

#include <algorithm>
#include <stdexcept>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "segment/age_writer.h"
#include "segment/chain.h"
#include "segment/footer_writer.h"
#include "segment/format.h"

namespace boatswain::segment {
namespace {

constexpr int footer_level = 3;  // a footer is small: take the better ratio

// SHA-256 of what the writer has finished, taken while those bytes are still in the processor's cache.
class RunningHash {
  public:
    // `written` starts with all that was given before.
    void follow(std::string_view written) {
        hash_.update(written.substr(done_));
        done_ = written.size();
    }
    std::string finish() { return hash_.finish(); }

  private:
    crypto::Sha256 hash_;
    std::size_t done_ = 0;
};

// What readers would refuse is refused here, where the lines can still be read again.
Result<void> validate(const SegmentParts& parts) {
    auto refuse = [&](std::string why) {
        return fail(Remedy::stop, "seal " + printable(parts.key.str()) + ": " + std::move(why));
    };
    if (parts.key.host.empty() || parts.key.epoch.empty()) return refuse("host or epoch is empty");
    if (!is_valid_utf8(parts.key.host) || !is_valid_utf8(parts.key.epoch)) return refuse("host or epoch is not UTF-8");
    if (parts.key.str().size() + second_form_bytes > key_bytes_max)  // it may have to become the second form
        return refuse("the key is longer than " + std::to_string(key_bytes_max - second_form_bytes) + " bytes");
    if (parts.key.sequence == 0 || parts.key.sequence > sequence_max) return refuse("sequence number out of range");
    if (!parts.previous_sha256.empty() && !is_sha256_hex(parts.previous_sha256))
        return refuse("the previous segment's SHA-256 is not 64 lower-case hex digits");
    if (parts.sources.size() > sources_max) return refuse("too many sources");
    if (parts.frames.size() > frames_max) return refuse("too many frames");
    for (const auto& source : parts.sources)
        if (source.whose.tenant != parts.key.tenant && parts.key.tenant != TenantId::unassigned())
            return refuse("a source of tenant \"" + printable(source.whose.tenant.str()) + "\" does not belong here");
    for (const auto& frame : parts.frames) {
        if (frame.source >= parts.sources.size()) return refuse("a frame of a source that is not there");
        if (frame.compressed.empty() || frame.text_bytes > frame_text_bytes_max)
            return refuse("a frame that is empty or too long");
    }
    return {};
}

}  // namespace

struct Compressor::Context {
    ZSTD_CCtx* zstd = nullptr;
    // Grows to the bound of the largest text and stays: the result is copied out at its own, much smaller size.
    std::unique_ptr<char[]> buffer;
    std::size_t buffer_bytes = 0;

    ~Context() { ZSTD_freeCCtx(zstd); }
};

Compressor::Compressor(int level) : context_(std::make_unique<Context>()) {
    context_->zstd = ZSTD_createCCtx();
    if (context_->zstd == nullptr) throw std::bad_alloc{};
    ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_compressionLevel, std::clamp(level, 1, 19));
    ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_contentSizeFlag, 1);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;

std::string Compressor::compress(std::string_view text) {
    auto& c = *context_;
    auto bound = ZSTD_compressBound(text.size());
    if (c.buffer_bytes < bound) {
        c.buffer = std::make_unique_for_overwrite<char[]>(bound);
        c.buffer_bytes = bound;
    }
    auto size = ZSTD_compress2(c.zstd, c.buffer.get(), c.buffer_bytes, text.data(), text.size());
    // With room for the bound, only a lack of memory is left.
    if (ZSTD_isError(size)) throw std::runtime_error{std::string{"zstd: "} + ZSTD_getErrorName(size)};
    return {c.buffer.get(), size};
}

Result<SealedSegment> seal(SegmentParts parts, std::span<const crypto::Recipient> recipients) {
    CHECK(validate(parts));
    Compressor compressor{footer_level};
    TRY(auto end, footer(parts, compressor));
    std::uint64_t plaintext_bytes = end.size();
    for (const auto& frame : parts.frames) plaintext_bytes += frame.compressed.size();

    auto chain = chain_stanza({.host = parts.key.host,
                               .epoch = parts.key.epoch,
                               .sequence = parts.key.sequence,
                               .previous_sha256 = parts.previous_sha256});
    TRY(auto writer, AgeWriter::begin(recipients, plaintext_bytes, chain));
    SealedSegment sealed;
    RunningHash hash;
    for (auto& frame : parts.frames) {
        writer.append(frame.compressed);
        hash.follow(writer.written());
        sealed.lines += frame.counts.lines;
        std::string{}.swap(frame.compressed);  // assignment would keep the memory
    }
    writer.append(end);
    sealed.bytes = writer.finish();
    hash.follow(sealed.bytes);
    sealed.sha256 = hash.finish();
    sealed.key = std::move(parts.key);
    return sealed;
}

}  // namespace boatswain::segment
