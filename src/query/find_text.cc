#include "query/find_text.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace boatswain::query {

namespace {

// Clang's vectors: what the processor has, on all of them.
constexpr std::size_t block = 16;
using Bytes = unsigned char __attribute__((ext_vector_type(block)));
using Bools = bool __attribute__((ext_vector_type(block)));

constexpr unsigned char fold = 0x20;

template <bool folds>
unsigned char folded_byte(char c) {
    auto byte = static_cast<unsigned char>(c);
    return folds ? byte | fold : byte;
}

template <bool folds>
Bytes load(const char* at) {
    Bytes bytes;
    std::memcpy(&bytes, at, block);
    if constexpr (folds) bytes |= fold;
    return bytes;
}

template <bool folds>
bool stands_at(const char* at, std::string_view needle) {
    if constexpr (!folds) return std::memcmp(at, needle.data(), needle.size()) == 0;
    for (std::size_t i = 0; i < needle.size(); ++i)
        if (folded_byte<true>(at[i]) != folded_byte<true>(needle[i])) return false;
    return true;
}

// Places where both the first and the last byte of the needle fit are compared whole.
template <bool folds>
std::size_t find(std::string_view text, std::string_view needle, std::size_t from) {
    if (text.size() < needle.size()) return std::string_view::npos;
    const auto last = needle.size() - 1;
    const auto places = text.size() - last;  // where it may begin
    const auto first_byte = folded_byte<folds>(needle.front()), last_byte = folded_byte<folds>(needle[last]);
    auto at = from;
    for (; at + block <= places; at += block) {
        auto fits = (load<folds>(text.data() + at) == first_byte) & (load<folds>(text.data() + at + last) == last_byte);
        auto bits = __builtin_bit_cast(std::uint16_t, __builtin_convertvector(fits, Bools));
        for (; bits != 0; bits &= bits - 1) {
            auto place = at + static_cast<std::size_t>(std::countr_zero(bits));
            if (stands_at<folds>(text.data() + place, needle)) return place;
        }
    }
    for (; at < places; ++at)
        if (folded_byte<folds>(text[at]) == first_byte && stands_at<folds>(text.data() + at, needle)) return at;
    return std::string_view::npos;
}

bool any_stands_at(std::string_view text, std::size_t at, std::span<const std::string> needles) {
    for (const auto& needle : needles)
        if (text.size() - at >= needle.size() && stands_at<true>(text.data() + at, needle)) return true;
    return false;
}

}  // namespace

std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from) {
    return find<false>(text, needle, from);
}

std::size_t find_folded(std::string_view text, std::string_view folded, std::size_t from) {
    return find<true>(text, folded, from);
}

std::size_t find_any_folded(std::string_view text, std::span<const std::string> folded, std::size_t from) {
    std::size_t longest = 0;
    for (const auto& needle : folded) longest = std::max(longest, needle.size());
    auto at = from;
    for (; at + block + longest <= text.size(); at += block) {
        const auto* place = text.data() + at;
        auto here = load<true>(place);
        Bytes any = 0;
        for (const auto& needle : folded) {
            auto last = needle.size() - 1;
            auto fits = (here == folded_byte<true>(needle.front())) &
                        (load<true>(place + last) == folded_byte<true>(needle[last]));
            any |= __builtin_bit_cast(Bytes, fits);
        }
        auto bits = __builtin_bit_cast(std::uint16_t, __builtin_convertvector(any != 0, Bools));
        for (; bits != 0; bits &= bits - 1) {
            auto found = at + static_cast<std::size_t>(std::countr_zero(bits));
            if (any_stands_at(text, found, folded)) return found;
        }
    }
    for (; at < text.size(); ++at)
        if (any_stands_at(text, at, folded)) return at;
    return std::string_view::npos;
}

}  // namespace boatswain::query
