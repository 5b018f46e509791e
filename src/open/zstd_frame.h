// Decompresses one zstd frame whose size is known before, so that no bomb is ever begun.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::open {

// What `frame` says that it holds, in bytes; nothing when it says nothing.
std::optional<std::uint64_t> content_bytes(std::string_view frame);

// Holds one zstd context, reused.
class Decompressor {
  public:
    Decompressor();
    Decompressor(Decompressor&&) noexcept;
    Decompressor& operator=(Decompressor&&) noexcept;
    ~Decompressor();

    // `frame` must be exactly one zstd frame (no skippable one) that says its content size; at most `bytes_max`, and
    // exactly `bytes_expected` when that is given. Remedy::quarantine otherwise, and when its checksum fails.
    Result<std::string> decompress(std::string_view frame, std::uint64_t bytes_max,
                                   std::optional<std::uint64_t> bytes_expected = {});
    // The same into `text`, whose room is used again; after an error it is empty.
    Result<void> decompress_into(std::string& text, std::string_view frame, std::uint64_t bytes_max,
                                 std::optional<std::uint64_t> bytes_expected = {});

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace boatswain::open
