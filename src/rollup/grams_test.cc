#include "rollup/grams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "base/bytes.h"
#include "base/seed_for_test.h"
#include "crypto/digest.h"
#include "rollup/gram_reader.h"

namespace boatswain::rollup {
namespace {

GramFilter filter_with(std::initializer_list<std::string_view> messages, std::uint64_t compressed_bytes = 100'000) {
    GramSet slots;
    for (auto message : messages) slots.add(message);
    return filter_of(slots, compressed_bytes);
}

std::string packed(const std::vector<GramFilter>& frames) {
    std::string bytes;
    for (std::size_t first = 0; first < frames.size(); first += frames_of_band)
        bytes += pack_band(std::span{frames}.subspan(first, std::min(frames_of_band, frames.size() - first)));
    return bytes;
}

// Behind as many other bytes as a part of a roll-up may have before it.
GramReader reader_of(const std::string& bytes, std::size_t frames, std::size_t* read = nullptr) {
    constexpr std::uint64_t offset = 12'345;
    return GramReader{frames, offset, bytes.size(),
                      [&bytes, read](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
                          if (read != nullptr) *read += length;
                          return bytes.substr(first - offset, length);
                      }};
}

bool may_hold(const GramFilter& filter, std::string_view text) {
    auto bytes = packed({filter});
    auto query = GramQuery::of(text).value();
    return reader_of(bytes, 1).frame(0).may_hold(query);
}

std::string id_of(int number) { return to_hex(crypto::sha256(std::to_string(number))).substr(0, 16); }

TEST(Grams, RuleOutAFrameThatDoesNotHoldTheText) {
    EXPECT_TRUE(may_hold(filter_with({"request 3f9a27bc logged in"}), "3f9a27bc logged"));
    EXPECT_FALSE(may_hold(filter_with({"disk /dev/sda is full"}), "3f9a27bc logged"));
}

TEST(Grams, AreOfWordsAndPhrases) {
    auto has_gram = [](std::string_view text) { return GramQuery::of(text).has_value(); };
    for (auto text : {"panic", "4711a", "10.2.3.4", "no such file", "oom kill", "\u00e4\u00f6\u00fc"})
        EXPECT_TRUE(has_gram(text)) << text;
    for (auto text : {"", "oom", "user=4711", "\"id\": 12", "a  b c", "rc 12 rc"}) EXPECT_FALSE(has_gram(text)) << text;
    // What is at the end of a text may go on behind it.
    EXPECT_TRUE(may_hold(filter_with({"there is no such filename"}), "is no such file"));
    EXPECT_TRUE(may_hold(filter_with({"x no such file 1"}), " no such file "));
}

TEST(Grams, DoNotReachOverTheEndOfAMessage) {
    GramSet slots;
    for (auto message : {"abcd", "efghi"}) slots.add(message);
    EXPECT_EQ(slots.count(), 1U);
    slots.clear();
    EXPECT_EQ(slots.count(), 0U);
}

TEST(Grams, FoldTheCaseOfAscii) { EXPECT_TRUE(may_hold(filter_with({"ERROR in Module"}), "error in module")); }

// The sign of kelvin is a k that is no ASCII: the space beside it joins no words.
TEST(Grams, ASpaceBesideALetterThatMayBeAnotherOneTellsNothing) {
    auto may_hold_folded = [](std::string_view message, std::string_view text) {
        auto bytes = packed({filter_with({message})});
        auto query = GramQuery::of_folded(text, "kKsS");
        return !query || reader_of(bytes, 1).frame(0).may_hold(*query);
    };
    EXPECT_TRUE(may_hold_folded("foo\u212a barx", "fook barx"));
    EXPECT_TRUE(may_hold_folded("oarx \u017ferver", "oarx server"));
    EXPECT_FALSE(may_hold_folded("foox bart", "foon bart"));
}

TEST(Grams, AFrameWithoutAFilterMayHoldEverything) {
    auto bytes = packed({GramFilter{}, filter_with({})});
    auto reader = reader_of(bytes, 2);
    auto query = GramQuery::of("whatever").value();
    EXPECT_TRUE(reader.frame(0).may_hold(query));
    EXPECT_FALSE(reader.frame(1).may_hold(query)) << "one without a message holds nothing";
    EXPECT_TRUE(reader.finish());
}

TEST(Grams, AFilterTakesAtMostATwentiethOfItsFrame) {
    GramSet slots;
    for (int i = 0; i < 1'000; ++i) slots.add(id_of(i));
    auto filter = filter_of(slots, 20'000);
    EXPECT_LE(filter.bits.size(), 1'000U);
    EXPECT_GT(filter.bits.size(), 800U);
    EXPECT_EQ(filter_of(slots, 200).width, 0) << "that would say nothing";
    for (unsigned width = 1; width < filter_width_max; ++width) EXPECT_LT(rows_of(width), rows_of(width + 1));
    EXPECT_EQ(rows_of(filter_width_max), 65'536U);
}

// Widths differ, frames are more than a band has, and messages are any bytes.
TEST(Grams, WhatAFrameHoldsIsNeverRuledOut) {
    auto seed = boatswain::testing::test_seed();
    std::mt19937 random{seed};
    auto any = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(random); };
    for (int round = 0; round < 10; ++round) {
        std::vector<std::vector<std::string>> messages(1 + any(round == 0 ? 20'000 : 600));
        std::vector<GramFilter> frames;
        GramSet slots;
        for (auto& of_frame : messages) {
            slots.clear();
            for (std::size_t i = any(20); i-- > 0;) {
                std::string message = any(2) == 0 ? "a text that many frames have " : "";
                for (std::size_t n = any(80); n-- > 0;) message += static_cast<char>(any(256));
                slots.add(message);
                of_frame.push_back(std::move(message));
            }
            frames.push_back(any(9) == 0 ? GramFilter{} : filter_of(slots, 1 + any(20'000)));
        }
        auto bytes = packed(frames);
        auto reader = reader_of(bytes, frames.size());
        std::deque<GramQuery> queries;  // the reader knows them by their places
        for (std::size_t i = 0; i < frames.size(); ++i)
            for (const auto& message : messages[i]) {
                auto first = message.empty() ? 0 : any(message.size());
                auto query = GramQuery::of(std::string_view{message}.substr(first, any(30)));
                if (!query) continue;
                queries.push_back(*std::move(query));
                ASSERT_TRUE(reader.frame(i).may_hold(queries.back())) << "seed " << seed << ", frame " << i;
            }
        EXPECT_TRUE(reader.finish());
        auto again = reader_of(bytes, frames.size());
        std::vector<GramFilter> unpacked;
        while (true) {
            auto band = again.next_band().value();
            if (band.empty()) break;
            std::ranges::move(band, std::back_inserter(unpacked));
        }
        EXPECT_EQ(unpacked, frames) << "seed " << seed;
    }
}

TEST(Grams, AQuestionReadsAFewRowsOfManyFrames) {
    constexpr unsigned width = 41;  // 8,192 rows
    std::mt19937 random{11};
    std::vector<GramFilter> frames(3'000, {.width = width, .bits = std::string(rows_of(width) / 8, '\0')});
    for (auto& frame : frames)
        for (auto& byte : frame.bits) byte = static_cast<char>(random());
    auto bytes = packed(frames);
    std::size_t read = 0, held = 0;
    auto reader = reader_of(bytes, frames.size(), &read);
    auto query = GramQuery::of(id_of(1)).value();
    for (std::size_t i = 0; i < frames.size(); ++i) held += reader.frame(i).may_hold(query) ? 1U : 0U;
    EXPECT_LE(held, 10U) << "of 12 grams, each in half of the filters, by chance";
    EXPECT_LT(read, bytes.size() / 2) << "of " << bytes.size();
}

TEST(Grams, RefuseWhatDoesNotFitTheFrames) {
    auto bytes = packed({filter_with({"one text"}), filter_with({"another text"})});
    auto query = GramQuery::of("another").value();
    auto fits = [&](const std::string& what, std::size_t frames) {
        auto reader = reader_of(what, frames);
        for (std::size_t i = 0; i < frames; ++i) (void)reader.frame(i).may_hold(query);
        auto band = reader_of(what, frames).next_band();
        return reader.finish().has_value() && band.has_value();
    };
    EXPECT_TRUE(fits(bytes, 2));
    EXPECT_FALSE(fits(bytes, 1));
    EXPECT_FALSE(fits(bytes, 3));
    EXPECT_FALSE(fits(bytes + "x", 2));
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(fits(bytes.substr(0, size), 2)) << size;
    bytes[0] = static_cast<char>(filter_width_max + 1);
    EXPECT_FALSE(fits(bytes, 2));
}

TEST(Grams, WhatCannotBeReadMayBeThere) {
    auto bytes = packed({filter_with({"one text"})});
    GramReader reader{1, 0, bytes.size(), [](std::uint64_t, std::uint64_t) -> Result<std::string> {
                          return fail(Remedy::back_off, "no network");
                      }};
    EXPECT_TRUE(reader.frame(0).may_hold(GramQuery::of("another").value()));
    EXPECT_EQ(reader.finish().error().what, "no network");
}

}  // namespace
}  // namespace boatswain::rollup
