#include "query/opened.h"

#include "base/bytes.h"
#include "open/age_header.h"

namespace boatswain::query {

namespace {

// While opening: all of a small object. Shared by open_segment() and the reader's fetch function, which lives longer.
struct Fetching {
    std::optional<std::string> whole;
};

Result<std::string> fetch(store::Store& store, const std::string& name, const Fetching& fetching, std::uint64_t first,
                          std::uint64_t length) {
    if (fetching.whole) {
        if (first > fetching.whole->size() || length > fetching.whole->size() - first)
            return fail(Remedy::quarantine, "the object ends before byte " + std::to_string(first + length));
        return fetching.whole->substr(first, length);
    }
    return read_exactly(store, name, first, length);
}

// What a merge notes of each frame.
constexpr std::uint64_t noted_bytes_of_a_frame = 64;

std::uint64_t memory_of(const Opened& opened) {
    return sizeof(Opened) + opened.name.capacity() + memory_of(opened.info) + opened.reader.footer_memory() +
           opened.reader.footer().frames.size() * noted_bytes_of_a_frame;
}

}  // namespace

FrameSummary Opened::summary(std::size_t frame) const {
    const auto& footer = reader.footer();
    const auto& described = footer.frames[frame];
    return {{info.key, footer.sources[described.source]}, described};
}

Result<void> check_against_key(const open::Footer& footer, const segment::ObjectKey& key) {
    auto refuse = [](std::string_view what, const std::string& said, const std::string& named) {
        return fail(Remedy::quarantine, "refused: its footer says " + std::string{what} + " \"" + printable(said, 64) +
                                            "\" where its name says \"" + printable(named, 64) + "\"");
    };
    if (footer.tenant != key.tenant.str()) return refuse("tenant", footer.tenant, key.tenant.str());
    if (footer.host != key.host) return refuse("host", footer.host, key.host);
    if (footer.epoch != key.epoch) return refuse("epoch", footer.epoch, key.epoch);
    if (footer.sequence != key.sequence)
        return refuse("sequence number", std::to_string(footer.sequence), std::to_string(key.sequence));
    return {};
}

bool is_of_one_object(const Error& error) {
    return error.remedy == Remedy::quarantine || error.remedy == Remedy::re_resolve;
}

Result<std::string> read_exactly(store::Store& store, const std::string& name, std::uint64_t first,
                                 std::uint64_t length) {
    if (length == 0) return std::string{};
    TRY(auto range, store.read(name, store::Range{.first = first, .length = length}));
    if (range.first != first || range.bytes.size() != length)
        return fail(Remedy::quarantine, "the store gave " + std::to_string(range.bytes.size()) + " bytes from byte " +
                                            std::to_string(range.first) + " where " + std::to_string(length) +
                                            " from byte " + std::to_string(first) + " were asked for");
    return std::move(range.bytes);
}

Result<std::optional<Opened>> open_segment(store::Store& store, const SegmentInfo& info,
                                           std::span<const open::Identity> identities, const Limits& limits) {
    if (identities.empty()) return std::optional<Opened>{};
    auto name = info.key.str();
    auto fetching = std::make_shared<Fetching>();
    if (info.size <= open::opened_whole_bytes_max) {
        auto whole = read_exactly(store, name, 0, info.size);
        if (!whole) return std::unexpected(std::move(whole).error().within(name));
        fetching->whole = std::move(*whole);
    }
    auto reader = open::SegmentReader::open(
        fetching->whole ? fetching->whole->size() : info.size,
        [&store, name, fetching](std::uint64_t first, std::uint64_t length) {
            return fetch(store, name, *fetching, first, length);
        },
        identities, limits.bounds);
    fetching->whole.reset();
    if (!reader) {
        if (open::is_for_others(reader.error())) return std::optional<Opened>{};
        return std::unexpected(std::move(reader).error().within(name));
    }
    if (auto agrees = check_against_key(reader->footer(), info.key); !agrees)
        return std::unexpected(std::move(agrees).error().within(name));
    Opened opened{.info = info, .name = std::move(name), .reader = std::move(*reader), .held = {}, .tail = {}};
    TRY(opened.held, limits.budget.hold(memory_of(opened), "the footers of the segments of an hour"));
    opened.tail = limits.budget.try_tail(opened.reader.tail_memory());
    if (opened.tail.bytes() == 0) opened.reader.drop_tail();
    return opened;
}

Result<Opened> open_rolled_up(store::Store& store, const SegmentInfo& info, open::Footer footer, std::string header_mac,
                              std::span<const open::Identity> identities, const Limits& limits) {
    auto name = info.key.str();
    CHECK(check_against_key(footer, info.key));
    auto fetch = [&store, name](std::uint64_t first, std::uint64_t length) {
        return read_exactly(store, name, first, length);
    };
    TRY(auto reader, open::SegmentReader::with_footer(info.size, fetch, identities, std::move(footer),
                                                      std::move(header_mac), limits.bounds));
    Opened opened{.info = info, .name = std::move(name), .reader = std::move(reader), .held = {}, .tail = {}};
    TRY(opened.held, limits.budget.hold(memory_of(opened), "the footers of the segments of an hour"));
    return opened;
}

}  // namespace boatswain::query
