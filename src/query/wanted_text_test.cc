#include "query/wanted_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "open/text.h"
#include "query/filter_for_test.h"
#include "query/filter_source.h"
#include "query/filter_stream.h"
#include "query/filter_text.h"
#include "segment/frame_text.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WantedText : public ::testing::Test {
  protected:
    void add(std::string bytes) {
        lines.push_back(std::move(bytes));
        text.append(Line{.time = ten + seconds{lines.size()}, .bytes = lines.back()});
    }
    open::FooterFrame frame() const { return {.text_bytes = text.text().size(), .counts = text.counts()}; }
    std::optional<std::string> wanted(FilterPtr filter, TimeRange range = {}) {
        Selection selection{.tenant = {}, .range = range, .filter = std::move(filter)};
        auto described = frame();
        return wanted_of(selection, {{named, who}, described}, text.text());
    }
    std::vector<std::string> lines_of(const std::string& kept) {
        std::vector<std::string> found;
        if (kept.empty()) return found;
        auto read = open::for_each_entry(kept, [&](const open::TextEntry& entry) {
            if (entry.kind == open::TextEntry::Kind::line) found.emplace_back(entry.line.bytes);
            if (entry.kind == open::TextEntry::Kind::gap) found.emplace_back("gap");
            return true;
        });
        EXPECT_TRUE(read);
        return found;
    }
    // Asked line by line, as who cannot scan does it.
    std::vector<std::string> asked(const Filter& filter) {
        std::vector<std::string> found;
        for (const auto& line : lines)
            if (ask(filter, line_of(line)) != Match::none) found.push_back(line);
        return found;
    }
    void expect_same(const FilterPtr& filter, const std::string& what) {
        auto kept = wanted(filter);
        ASSERT_TRUE(kept) << what;
        EXPECT_EQ(lines_of(*kept), asked(*filter)) << what;
    }

    const Timestamp ten = at("2026-11-23T10:00:00Z");
    const Source who = source("acme", "web", "web-1");
    const segment::ObjectKey named = key("acme", ten, 1);
    segment::FrameText text{who};
    std::deque<std::string> lines;
};

TEST_F(WantedText, KeepsTheLinesThatHoldAText) {
    for (const auto* line : {"GET /a", "", "put /b", "GET /b and GET /c", "stdout F", "# {"}) add(line);
    EXPECT_THAT(lines_of(*wanted(line_has("GET"))), ElementsAre("GET /a", "GET /b and GET /c"));
    EXPECT_THAT(lines_of(*wanted(line_has("stdout F"))), ElementsAre("stdout F")) << "the prefix is not the line";
    EXPECT_THAT(lines_of(*wanted(line_has("# {"))), ElementsAre("# {"));
    EXPECT_EQ(wanted(line_has("no such text")), "");
}

TEST_F(WantedText, WhereAllIsWantedNothingIsSearched) {
    add("a");
    EXPECT_EQ(wanted(nullptr), std::nullopt);
    EXPECT_EQ(wanted(app_is_one_of({"web"})), std::nullopt);
}

TEST_F(WantedText, KeepsGaps) {
    add("a");
    text.append(Gap{.from = ten, .to = ten, .reason = "rotated-away", .lines_min = 3});
    EXPECT_THAT(lines_of(*wanted(line_has("b"))), ElementsAre("gap"));
}

TEST_F(WantedText, KeepsToTheRange) {
    for (int i = 0; i < 5; ++i) add("same");
    EXPECT_EQ(lines_of(*wanted(line_has("same"), {.since = ten + seconds{2}, .until = ten + seconds{4}})).size(), 2U);
}

TEST_F(WantedText, WhereLinesAreCountedAllAreKeptOrNone) {
    for (const auto* line : {"a", "b", "c"}) add(line);
    auto described = frame();
    auto numbered = [&](FilterPtr filter) {
        Selection selection{.tenant = {}, .range = {}, .filter = std::move(filter), .numbered = true};
        return wanted_of(selection, {{named, who}, described}, text.text());
    };
    EXPECT_EQ(numbered(line_has("b")), std::nullopt);
    EXPECT_EQ(numbered(line_has("none of them")), "");
    EXPECT_EQ(numbered(none_of(line_has("a"))), std::nullopt);
    described.counts.end = End{.time = ten, .reason = end_removed};
    EXPECT_EQ(numbered(line_has("none of them")), std::nullopt) << "the closing record is wanted";
}

TEST_F(WantedText, WhatIsNotOfTheFormIsLeftToWhoeverAsks) {
    add("needle");
    auto broken = std::string{text.text()} + "needle without a time\n";
    Selection selection{.tenant = {}, .range = {}, .filter = line_has("needle")};
    auto described = frame();
    EXPECT_EQ(wanted_of(selection, {{named, who}, described}, broken), std::nullopt);
}

TEST_F(WantedText, IsWhatIsFoundLineByLine) {
    std::mt19937 random{11};
    const std::vector<std::string> words{"error", "Error",  "user=7", "\xff\xfe", "tim\xc5\xbf", "K", "\xe2\x84\xaa",
                                         "2026",  "stdout", " F ",    "a.b",      "^x",          "]"};
    for (int i = 0; i < 300; ++i) {
        std::string line;
        for (auto count = random() % 5; count > 0; --count) line += words[random() % words.size()] + " ";
        if (random() % 2 == 0 && !line.empty()) line.pop_back();
        add(line);
    }
    auto regex = [](const std::string& text) { return line_matches(text).value(); };
    for (const auto* text : {"error",
                             "^error",
                             "error$",
                             "^error$",
                             "^$",
                             "(?i)error",
                             "(error|user).*2026",
                             "user=\\d",
                             "[^a]b",
                             "[^a-z ]$",
                             "(?i)k",
                             "(?i)times",
                             "x*",
                             "^(a|u)",
                             "(^|b )user",
                             "\\bF\\b",
                             "\\BF",
                             ".$",
                             "^.",
                             "error\\s",
                             "(?s)error.*2026",
                             "(?m)^user",
                             "(?-m)user$",
                             "\\Auser",
                             "user\\z",
                             "\\^x",
                             "[]^]",
                             "\\Q^x\\E",
                             "(?:error) (?P<n>Error)",
                             "^\\^",
                             "$^",
                             "a{0}",
                             "\\B^error",
                             "(\\b|$)^x",
                             "stdout F",
                             "2026-11",
                             "error\\n",
                             "error|user=",
                             "(?i)(error|user).",
                             "Error|times|2026|a.b"}) {
        expect_same(regex(text), text);
        expect_same(all_of({regex(text), line_has("2026")}), std::string{text} + " and 2026");
        expect_same(any_of({regex(text), line_has("a.b")}), std::string{text} + " or a.b");
        expect_same(none_of(regex(text)), std::string{"not "} + text);
    }
    expect_same(all_of({line_has("error"), line_has("user"), line_has("2026")}), "three texts");
    expect_same(any_of({line_has("^x"), line_has("]")}), "two texts");
    expect_same(all_of({stream_is(Stream::out), line_has("error")}), "a stream");
    expect_same(any_of({stream_is(Stream::err), line_has("error")}), "or a stream");
    expect_same(line_has(""), "the empty text");
}

}  // namespace
}  // namespace boatswain::query
