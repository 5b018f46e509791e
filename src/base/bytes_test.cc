#include "base/bytes.h"

#include <gtest/gtest.h>
#include "base/shown_name.h"

namespace boatswain {
namespace {

TEST(PercentEncoding, LeavesNoPathInAPart) {
    EXPECT_EQ(percent_encode("a/b c"), "a%2Fb%20c");
    EXPECT_EQ(percent_encode(".."), "%2E%2E");
    EXPECT_EQ(percent_encode("a..b"), "a..b");
    EXPECT_EQ(percent_decode(percent_encode("\xC3\xA9/%\n")), "\xC3\xA9/%\n");
    EXPECT_FALSE(percent_decode("%2"));
    EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Base64, IsStrictWithoutPadding) {
    EXPECT_EQ(to_base64("ab"), "YWI=");
    EXPECT_EQ(to_base64_unpadded("ab"), "YWI");
    EXPECT_EQ(from_base64_unpadded("YWI"), "ab");
    EXPECT_FALSE(from_base64_unpadded("YWJ"));  // bits left over
    EXPECT_FALSE(from_base64_unpadded("YWI="));
    EXPECT_FALSE(from_base64_unpadded("Y"));
}

TEST(Size, ReadsBinaryAndDecimalUnits) {
    EXPECT_EQ(parse_size("8MiB"), 8U << 20);
    EXPECT_EQ(parse_size("500kB"), 500'000U);
    EXPECT_EQ(parse_size("12"), 12U);
    EXPECT_FALSE(parse_size("8 MiB"));
    EXPECT_FALSE(parse_size("-1"));
    EXPECT_FALSE(parse_size("99999999999999999999"));
    EXPECT_EQ(size_to_text(8U << 20), "8MiB");
}

TEST(Printable, HidesControlCharactersAndCutsLongText) {
    EXPECT_EQ(printable("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
    EXPECT_EQ(printable("\xff\xC3\xA9"), "\\xff\xC3\xA9");
    EXPECT_EQ(printable(std::string(300, 'x'), 10), "xxxxxxxxxx...");
}

TEST(Printable, HidesWhatReordersBreaksOrHidesText) {
    EXPECT_EQ(printable("a\u202Eb"), "a\\xe2\\x80\\xaeb");
    for (std::string_view hidden :
         {"\u0085", "\u00AD", "\u061C", "\u180E", "\u200B", "\u200E", "\u200F", "\u2028", "\u2029", "\u202A", "\u202D",
          "\u2060", "\u2066", "\u2069", "\uFEFF", "\uFFF9", "\U000E0041"}) {
        auto shown = printable("a" + std::string{hidden} + "b");
        EXPECT_EQ(shown.size(), 2 + 4 * hidden.size()) << shown;
    }
    std::string_view ordinary = "é\u00A0\u200D\u200C\u2027\u2070中\U0001F600\uFE0F";
    EXPECT_EQ(printable(ordinary), ordinary);
}

TEST(Printable, CutsAfterAWholeCharacter) {
    EXPECT_EQ(printable("abc\u00E9def", 4), "abc\u00E9...");
    EXPECT_EQ(printable("\x01\x02\x03", 5), "\\x01\\x02...");
}

TEST(Hex, GoesBothWays) {
    EXPECT_EQ(to_hex("\x01\xAF"), "01af");
    EXPECT_EQ(from_hex("01AF"), "\x01\xAF");
    EXPECT_FALSE(from_hex("1"));
}

TEST(ShownName, IsQuotedWhereItsEndsWouldNotBeSeen) {
    EXPECT_EQ(shown_name("acme/shop-1"), "acme/shop-1");
    EXPECT_EQ(shown_name("acme "), "\"acme \"");
    EXPECT_EQ(shown_name("my shop"), "\"my shop\"");
    EXPECT_EQ(shown_name("a\nb"), "\"a\\x0ab\"");
    EXPECT_EQ(shown_name(""), "\"\"");
    EXPECT_EQ(shown_name("\xC3\xA4"), "\xC3\xA4");
    EXPECT_EQ(shown_name("acme:"), "\"acme:\"");
}

}  // namespace
}  // namespace boatswain
