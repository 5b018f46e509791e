// The numbers of docs/formats/segment.md, for the side that writes and the side that reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace boatswain::segment {

// The object key.
inline constexpr std::size_t key_bytes_max = 1024;  // what S3 allows
inline constexpr std::uint64_t sequence_max = 9'999'999'999;

// Frames.
inline constexpr std::uint64_t frame_text_bytes_max = 64ULL << 20;

// The footer.
inline constexpr int footer_version = 1;
inline constexpr std::uint32_t skippable_magic = 0x184D2A5B;
inline constexpr std::size_t skippable_header_bytes = 8;  // magic, length
inline constexpr std::string_view footer_magic = "BSWNFTR1";
inline constexpr std::size_t trailer_bytes = 16;  // length of the JSON, length of the content, magic
inline constexpr std::size_t footer_json_bytes_max = 16U << 20;
inline constexpr std::size_t sources_max = 65'536;
inline constexpr std::size_t frames_max = 65'536;
inline constexpr std::size_t blobs_max = 256;

}  // namespace boatswain::segment
