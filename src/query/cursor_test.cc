#include "query/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "open/text.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::seconds;
using ::testing::HasSubstr;

class CursorTest : public ::testing::Test {
  protected:
    void add(Cursor& cursor, const std::string& id, std::uint64_t ordinal, Timestamp time) {
        auto who = source("acme", "web", "web-1", id);
        open::TextEntry text{.kind = open::TextEntry::Kind::line, .line = {.time = time, .bytes = "x"}};
        cursor.add({.segment = named, .source = who, .text = text, .ordinal = ordinal});
    }
    bool has(const Cursor& cursor, const std::string& id, std::uint64_t ordinal) {
        auto who = source("acme", "web", "web-1", id);
        open::TextEntry text{.kind = open::TextEntry::Kind::line, .line = {.time = ten, .bytes = "x"}};
        return cursor.has(Entry{.segment = named, .source = who, .text = text, .ordinal = ordinal});
    }
    // With the sum that belongs to it.
    static std::string forged(const std::string& text) {
        return text + ";" + to_hex(crypto::sha256("forward\n{app=\"web\"}\n" + text)).substr(0, 8);
    }

    const Timestamp ten = at("2026-11-23T10:00:00Z");
    const segment::ObjectKey named = key("acme", ten, 1);
    const std::string question = "{app=\"web\"}";
};

TEST_F(CursorTest, GoesOnWhereItWasWritten) {
    Cursor cursor{false, question};
    EXPECT_FALSE(cursor.has_begun());
    add(cursor, "a;b:c", 7, ten);
    add(cursor, "other", 3, ten + seconds{1});
    auto read = Cursor::parse(cursor.str(), false, question);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_TRUE(has(*read, "a;b:c", 7));
    EXPECT_FALSE(has(*read, "a;b:c", 8));
    EXPECT_FALSE(has(*read, "other", 4));
    EXPECT_EQ(read->rest_of({}).since, ten + seconds{1} - Cursor::clock_step);
    EXPECT_EQ(read->str(), cursor.str());
}

TEST_F(CursorTest, WhatWasCutShortOrChangedIsRefused) {
    Cursor cursor{false, question};
    add(cursor, "a", 7, ten);
    add(cursor, "b", 3, ten);
    auto text = cursor.str();
    for (std::size_t size = 0; size < text.size(); ++size) {
        auto cut = Cursor::parse(text.substr(0, size), false, question);
        ASSERT_FALSE(cut) << size;
        EXPECT_THAT(cut.error().what, HasSubstr("invalid cursor: it was c"));
        auto changed = text;
        changed[size] = static_cast<char>(changed[size] ^ 1);
        EXPECT_FALSE(Cursor::parse(changed, false, question)) << changed;
    }
    EXPECT_FALSE(Cursor::parse(text + "0", false, question));
}

TEST_F(CursorTest, OfAnotherQuestionOrDirectionIsRefused) {
    Cursor cursor{false, question};
    add(cursor, "a", 7, ten);
    EXPECT_FALSE(Cursor::parse(cursor.str(), true, question));
    EXPECT_FALSE(Cursor::parse(cursor.str(), false, question + " "));
}

TEST_F(CursorTest, WhatIsMadeUpIsReadWithinItsBounds) {
    EXPECT_TRUE(Cursor::parse(forged("1795428000000000000;a:1:1795428000000000000"), false, question));
    for (const char* text : {"", "x", "-1", "99999999999999999999", "1;a", "1;a:b:1", "1;a:1", "1;%zz:1:1", "1;;"})
        EXPECT_FALSE(Cursor::parse(forged(text), false, question)) << text;
    std::string many = "1";
    for (std::size_t i = 0; i <= Cursor::sources_max; ++i) many += ";s" + std::to_string(i) + ":1:1";
    EXPECT_THAT(Cursor::parse(forged(many), false, question).error().what, HasSubstr("too many sources"));
}

}  // namespace
}  // namespace boatswain::query
