// For tests: a host that seals one chain, as boatswaind would: sequence numbers, hashes, ordinals, closing records.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "query/store_for_test.h"

namespace boatswain::query::testing {

// What a frame holds: so many lines of a source, perhaps a gap, perhaps its end.
struct ChainFrame {
    std::string source;
    std::size_t lines = 2;
    bool gap = false;
    bool end = false;
    std::string gap_reason = "rotated-away";
};

class ChainForTest {
  public:
    ChainForTest(MemoryStore& store, const open::Identity& identity, std::string whose = "acme",
                 std::string host = "node-1", std::string epoch = "e1")
        : store_(store),
          identity_(identity),
          whose_(std::move(whose)),
          host_(std::move(host)),
          epoch_(std::move(epoch)) {}

    // Seals the next segment and puts it into the store. What it would hold can be changed before.
    void seal(const std::vector<ChainFrame>& frames, Timestamp hour,
              const std::function<void(segment::SegmentParts&)>& change = {}) {
        segment::SegmentParts parts{
            .key = key(whose_, hour, ++sequence_, host_, epoch_), .sealed_at = hour, .previous_sha256 = previous_};
        for (const auto& frame : frames) add(parts, frame, hour);
        if (change) change(parts);
        auto name = parts.key.str();
        std::vector<crypto::Recipient> recipients{identity_.recipient()};
        auto sealed = segment::seal(std::move(parts), recipients);
        if (!sealed) throw std::runtime_error(sealed.error().what);
        previous_ = to_hex(sealed->sha256);
        names.push_back(name);
        store_.objects[name] = std::move(sealed->bytes);
    }

    std::vector<std::string> names;  // of the objects, in order

  private:
    struct Total {
        std::uint64_t lines = 0, bytes = 0;
    };

    void add(segment::SegmentParts& parts, const ChainFrame& frame, Timestamp hour) {
        auto who = query::testing::source(whose_, "app", frame.source);
        auto place = std::ranges::find(parts.sources, who);
        auto index = static_cast<std::size_t>(place - parts.sources.begin());
        if (place == parts.sources.end()) parts.sources.push_back(who);
        auto& total = totals_[frame.source];
        auto first_ordinal = total.lines;
        segment::FrameText text{who};
        for (std::size_t i = 0; i < frame.lines; ++i) {
            auto message = "line " + std::to_string(total.lines++);
            total.bytes += message.size();
            text.append(Line{.time = hour, .bytes = message});
        }
        if (frame.gap)
            text.append(Gap{.from = hour, .to = hour, .reason = frame.gap_reason, .lines_min = 3, .bytes_min = 40});
        if (frame.end)
            text.append(
                End{.time = hour, .reason = end_removed, .exit_code = 0, .lines = total.lines, .bytes = total.bytes});
        segment::Compressor compressor{1};
        parts.frames.push_back({.source = index,
                                .compressed = compressor.compress(text.text()),
                                .text_bytes = text.text().size(),
                                .first_ordinal = first_ordinal,
                                .counts = text.counts()});
    }

    MemoryStore& store_;
    const open::Identity& identity_;
    std::string whose_, host_, epoch_;
    std::uint64_t sequence_ = 0;
    std::string previous_;
    std::map<std::string, Total> totals_;
};

}  // namespace boatswain::query::testing
