#include "query/find_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace boatswain::query {
namespace {

std::string folded(std::string text) {
    for (auto& c : text) c = static_cast<char>(static_cast<unsigned char>(c) | 0x20);
    return text;
}

TEST(FindText, FindsWhatTheStandardLibraryFinds) {
    std::mt19937 random{7};
    for (int round = 0; round < 5'000; ++round) {
        std::string text(random() % 200, ' '), needle(1 + random() % 6, ' ');
        for (auto& c : text) c = "abAB\xff"[random() % 5];
        for (auto& c : needle) c = "abAB\xff"[random() % 5];
        auto from = text.empty() ? 0 : random() % text.size();
        EXPECT_EQ(find_text(text, needle, from), text.find(needle, from)) << text << " / " << needle << " / " << from;
        EXPECT_EQ(find_folded(text, folded(needle), from), folded(text).find(folded(needle), from));
    }
}

TEST(FindText, FindsTheFirstOfSeveralTexts) {
    std::mt19937 random{8};
    for (int round = 0; round < 5'000; ++round) {
        std::string text(random() % 200, ' ');
        for (auto& c : text) c = "abAB\xff"[random() % 5];
        std::vector<std::string> needles(1 + random() % 4);
        auto from = text.empty() ? 0 : random() % text.size();
        auto first = std::string::npos;
        for (auto& needle : needles) {
            needle.resize(1 + random() % 6);
            for (auto& c : needle) c = folded({"abAB\xff"[random() % 5]})[0];
            first = std::min(first, folded(text).find(needle, from));
        }
        EXPECT_EQ(find_any_folded(text, needles, from), first) << text << " from " << from;
    }
}

TEST(FindText, ATextThatIsTooShortHoldsNothing) {
    EXPECT_EQ(find_text("", "a", 0), std::string_view::npos);
    EXPECT_EQ(find_text("abc", "abcd", 0), std::string_view::npos);
    EXPECT_EQ(find_text("abc", "c", 3), std::string_view::npos);
    EXPECT_EQ(find_text("abc", "abc", 1), std::string_view::npos);
}

}  // namespace
}  // namespace boatswain::query
