#include "base/suggest.h"

#include <algorithm>
#include <array>

namespace boatswain {
namespace {

constexpr std::size_t length_max = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The optimal string alignment distance, row by row; only the last three rows are kept.
std::size_t edits(std::string_view a, std::string_view b) {
    using Row = std::array<std::size_t, length_max + 1>;
    Row before{}, last{}, row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (x == y ? 0U : 1U)});
            bool swapped = i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y;
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

}  // namespace

std::optional<std::string_view> closest(std::string_view given, std::span<const std::string_view> known) {
    if (given.empty() || given.size() > length_max) return std::nullopt;
    std::size_t allowed = std::max<std::size_t>(1, given.size() / 3);
    std::optional<std::string_view> best;
    for (auto name : known) {
        if (name.size() > length_max) continue;
        auto distance = edits(given, name);
        if (distance > allowed || (best && distance == allowed)) continue;
        best = name;
        allowed = distance;
    }
    return best;
}

}  // namespace boatswain
