// For tests: segments that no agent would write, made of what docs/formats/segment.md allows, or lies about it.
#pragma once

#include <string>
#include <vector>

#include "query/store_for_test.h"

namespace boatswain::query::testing {

// `text_bytes` of text of one source: lines of spaces, 64 KiB each, a second apart.
inline std::string spaces_of(const Source& source, std::size_t text_bytes) {
    segment::FrameText text{source};
    auto moment = parse_time("2026-11-23T10:00:00Z").value();
    std::string all{text.text()};
    all.reserve(text_bytes);
    for (; all.size() < text_bytes; moment += std::chrono::seconds{1}) {
        auto line = to_text(moment) + " stdout F ";
        auto rest = std::min<std::size_t>(text_bytes - all.size(), 64U << 10);
        if (rest < line.size() + 1) break;
        all += line + std::string(rest - line.size() - 1, ' ') + '\n';
    }
    return all;
}

// A frame of such text, of source `index`; the footer says that it holds `said_bytes`, when that is given.
inline segment::Frame bomb_frame(const Source& source, std::size_t index, std::size_t text_bytes,
                                 std::uint64_t said_bytes = 0) {
    auto text = spaces_of(source, text_bytes);
    auto moment = parse_time("2026-11-23T10:00:00Z").value();
    return {
        .source = index,
        .compressed = segment::Compressor{1}.compress(text),
        .text_bytes = said_bytes == 0 ? text.size() : said_bytes,
        .counts = {.lines = 1, .message_bytes = 1, .first_time = moment, .last_time = moment + std::chrono::hours{1}}};
}

// `sources` sources with `frames_each` frames of `text_bytes` of text.
inline std::string bomb(const segment::ObjectKey& key, std::size_t sources, std::size_t frames_each,
                        std::size_t text_bytes, const open::Identity& identity) {
    segment::SegmentParts parts{.key = key, .sealed_at = key.hour};
    for (std::size_t s = 0; s < sources; ++s) {
        parts.sources.push_back(source("acme", "bomb", "bomb-" + std::to_string(1000 + s)));
        auto frame = bomb_frame(parts.sources.back(), s, text_bytes);
        for (std::size_t i = 0; i < frames_each; ++i) parts.frames.push_back(frame);
    }
    std::vector<crypto::Recipient> recipients{identity.recipient()};
    return segment::seal(std::move(parts), recipients).value().bytes;
}

// A footer that speaks of `frames` frames of one source; none of them can be read.
inline std::string many_frames(const segment::ObjectKey& key, std::size_t frames, const open::Identity& identity) {
    segment::SegmentParts parts{.key = key, .sealed_at = key.hour};
    parts.sources.push_back(source("acme", "bomb", "bomb-1"));
    segment::Frame frame{
        .compressed = "x", .text_bytes = 1, .counts = {.lines = 1, .first_time = key.hour, .last_time = key.hour}};
    parts.frames.assign(frames, frame);
    std::vector<crypto::Recipient> recipients{identity.recipient()};
    return segment::seal(std::move(parts), recipients).value().bytes;
}

}  // namespace boatswain::query::testing
