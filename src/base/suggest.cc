#include "base/suggest.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace boatswain {
namespace {

constexpr std::size_t length_max = 64;

}  // namespace

// Row by row; only the last three rows are kept.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, length_max), b = b.substr(0, length_max);
    using Row = std::array<std::size_t, length_max + 1>;
    Row before{}, last{}, row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            char x = lower_case(a[i - 1]), y = lower_case(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (x == y ? 0U : 1U)});
            bool swapped = i > 1 && j > 1 && x == lower_case(b[j - 2]) && lower_case(a[i - 2]) == y;
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

std::optional<std::string_view> closest(std::string_view given, std::span<const std::string_view> known) {
    if (given.empty() || given.size() > length_max) return std::nullopt;
    std::size_t allowed = std::max<std::size_t>(1, given.size() / 3);
    std::optional<std::string_view> best;
    for (auto name : known) {
        if (name.size() > length_max) continue;
        auto distance = edit_distance(given, name);
        if (distance > allowed || (best && distance == allowed)) continue;
        best = name;
        allowed = distance;
    }
    return best;
}

}  // namespace boatswain
