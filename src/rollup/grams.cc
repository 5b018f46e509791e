#include "rollup/grams.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace boatswain::rollup {
namespace {

constexpr std::uint32_t fold_case = 0x20202020;
constexpr std::uint32_t multiplier = 2654435761U;  // 2^32 divided by the golden ratio, rounded to a prime (Knuth)
constexpr std::size_t common_bytes = gram_slots / 8;
constexpr std::size_t bits_max = gram_slots;

constexpr std::size_t common_frames_min = 4;
constexpr double fill_wanted = 0.35;
constexpr double fill_useless = 0.9;
constexpr double bits_per_compressed_byte_max = 0.4;  // 5 %

std::uint16_t slot_of(const char* four_bytes) {
    std::uint32_t gram = 0;
    std::memcpy(&gram, four_bytes, sizeof gram);
    if constexpr (std::endian::native == std::endian::big) gram = std::byteswap(gram);
    return static_cast<std::uint16_t>((gram | fold_case) * multiplier >> 16);
}

// Slots that so many of the frames have that saying it once for all is shorter.
std::optional<GramSet> common_of(std::span<const GramFrame> frames) {
    if (frames.size() < common_frames_min) return std::nullopt;
    std::vector<std::uint16_t> counts(gram_slots);
    for (const auto& frame : frames) {
        std::size_t first = 0;
        for (auto word : frame.slots.words()) {
            for (; word != 0; word &= word - 1) ++counts[first + static_cast<std::size_t>(std::countr_zero(word))];
            first += 64;
        }
    }
    GramSet common;
    std::uint64_t saved = 0;
    for (std::size_t slot = 0; slot < gram_slots; ++slot) {
        if (2 * std::size_t{counts[slot]} < frames.size()) continue;
        common.set(static_cast<std::uint16_t>(slot));
        saved += counts[slot];
    }
    return saved > gram_slots ? std::optional{common} : std::nullopt;
}

// Bits for `slots` slots of a frame: a multiple of 8; 0 where a filter would say nothing.
std::size_t bits_for(std::size_t slots, std::uint64_t compressed_bytes) {
    auto wanted = static_cast<double>(slots) / -std::log1p(-fill_wanted);
    auto allowed = static_cast<double>(compressed_bytes) * bits_per_compressed_byte_max;
    auto bits = static_cast<std::size_t>(std::min({wanted, allowed, static_cast<double>(bits_max)}));
    bits = std::max<std::size_t>(bits / 8 * 8, slots == 0 ? 8 : 0);  // no slot at all: a filter that holds nothing
    if (bits == 0) return 0;
    auto fill = 1 - std::exp(-static_cast<double>(slots) / static_cast<double>(bits));
    return fill > fill_useless ? 0 : bits;
}

std::string filter_of(const GramFrame& frame, const std::optional<GramSet>& common) {
    if (!frame.is_known) return {};
    std::vector<std::uint16_t> slots;
    std::size_t first = 0;
    for (std::size_t i = 0; i < frame.slots.words().size(); ++i, first += 64) {
        auto word = frame.slots.words()[i];
        if (common) word &= ~common->words()[i];
        for (; word != 0; word &= word - 1)
            slots.push_back(static_cast<std::uint16_t>(first + static_cast<std::size_t>(std::countr_zero(word))));
    }
    auto bits = bits_for(slots.size(), frame.compressed_bytes);
    std::string filter(bits / 8, '\0');
    for (auto slot : slots) {
        if (bits == 0) break;
        auto bit = std::size_t{slot} * bits >> 16;
        filter[bit / 8] = static_cast<char>(filter[bit / 8] | 1 << (bit % 8));
    }
    return filter;
}

std::unexpected<Error> refuse(const std::string& what) { return fail(Remedy::quarantine, "grams: " + what); }

bool bit_set(const std::uint8_t* bits, std::size_t bit) { return (bits[bit / 8] >> (bit % 8) & 1) != 0; }

}  // namespace

void GramSet::add(std::string_view message) {
    if (message.size() < gram_bytes) return;
    const char* last = message.data() + message.size() - gram_bytes;
    for (const char* at = message.data(); at <= last; ++at) set(slot_of(at));
}

