// For tests: a store in memory, and segments as a host would have sealed them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "open/identity.h"
#include "record/line.h"
#include "record/source.h"
#include "segment/frame_text.h"
#include "segment/seal.h"
#include "store/store.h"

namespace boatswain::query::testing {

// Pages are short, so that paging is always part of the test.
class MemoryStore : public store::Store {
  public:
    std::map<std::string, std::string, std::less<>> objects;
    std::uint64_t bytes_read = 0;
    std::optional<Error> read_error;  // when set, what every read() answers
    std::size_t page_entries = 3;

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view) override {
        objects.insert_or_assign(std::string{key}, std::string{bytes});
        return store::PutOutcome::created;
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view) override {
        objects.insert_or_assign(std::string{key}, std::string{bytes});
        return {};
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        TRY(auto whole, read(key));
        auto first = range.suffix ? whole.size() - std::min<std::uint64_t>(range.length, whole.size()) : range.first;
        std::lock_guard lock{mutex_};
        bytes_read += range.length - whole.size();
        return store::RangeBytes{.bytes = first <= whole.size() ? whole.substr(first, range.length) : std::string{},
                                 .first = first,
                                 .object_size = whole.size()};
    }
    Result<std::string> read(std::string_view key) override {
        std::lock_guard lock{mutex_};
        if (read_error) return std::unexpected(*read_error);
        auto found = objects.find(key);
        if (found == objects.end()) return fail(Remedy::re_resolve, "no such object");
        bytes_read += found->second.size();
        return found->second;
    }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        store::ListPage page;
        std::string last;
        for (auto at = objects.lower_bound(prefix); at != objects.end() && at->first.starts_with(prefix); ++at) {
            auto slash = delimited ? at->first.find('/', prefix.size()) : std::string::npos;
            auto entry = slash == std::string::npos ? at->first : at->first.substr(0, slash + 1);
            if (next && entry <= *next) continue;
            if (!page.prefixes.empty() && page.prefixes.back() == entry) continue;
            if (page.objects.size() + page.prefixes.size() == page_entries) {
                page.next = last;
                return page;
            }
            last = entry;
            if (slash == std::string::npos)
                page.objects.push_back({.key = entry, .size = at->second.size()});
            else
                page.prefixes.push_back(entry);
        }
        return page;
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "memory"; }

  private:
    std::mutex mutex_;
};

// A line with owned bytes, or a gap.
struct TestEntry {
    Timestamp time{};
    std::string bytes;
    Stream stream = Stream::out;
    bool partial = false;
    bool gap = false;
    Nanoseconds gap_length{};
};

struct TestFrame {
    Source source;
    std::vector<TestEntry> entries;
    std::uint64_t first_ordinal = 0;
    std::optional<End> end{};
};

inline TenantId tenant(std::string_view name) {
    return name == "_unassigned" ? TenantId::unassigned() : TenantId::parse(name).value();
}
inline Timestamp at(std::string_view text) { return parse_time(text).value(); }

inline Source source(std::string_view whose, std::string app, std::string name, std::string id = {}) {
    return {.id = id.empty() ? name + "-id" : std::move(id),
            .kind = "docker",
            .name = std::move(name),
            .image = "busybox",
            .reader = "json-file",
            .whose = {.tenant = tenant(whose), .app = std::move(app), .tenant_rule = "const"}};
}

inline segment::ObjectKey key(std::string_view whose, Timestamp hour, std::uint64_t sequence,
                              std::string host = "node-1", std::string epoch = "e1") {
    return {.tenant = tenant(whose),
            .hour = std::chrono::floor<std::chrono::hours>(hour),
            .host = std::move(host),
            .epoch = std::move(epoch),
            .sequence = sequence};
}

// When the last of these entries was printed.
inline Timestamp latest(const std::vector<TestFrame>& frames) {
    auto last = Timestamp::min();
    for (const auto& frame : frames) {
        for (const auto& entry : frame.entries) last = std::max(last, entry.time);
        if (frame.end) last = std::max(last, frame.end->time);
    }
    return last;
}

inline Timestamp earliest(const std::vector<TestFrame>& frames) {
    auto first = Timestamp::max();
    for (const auto& frame : frames)
        for (const auto& entry : frame.entries) first = std::min(first, entry.time);
    return first;
}

// A segment of these frames, sealed for `identity`; when its last line was printed, unless `sealed_at` says otherwise.
inline std::string sealed(const segment::ObjectKey& key, const std::vector<TestFrame>& frames,
                          const open::Identity& identity, std::optional<Timestamp> sealed_at = {}) {
    segment::SegmentParts parts{.key = key, .sealed_at = sealed_at.value_or(latest(frames))};
    segment::Compressor compressor{1};
    for (const auto& frame : frames) {
        auto place = std::ranges::find(parts.sources, frame.source);
        auto index = static_cast<std::size_t>(place - parts.sources.begin());
        if (place == parts.sources.end()) parts.sources.push_back(frame.source);
        segment::FrameText text{frame.source};
        for (const auto& entry : frame.entries) {
            if (entry.gap)
                text.append(Gap{
                    .from = entry.time, .to = entry.time + entry.gap_length, .reason = entry.bytes, .lines_min = 3});
            else
                text.append(
                    Line{.time = entry.time, .stream = entry.stream, .partial = entry.partial, .bytes = entry.bytes});
        }
        if (frame.end) text.append(*frame.end);
        parts.frames.push_back({.source = index,
                                .compressed = compressor.compress(text.text()),
                                .text_bytes = text.text().size(),
                                .first_ordinal = frame.first_ordinal,
                                .counts = text.counts()});
    }
    std::vector<crypto::Recipient> recipients{identity.recipient()};
    auto segment = segment::seal(std::move(parts), recipients);
    if (!segment) throw std::runtime_error(segment.error().what);
    return std::move(segment->bytes);
}

inline void add(MemoryStore& store, const segment::ObjectKey& key, const std::vector<TestFrame>& frames,
                const open::Identity& identity, std::optional<Timestamp> sealed_at = {}) {
    store.objects.insert_or_assign(key.str(), sealed(key, frames, identity, sealed_at));
}

}  // namespace boatswain::query::testing
