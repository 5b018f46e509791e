// A segment with everything in it, and the text that any reader must find.
#pragma once

#include <string>
#include <utility>

#include "segment/seal.h"

namespace boatswain::interop {

struct Sample {
    segment::SegmentParts parts;
    std::string text;
};

inline Sample sample() {
    auto at = [](std::string_view text) { return parse_time(text).value(); };
    auto tenant = TenantId::parse("acme").value();
    Sample sample{.parts = {.key = {.tenant = tenant,
                                    .hour = at("2026-11-22T10:00:00Z"),
                                    .host = "node-7",
                                    .epoch = "20261122T100000Z-9f3a",
                                    .sequence = 2},
                            .sealed_at = at("2026-11-22T10:01:00Z"),
                            .previous_sha256 = std::string(64, '7')}};
    segment::Compressor compressor{1};
    std::string every_byte;
    for (int i = 0; i < 256; ++i)
        if (i != '\n') every_byte += static_cast<char>(i);
    for (std::size_t i = 0; i < 3; ++i) {
        sample.parts.sources.push_back({.id = "source-" + std::to_string(i),
                                        .kind = "docker",
                                        .name = "web",
                                        .whose = {.tenant = tenant, .app = "shop"}});
        segment::FrameText text{sample.parts.sources.back()};
        text.append({.time = at("2026-11-22T10:00:00.123456789Z"), .bytes = every_byte});
        text.append(Gap{.from = at("2026-11-22T10:00:01Z"),
                        .to = at("2026-11-22T10:00:02Z"),
                        .reason = "rotated-away",
                        .bytes_min = 8192});
        for (int line = 0; line < 5000; ++line)
            text.append({.time = at("2026-11-22T10:00:03Z"),
                         .stream = Stream::err,
                         .bytes = std::to_string(line * 7919 % 10'007)});
        text.append({.time = at("2026-11-22T10:00:04Z"), .partial = true, .bytes = "no newline"});
        text.append(End{.time = at("2026-11-22T10:00:05Z"), .reason = end_removed, .exit_code = 0, .lines = 5002});
        sample.parts.frames.push_back({.source = i,
                                       .compressed = compressor.compress(text.text()),
                                       .text_bytes = text.text().size(),
                                       .counts = text.counts()});
        sample.text += text.text();
    }
    return sample;
}

}  // namespace boatswain::interop
