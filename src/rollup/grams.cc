#include "rollup/grams.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace boatswain::rollup {
namespace {

constexpr std::uint64_t fold_case = 0x20;
constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio, odd (Knuth)
constexpr unsigned slot_bits = 20;
static_assert(gram_slots == std::size_t{1} << slot_bits);

constexpr double fill_wanted = 0.5;
constexpr double fill_useless = 0.9;
constexpr double rows_per_compressed_byte_max = 0.4;  // 5 %

constexpr std::array<bool, 256> word_bytes = [] {
    std::array<bool, 256> are{};
    for (int c = 0; c < 256; ++c)
        are[static_cast<std::size_t>(c)] =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c >= 0x80;
    return are;
}();

bool is_letter(char c) { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }

// Whether the space at `at` stands between two letters: then it is part of a phrase.
bool joins(std::string_view text, std::size_t at) {
    return text[at] == ' ' && at > 0 && at + 1 < text.size() && is_letter(text[at - 1]) && is_letter(text[at + 1]);
}

// Calls each(slot, place of its first byte) for the grams of `text`.
template <class Each>
void for_each_gram(std::string_view text, Each each) {
    constexpr std::uint64_t mask = (std::uint64_t{1} << (8 * gram_bytes)) - 1;
    std::uint64_t last = 0;  // the bytes before, the latest one on top
    std::size_t length = 0;  // of the word so far
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto byte = static_cast<unsigned char>(text[at]);
        if (!word_bytes[byte] && !joins(text, at)) {
            length = 0;
            continue;
        }
        last = (last >> 8 | (byte | fold_case) << (8 * (gram_bytes - 1))) & mask;
        if (++length < gram_bytes) continue;
        each(static_cast<std::uint32_t>(last * multiplier >> (64 - slot_bits)), at + 1 - gram_bytes);
    }
}

std::size_t row_of(std::size_t slot, std::size_t rows) { return slot * rows >> slot_bits; }

// The widest of at most so many rows; 0: none is that narrow.
unsigned width_within(double rows) {
    unsigned width = 0;
    while (width < filter_width_max && static_cast<double>(rows_of(width + 1)) <= rows) ++width;
    return width;
}

unsigned width_for(std::size_t slots, std::uint64_t compressed_bytes) {
    if (slots == 0) return 1;  // a filter that holds nothing
    auto allowed = width_within(static_cast<double>(compressed_bytes) * rows_per_compressed_byte_max);
    auto wanted = static_cast<double>(slots) / -std::log1p(-fill_wanted);
    auto width = std::min(allowed, width_within(wanted) + 1);
    auto fill = 1 - std::exp(-static_cast<double>(slots) / static_cast<double>(rows_of(width)));
    return width == 0 || fill > fill_useless ? 0 : std::min(width, filter_width_max);
}

}  // namespace

void GramSet::add(std::string_view message) {
    for_each_gram(message,
                  [&](std::uint32_t slot, std::size_t) { words_[slot >> 6] |= std::uint64_t{1} << (slot & 63); });
}

void GramSet::clear() { std::ranges::fill(words_, 0); }

std::size_t GramSet::count() const {
    std::size_t count = 0;
    for (auto word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
}

GramFilter filter_of(const GramSet& slots, std::uint64_t compressed_bytes) {
    auto width = width_for(slots.count(), compressed_bytes);
    auto rows = rows_of(width);
    GramFilter filter{.width = static_cast<std::uint8_t>(width), .bits = std::string((rows + 7) / 8, '\0')};
    if (rows == 0) return filter;
    std::size_t first = 0;
    for (auto word : slots.words()) {
        for (; word != 0; word &= word - 1) {
            auto row = row_of(first + static_cast<std::size_t>(std::countr_zero(word)), rows);
            filter.bits[row / 8] = static_cast<char>(filter.bits[row / 8] | 1 << (row % 8));
        }
        first += 64;
    }
    return filter;
}

std::string pack_band(std::span<const GramFilter> frames) {
    std::array<std::vector<const GramFilter*>, filter_width_max + 1> of_width;
    std::string packed;
    for (const auto& frame : frames) {
        packed += static_cast<char>(frame.width);
        of_width[frame.width].push_back(&frame);
    }
    for (unsigned width = 1; width <= filter_width_max; ++width) {
        const auto& filters = of_width[width];
        if (filters.size() < frames_in_rows_min) {
            for (const auto* filter : filters) packed += filter->bits;
            continue;
        }
        auto stride = (filters.size() + 7) / 8, first = packed.size();
        packed.resize(first + rows_of(width) * stride);
        for (std::size_t column = 0; column < filters.size(); ++column)
            for (std::size_t byte = 0; byte < filters[column]->bits.size(); ++byte)
                for (unsigned bits = static_cast<unsigned char>(filters[column]->bits[byte]); bits != 0;
                     bits &= bits - 1) {
                    auto row = 8 * byte + static_cast<std::size_t>(std::countr_zero(bits));
                    auto& at = packed[first + row * stride + column / 8];
                    at = static_cast<char>(at | 1 << (column % 8));
                }
    }
    return packed;
}

std::optional<GramQuery> GramQuery::of_slots(std::vector<std::uint32_t> slots) {
    if (slots.empty()) return std::nullopt;
    std::ranges::sort(slots);
    auto [first, last] = std::ranges::unique(slots);
    slots.erase(first, last);
    GramQuery query;
    query.slots_ = std::move(slots);
    return query;
}

std::optional<GramQuery> GramQuery::of(std::string_view text) {
    std::vector<std::uint32_t> slots;
    for_each_gram(text, [&](std::uint32_t slot, std::size_t) { slots.push_back(slot); });
    return of_slots(std::move(slots));
}

std::optional<GramQuery> GramQuery::of_folded(std::string_view folded, std::string_view unsure) {
    std::vector<std::uint32_t> slots;
    for_each_gram(folded, [&](std::uint32_t slot, std::size_t at) {
        auto gram = folded.substr(at, gram_bytes);
        // A space at its end is in a word only for the letter beyond it, which has to be sure, too.
        auto first = gram.starts_with(' ') ? at - 1 : at, end = at + gram_bytes + (gram.ends_with(' ') ? 1 : 0);
        bool is_sure = folded.substr(first, end - first).find_first_of(unsure) == std::string_view::npos &&
                       std::ranges::all_of(gram, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
        if (is_sure) slots.push_back(slot);
    });
    return of_slots(std::move(slots));
}

}  // namespace boatswain::rollup