std::size_t GramSet::count() const {
    std::size_t count = 0;
    for (auto word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
}

std::string pack_group(std::span<const GramFrame> frames) {
    auto common = common_of(frames);
    std::string packed(1, common ? '\1' : '\0');
    if (common)
        for (auto word : common->words())
            for (int byte = 0; byte < 8; ++byte) packed += static_cast<char>(word >> (8 * byte) & 255);
    std::string filters;
    for (const auto& frame : frames) {
        auto filter = filter_of(frame, common);
        packed += static_cast<char>(filter.size() & 255);
        packed += static_cast<char>(filter.size() >> 8);
        filters += filter;
    }
    return packed + filters;
}

std::optional<GramQuery> GramQuery::of(std::string_view text) {
    GramQuery query;
    for (std::size_t at = 0; at + gram_bytes <= text.size(); ++at) query.slots_.push_back(slot_of(text.data() + at));
    if (query.slots_.empty()) return std::nullopt;
    return query;
}

std::optional<GramQuery> GramQuery::of_folded(std::string_view folded, std::string_view unsure) {
    GramQuery query;
    for (std::size_t at = 0; at + gram_bytes <= folded.size(); ++at) {
        auto gram = folded.substr(at, gram_bytes);
        bool is_sure = gram.find_first_of(unsure) == std::string_view::npos &&
                       std::ranges::all_of(gram, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
        if (is_sure) query.slots_.push_back(slot_of(gram.data()));
    }
    if (query.slots_.empty()) return std::nullopt;
    return query;
}

namespace {

bool may_hold_slot(const GramView& view, std::size_t slot) {
    return (view.common != nullptr && bit_set(view.common, slot)) || bit_set(view.bits, slot * view.bit_count >> 16);
}

}  // namespace

bool GramView::may_hold(const GramQuery& query) const {
    if (bit_count == 0) return true;
    return std::ranges::all_of(query.slots(), [&](std::uint16_t slot) { return may_hold_slot(*this, slot); });
}

bool GramView::holds(const GramSet& slots) const {
    if (bit_count == 0) return true;
    std::size_t first = 0;
    for (auto word : slots.words()) {
        for (; word != 0; word &= word - 1)
            if (!may_hold_slot(*this, first + static_cast<std::size_t>(std::countr_zero(word)))) return false;
        first += 64;
    }
    return true;
}

namespace {

// Remedy::quarantine for bytes that are not the groups of `frames` frames.
Result<std::vector<GramPlace>> places_in(std::string_view bytes, std::size_t frames) {
    std::vector<GramPlace> places;
    places.reserve(frames);
    std::size_t at = 0;
    if (bytes.size() >= UINT32_MAX) return refuse("longer than allowed");
    while (places.size() < frames) {
        auto count = std::min(frames_of_group, frames - places.size());
        if (at >= bytes.size()) return refuse("fewer groups than frames");
        auto kind = static_cast<unsigned char>(bytes[at++]);
        if (kind > 1) return refuse("a group of an unknown kind");
        GramPlace place;
        if (kind == 1) {
            if (bytes.size() - at < common_bytes) return refuse("common slots are cut short");
            place.common = static_cast<std::uint32_t>(at + 1);
            at += common_bytes;
        }
        if (bytes.size() - at < 2 * count) return refuse("a table is cut short");
        auto table = at;
        at += 2 * count;
        for (std::size_t i = 0; i < count; ++i, table += 2) {
            std::size_t size = static_cast<unsigned char>(bytes[table]) |
                               std::size_t{static_cast<unsigned char>(bytes[table + 1])} << 8;
            if (size > bits_max / 8 || size > bytes.size() - at) return refuse("a filter lies outside its place");
            place.filter = static_cast<std::uint32_t>(at);
            place.bit_count = static_cast<std::uint32_t>(8 * size);
            places.push_back(place);
            at += size;
        }
    }
    if (at != bytes.size()) return refuse("more bytes than the frames have");
    return places;
}

GramView view_of(std::string_view groups, const GramPlace& place) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(groups.data());
    return {.common = place.common == 0 ? nullptr : bytes + place.common - 1,
            .bits = bytes + place.filter,
            .bit_count = place.bit_count};
}

// How long the group of `frames` frames is that `bytes` start with; nothing where that cannot be told yet.
std::optional<std::size_t> group_size(std::string_view bytes, std::size_t frames) {
    if (bytes.empty()) return std::nullopt;
    auto table = 1 + (bytes.front() == '\1' ? common_bytes : 0);
    if (bytes.size() < table + 2 * frames) return std::nullopt;
    auto size = table + 2 * frames;
    for (std::size_t i = 0; i < frames; ++i) {
        auto at = table + 2 * i;
        size += static_cast<unsigned char>(bytes[at]) | std::size_t{static_cast<unsigned char>(bytes[at + 1])} << 8;
    }
    return size;
}

}  // namespace

Result<void> GramStream::add(std::string_view bytes) {
    rest_ += bytes;
    std::size_t used = 0;
    while (done_ < frames_) {
        auto rest = std::string_view{rest_}.substr(used);
        auto count = std::min(frames_of_group, frames_ - done_);
        auto size = group_size(rest, count);
        if (!size || *size > rest.size()) break;
        auto group = rest.substr(0, *size);
        TRY(auto places, places_in(group, count));
        for (std::size_t i = 0; i < count; ++i) each_(done_ + i, view_of(group, places[i]));
        done_ += count;
        used += *size;
    }
    rest_.erase(0, used);
    return {};
}

Result<void> GramStream::finish() const {
    if (done_ < frames_) return refuse("fewer groups than frames");
    if (!rest_.empty()) return refuse("more bytes than the frames have");
    return {};
}

Result<GramIndex> GramIndex::parse(std::string bytes, std::size_t frames) {
    GramIndex index;
    TRY(index.places_, places_in(bytes, frames));
    index.bytes_ = std::move(bytes);
    return index;
}

GramView GramIndex::frame(std::size_t index) const { return view_of(bytes_, places_.at(index)); }

std::uint64_t GramIndex::memory() const {
    return sizeof *this + bytes_.capacity() + places_.capacity() * sizeof(GramPlace);
}

}  // namespace boatswain::rollup
