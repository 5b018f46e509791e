#include "rollup/grams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/seed_for_test.h"

namespace boatswain::rollup {
namespace {

GramFrame frame_of(std::initializer_list<std::string_view> messages, std::uint64_t compressed_bytes = 100'000) {
    GramFrame frame{.compressed_bytes = compressed_bytes};
    for (auto message : messages) frame.slots.add(message);
    return frame;
}

GramIndex index_of(const std::vector<GramFrame>& frames) {
    std::string bytes;
    for (std::size_t first = 0; first < frames.size(); first += frames_of_group)
        bytes += pack_group(std::span{frames}.subspan(first, std::min(frames_of_group, frames.size() - first)));
    return GramIndex::parse(bytes, frames.size()).value();
}

TEST(Grams, RuleOutAFrameThatDoesNotHoldTheText) {
    auto index = index_of({frame_of({"user 4711 logged in"}), frame_of({"disk /dev/sda is full"})});
    auto query = GramQuery::of("user 4711 logged").value();  // a filter is right of each gram in 4 of 10 cases
    EXPECT_TRUE(index.frame(0).may_hold(query));
    EXPECT_FALSE(index.frame(1).may_hold(query));
}

TEST(Grams, DoNotReachOverTheEndOfAMessage) {
    auto index = index_of({frame_of({"the end of one", "and the start of another"})});
    GramSet slots;
    slots.add("abc");
    slots.add("defg");
    EXPECT_EQ(slots.count(), 1U);
    EXPECT_TRUE(index.frame(0).may_hold(GramQuery::of("start of another").value()));
}

TEST(Grams, FoldTheCaseOfAscii) {
    auto index = index_of({frame_of({"ERROR in Module"})});
    EXPECT_TRUE(index.frame(0).may_hold(GramQuery::of("error in module").value()));
}

TEST(Grams, ATextThatIsTooShortRulesNothingOut) { EXPECT_FALSE(GramQuery::of("abc").has_value()); }

TEST(Grams, AFrameThatIsNotKnownMayHoldEverything) {
    GramFrame unknown{.is_known = false};
    auto index = index_of({unknown, frame_of({})});
    EXPECT_TRUE(index.frame(0).may_hold(GramQuery::of("whatever").value()));
    EXPECT_FALSE(index.frame(1).may_hold(GramQuery::of("whatever").value())) << "one without a message holds nothing";
}

TEST(Grams, AFilterTakesAtMostATwentiethOfItsFrame) {
    GramFrame frame{.compressed_bytes = 2'000};
    std::mt19937 random{1};
    for (int i = 0; i < 150; ++i) {
        frame.slots.set(static_cast<std::uint16_t>(random()));
    }
    EXPECT_LE(pack_group(std::span{&frame, 1}).size(), 3U + 100);
    EXPECT_GT(index_of({frame}).frame(0).bit_count, 0U);
}

TEST(Grams, AFilterThatWouldSayNothingIsLeftOut) {
    GramFrame frame{.compressed_bytes = 1'000};
    for (int i = 0; i < 30'000; ++i) frame.slots.set(static_cast<std::uint16_t>(i));
    EXPECT_EQ(index_of({frame}).frame(0).bit_count, 0U);
}

TEST(Grams, WhatAFrameHoldsIsNeverRuledOut) {
    auto seed = boatswain::testing::test_seed();
    std::mt19937 random{seed};
    auto any = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(random); };
    for (int round = 0; round < 20; ++round) {
        std::vector<std::vector<std::string>> messages(1 + any(600));
        std::vector<GramFrame> frames;
        std::string shared = "a text that many frames have: " + std::to_string(any(1'000'000));
        for (auto& of_frame : messages) {
            GramFrame frame{.compressed_bytes = 1 + any(20'000)};
            for (std::size_t i = any(20); i-- > 0;) {
                std::string message = any(2) == 0 ? shared : "";
                for (std::size_t n = any(80); n-- > 0;) message += static_cast<char>(any(256));
                frame.slots.add(message);
                of_frame.push_back(std::move(message));
            }
            frames.push_back(frame);
        }
        auto index = index_of(frames);
        for (std::size_t i = 0; i < frames.size(); ++i)
            for (const auto& message : messages[i]) {
                auto first = message.empty() ? 0 : any(message.size());
                auto query = GramQuery::of(std::string_view{message}.substr(first, any(30)));
                if (query) ASSERT_TRUE(index.frame(i).may_hold(*query)) << "seed " << seed << ", frame " << i;
            }
    }
}

TEST(Grams, SlotsThatMostFramesHaveAreSaidOnce) {
    std::vector<GramFrame> frames;
    std::mt19937 random{7};
    std::string common;
    for (int i = 0; i < 20'000; ++i) common += static_cast<char>('!' + random() % 90);
    for (int i = 0; i < 100; ++i) frames.push_back(frame_of({common, "own text " + std::to_string(random())}));
    auto packed = pack_group(frames);
    EXPECT_EQ(packed[0], '\1');
    EXPECT_LT(packed.size(), 20'000U) << "against 100 filters of some 2,400 bytes each";
    auto index = index_of(frames);
    EXPECT_TRUE(index.frame(3).may_hold(GramQuery::of(common.substr(100, 40)).value()));
}

TEST(Grams, RefuseWhatDoesNotFitTheFrames) {
    std::vector<GramFrame> frames{frame_of({"one text"}), frame_of({"another text"})};
    auto packed = pack_group(frames);
    EXPECT_TRUE(GramIndex::parse(packed, 2));
    EXPECT_FALSE(GramIndex::parse(packed, 1));
    EXPECT_FALSE(GramIndex::parse(packed, 3));
    EXPECT_FALSE(GramIndex::parse(packed + "x", 2));
    for (std::size_t size = 0; size < packed.size(); ++size)
        EXPECT_FALSE(GramIndex::parse(packed.substr(0, size), 2)) << size;
}

}  // namespace
}  // namespace boatswain::rollup
