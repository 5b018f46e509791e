// What the tests of open/ share: an object in memory that remembers what was fetched of it, and small segments.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "open/segment_reader.h"
#include "segment/seal.h"

namespace boatswain::open {

struct Object {
    std::string bytes;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> fetched;  // first, length

    FetchRange fetch() {
        return [this](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
            fetched.emplace_back(first, length);
            if (first > bytes.size() || length > bytes.size() - first)
                return fail(Remedy::re_resolve, "fetched outside the object");
            return bytes.substr(first, length);
        };
    }
};

inline Timestamp at(std::string_view text) { return parse_time(text).value(); }

inline Source source_named(std::string id) {
    return {.id = std::move(id),
            .kind = "docker",
            .name = "web-1",
            .image = "nginx:1.27",
            .reader = "json-file",
            .whose = {.tenant = TenantId::parse("acme").value(),
                      .app = "shop",
                      .component = "front",
                      .instance = "3",
                      .tenant_rule = "env:BOATSWAIN_TENANT"},
            .labels = {{"tier", "web"}, {"quoted\"label", "a\nb"}}};
}

inline segment::SegmentParts empty_parts() {
    return {.key = {.tenant = TenantId::parse("acme").value(),
                    .hour = at("2026-11-22T10:00:00Z"),
                    .host = "node-7",
                    .epoch = "20261122T100000Z-9f3a",
                    .sequence = 42},
            .sealed_at = at("2026-11-22T10:01:00Z"),
            .previous_sha256 = std::string(64, 'a')};
}

inline void add_frame(segment::SegmentParts& parts, std::size_t source, const segment::FrameText& text,
                      std::uint64_t first_ordinal = 0) {
    segment::Compressor compressor{1};
    parts.frames.push_back({.source = source,
                            .compressed = compressor.compress(text.text()),
                            .text_bytes = text.text().size(),
                            .first_ordinal = first_ordinal,
                            .counts = text.counts()});
}

// Two sources, three frames, a gap.
inline segment::SegmentParts small_parts() {
    auto parts = empty_parts();
    parts.sources = {source_named("4c01"), source_named("77aa")};
    for (std::size_t i = 0; i < 3; ++i) {
        segment::FrameText text{parts.sources[i % 2]};
        text.append({.time = at("2026-11-22T10:00:00.5Z"), .bytes = "first of frame " + std::to_string(i)});
        if (i == 1)
            text.append(Gap{.from = at("2026-11-22T10:00:01Z"),
                            .to = at("2026-11-22T10:00:02Z"),
                            .reason = "rotated-away",
                            .lines_min = 3});
        text.append({.time = at("2026-11-22T10:00:03Z"),
                     .stream = Stream::err,
                     .partial = true,
                     .bytes = std::string_view{"\0\x01\xfe\xff\r", 5}});
        add_frame(parts, i % 2, text, 10 * i);
    }
    return parts;
}

inline std::string sealed_bytes(segment::SegmentParts parts, const Identity& identity) {
    auto recipient = identity.recipient();
    return segment::seal(std::move(parts), std::span{&recipient, 1}).value().bytes;
}

// What a segment holds of one source, as a reader finds it.
struct ReadLine {
    Timestamp time{};
    Stream stream = Stream::out;
    bool partial = false;
    std::string bytes;
    std::uint64_t ordinal = 0;
    std::string gap;  // its reason, for a gap; the rest is empty then
};

// "hello", "P hello" for a partial line, "gap:REASON".
inline std::string shown(const ReadLine& line) {
    return !line.gap.empty() ? "gap:" + line.gap : (line.partial ? "P " : "") + line.bytes;
}

struct ReadSegment {
    Footer footer;
    std::map<std::string, std::vector<ReadLine>> lines;  // by source id
};

inline ReadSegment read_segment(const std::string& bytes, const Identity& identity) {
    Object object{.bytes = bytes};
    auto reader = SegmentReader::open(bytes.size(), object.fetch(), std::span{&identity, 1}).value();
    ReadSegment read{.footer = reader.footer(), .lines = {}};
    for (std::size_t i = 0; i < read.footer.frames.size(); ++i) {
        const auto& frame = read.footer.frames[i];
        auto& lines = read.lines[read.footer.sources[frame.source].id];
        auto ordinal = frame.first_ordinal;
        auto text = reader.frame_text(i).value();
        auto walked = for_each_entry(text, [&](const TextEntry& entry) {
            if (entry.kind == TextEntry::Kind::gap)
                lines.push_back({.time = entry.gap.from, .bytes = {}, .gap = entry.gap.reason});
            if (entry.kind == TextEntry::Kind::line)
                lines.push_back({.time = entry.line.time,
                                 .stream = entry.line.stream,
                                 .partial = entry.line.partial,
                                 .bytes = std::string{entry.line.bytes},
                                 .ordinal = ordinal++,
                                 .gap = {}});
            return true;
        });
        walked.value();
    }
    return read;
}

}  // namespace boatswain::open
