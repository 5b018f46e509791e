// Which 4-byte pieces (grams) a frame's messages hold, and which frames cannot hold a text (docs/formats/rollup.md).
//
// A needle of n bytes has n - 3 grams, and a frame that holds the needle has all of them. ASCII case is folded, so a
// filter serves questions that ignore case as well. A filter never says no of a frame that holds the needle.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace boatswain::rollup {

inline constexpr std::size_t gram_bytes = 4;
inline constexpr std::size_t gram_slots = 1U << 16;
inline constexpr std::size_t frames_of_group = 256;

// The slots of a frame: one bit for each of gram_slots.
class GramSet {
  public:
    void add(std::string_view message);
    bool has(std::uint16_t slot) const { return (words_[slot >> 6] >> (slot & 63) & 1) != 0; }
    void set(std::uint16_t slot) { words_[slot >> 6] |= std::uint64_t{1} << (slot & 63); }
    std::size_t count() const;
    std::span<const std::uint64_t> words() const { return words_; }

  private:
    std::array<std::uint64_t, gram_slots / 64> words_{};
};

// A frame that goes into a group: its slots, and how long it is compressed.
struct GramFrame {
    GramSet slots;
    std::uint64_t compressed_bytes = 0;
    bool is_known = true;  // false: it may hold everything, and gets no filter
};

// A group of at most frames_of_group frames, as it lies in the store.
std::string pack_group(std::span<const GramFrame> frames);

// What a frame must hold: slots that all have to be there, for each of several texts of which one is enough.
class GramQuery {
  public:
    // All of `text`: nothing for a text of under gram_bytes bytes, which every frame may hold.
    static std::optional<GramQuery> of(std::string_view text);
    // Of the ASCII text `folded`, which stands for all its cases: the grams with a letter of `unsure` are passed over.
    static std::optional<GramQuery> of_folded(std::string_view folded, std::string_view unsure);

    std::span<const std::uint16_t> slots() const { return slots_; }

  private:
    std::vector<std::uint16_t> slots_;
};

// One frame's filter, borrowed.
struct GramView {
    const std::uint8_t* common = nullptr;  // none: nothing is common
    const std::uint8_t* bits = nullptr;
    std::uint32_t bit_count = 0;  // 0: the frame may hold everything

    bool may_hold(const GramQuery& query) const;
    // Whether it may hold each of these.
    bool holds(const GramSet& slots) const;
};

// Where the filter of a frame lies in the bytes of its groups.
struct GramPlace {
    std::uint32_t common = 0;  // where the group's common slots start, plus 1; 0: it has none
    std::uint32_t filter = 0;
    std::uint32_t bit_count = 0;
};

// The grams of an hour as their bytes come, a group at a time.
class GramStream {
  public:
    using EachFilter = std::function<void(std::size_t frame, const GramView& view)>;
    // `each` gets the filters of `frames` frames, in order; a view is valid during the call.
    GramStream(std::size_t frames, EachFilter each) : frames_(frames), each_(std::move(each)) {}

    // The next bytes. Remedy::quarantine for what does not fit.
    Result<void> add(std::string_view bytes);
    // No more come. Remedy::quarantine where that is too early, or too late.
    Result<void> finish() const;

  private:
    std::size_t frames_;
    EachFilter each_;
    std::size_t done_ = 0;
    std::string rest_;  // of the group that has begun
};

// The grams of one group or more, read.
class GramIndex {
  public:
    // `bytes` of `frames` frames; taken over. Remedy::quarantine for what does not fit.
    static Result<GramIndex> parse(std::string bytes, std::size_t frames);

    GramView frame(std::size_t index) const;  // index < frames
    std::uint64_t memory() const;             // what it costs to hold, in bytes

  private:
    std::string bytes_;
    std::vector<GramPlace> places_;
};

}  // namespace boatswain::rollup
