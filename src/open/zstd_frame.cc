#include "open/zstd_frame.h"

#include <zstd.h>

#include <new>

namespace boatswain::open {
namespace {

constexpr std::string_view zstd_magic{"\x28\xB5\x2F\xFD", 4};

std::unexpected<Error> refuse(std::string why) { return fail(Remedy::quarantine, "zstd frame: " + std::move(why)); }

}  // namespace

std::optional<std::uint64_t> content_bytes(std::string_view frame) {
    auto content = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
    return content;
}

struct Decompressor::Context {
    ZSTD_DCtx* zstd = ZSTD_createDCtx();
    ~Context() { ZSTD_freeDCtx(zstd); }
};

Decompressor::Decompressor() : context_(std::make_unique<Context>()) {
    if (context_->zstd == nullptr) throw std::bad_alloc{};
}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Result<std::string> Decompressor::decompress(std::string_view frame, std::uint64_t bytes_max,
                                             std::optional<std::uint64_t> bytes_expected) {
    std::string text;
    CHECK(decompress_into(text, frame, bytes_max, bytes_expected));
    return text;
}

Result<void> Decompressor::decompress_into(std::string& text, std::string_view frame, std::uint64_t bytes_max,
                                           std::optional<std::uint64_t> bytes_expected) {
    text.clear();
    if (!frame.starts_with(zstd_magic)) return refuse("it does not start as one");
    auto said = content_bytes(frame);
    if (!said) return refuse("it does not say its content size");
    auto content = *said;
    if (content > bytes_max)
        return refuse("it says that it holds " + std::to_string(content) + " bytes, at most " +
                      std::to_string(bytes_max) + " are allowed");
    if (bytes_expected && content != *bytes_expected)
        return refuse("it says that it holds " + std::to_string(content) + " bytes, the footer says " +
                      std::to_string(*bytes_expected));
    if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size())
        return refuse("it is cut short, or something follows it");

    std::size_t result = 0;
    text.resize_and_overwrite(content, [&](char* out, std::size_t size) {
        result = ZSTD_decompressDCtx(context_->zstd, out, size, frame.data(), frame.size());
        return ZSTD_isError(result) ? 0 : result;
    });
    if (ZSTD_isError(result)) return refuse(ZSTD_getErrorName(result));
    if (text.size() != content) {
        text.clear();
        return refuse("it holds another size than it says");
    }
    return {};
}

}  // namespace boatswain::open
