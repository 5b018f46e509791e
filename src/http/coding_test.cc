#include "http/coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace boatswain::http {
namespace {

std::string gunzip(std::string_view bytes) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    std::string out(1U << 20, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    (void)inflate(&stream, Z_SYNC_FLUSH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

std::string unzstd(std::string_view bytes) {
    std::string out(1U << 20, '\0');
    auto* context = ZSTD_createDCtx();
    ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer into{out.data(), out.size(), 0};
    (void)ZSTD_decompressStream(context, &into, &from);
    ZSTD_freeDCtx(context);
    out.resize(into.pos);
    return out;
}

TEST(Coding, IsTheOneThatAClientWantsMost) {
    EXPECT_EQ(coding_of("gzip, deflate, br, zstd"), Coding::zstd);
    EXPECT_EQ(coding_of("gzip"), Coding::gzip);
    EXPECT_EQ(coding_of("GZIP;q=1.0, zstd; q=0.5"), Coding::gzip);
    EXPECT_EQ(coding_of("gzip;q=0"), Coding::none);
    EXPECT_EQ(coding_of("gzip;q=x, zstd;q="), Coding::none);
    EXPECT_EQ(coding_of("identity, *"), Coding::none);
    EXPECT_EQ(coding_of(""), Coding::none);
    EXPECT_EQ(coding_of(",,;,"), Coding::none);
}

TEST(Coding, CanBeReadAsFarAsItCame) {
    std::string first(100'000, 'a'), second = "and more";
    Encoder gzip{Coding::gzip}, zstd{Coding::zstd}, none{Coding::none};
    auto some = gzip.encode(first, false);
    EXPECT_EQ(gunzip(some), first);
    some += gzip.encode(second, true);
    EXPECT_EQ(gunzip(some), first + second);
    EXPECT_LT(some.size(), 2'000U);
    some = zstd.encode(first, false);
    EXPECT_EQ(unzstd(some), first);
    some += zstd.encode(second, true);
    EXPECT_EQ(unzstd(some), first + second);
    EXPECT_EQ(none.encode(second, true), second);
}

TEST(Coding, LeavesShortAnswersAndErrorsAsTheyAre) {
    Answer brief{.body = std::string(100, 'a')}, wrong{.status = 400, .body = std::string(5000, 'a')};
    Answer whole{.body = std::string(5000, 'a')};
    for (auto* answer : {&brief, &wrong, &whole}) encode_whole(*answer, Coding::gzip);
    EXPECT_EQ(brief.body, std::string(100, 'a'));
    EXPECT_EQ(wrong.body, std::string(5000, 'a'));
    EXPECT_EQ(gunzip(whole.body), std::string(5000, 'a'));
    EXPECT_THAT(whole.fields, ::testing::ElementsAre(::testing::Pair("Vary", "Accept-Encoding"),
                                                     ::testing::Pair("Content-Encoding", "gzip")));
    EXPECT_EQ(wrong.fields.size(), 1U);
}

}  // namespace
}  // namespace boatswain::http
