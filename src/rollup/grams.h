// Which 5-byte pieces of words (grams) a frame's messages hold, as it is written into a roll-up (docs/formats/rollup.md).
//
// A text of words has few grams that are not in every line, and a frame that holds the text has all of them. ASCII case
// is folded, so a filter serves questions that ignore case as well. A filter never says no of a frame that holds the
// text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace boatswain::rollup {

inline constexpr std::size_t gram_bytes = 5;
inline constexpr std::size_t gram_slots = 1U << 20;
inline constexpr std::size_t frames_of_band = 8192;
// Fewer of one width lie filter by filter: rows of a few bits would be mostly padding.
inline constexpr std::size_t frames_in_rows_min = 64;

// The slots of a frame, one bit for each: 128 KiB, to be used again.
class GramSet {
  public:
    GramSet() : words_(gram_slots / 64) {}
    void add(std::string_view message);
    void clear();
    std::size_t count() const;
    std::span<const std::uint64_t> words() const { return words_; }

  private:
    std::vector<std::uint64_t> words_;
};

// Bits of a filter of a width; widths are 0 (no filter: 0 bits) to filter_width_max.
inline constexpr unsigned filter_width_max = 53;
constexpr std::size_t rows_of(unsigned width) {
    return width == 0 ? 0 : std::size_t{4 + (width - 1) % 4} << ((width - 1) / 4 + 1);
}

// A frame's filter: bit `i & 7` of byte `i >> 3` is that of row i.
struct GramFilter {
    std::uint8_t width = 0;  // 0: the frame may hold everything
    std::string bits{};      // rows_of(width) of them, filled up to a byte
    bool operator==(const GramFilter&) const = default;
};

// Of a frame that is so long compressed.
GramFilter filter_of(const GramSet& slots, std::uint64_t compressed_bytes);

// At most frames_of_band frames, as they lie in the store.
std::string pack_band(std::span<const GramFilter> frames);

// What a frame must hold: slots that all have to be there.
class GramQuery {
  public:
    // All of `text`: nothing for one that has no gram, which every frame may hold.
    static std::optional<GramQuery> of(std::string_view text);
    // Of the ASCII text `folded`, which stands for all its cases: the grams with a letter of `unsure`, or with a
    // space beside one, are passed over.
    static std::optional<GramQuery> of_folded(std::string_view folded, std::string_view unsure);

    // In order, each once.
    std::span<const std::uint32_t> slots() const { return slots_; }

  private:
    static std::optional<GramQuery> of_slots(std::vector<std::uint32_t> slots);
    std::vector<std::uint32_t> slots_;
};

}  // namespace boatswain::rollup
