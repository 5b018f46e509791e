#include "open/footer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "open/sealing_for_test.h"
#include "segment/footer_writer.h"
#include "segment/format.h"

namespace boatswain::open {
namespace {

using namespace segment;

std::string good_json() { return footer_json(small_parts()); }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(Footer, PassesOverFieldsThatItDoesNotKnow) {
    auto json = replaced(good_json(), "{\"version\":1,", "{\"new\":[{}],\"version\":1,");
    json = replaced(json, "{\"id\":", "{\"colour\":\"red\",\"id\":");
    EXPECT_TRUE(parse_footer(replaced(json, "{\"source\":", "{\"words\":9,\"source\":"))) << json;
}

TEST(Footer, RefusesWhatIsMissingOrOfAnotherTypeAndNamesIt) {
    ASSERT_TRUE(parse_footer(good_json()));
    struct Case {
        std::string_view from, to, says;
    };
    for (const auto& c :
         {Case{"\"version\":1,", "", "version is missing"},
          Case{"\"version\":1", "\"version\":\"1\"", "version"},
          Case{"\"version\":1", "\"version\":0", "version 0"},
          Case{"\"version\":1", "\"version\":2", "version 2, this reader knows 1"},
          Case{"\"tenant\":\"acme\"", "\"tenant\":\"a/b\"", "contains '/'"},
          Case{"\"tenant\":\"acme\"", "\"tenant\":\"_x\"", "_x"},
          Case{"\"host\":\"node-7\",", "", "host is missing"},
          Case{"\"sequence\":42", "\"sequence\":0", "sequence"},
          Case{"\"sequence\":42", "\"sequence\":10000000000", "sequence"},
          Case{"\"sequence\":42", "\"sequence\":-1", "sequence"},
          Case{"\"sequence\":42", "\"sequence\":4.2", "sequence"},
          Case{"aaaa\"", "aaaA\"", "previous_sha256"},
          Case{"aaaa\"", "aaa\"", "previous_sha256"},
          Case{"10:01:00.000000000Z", "10:01:00Z", "sealed_at"},
          Case{"\"sources\":[", "\"sources\":[7,", "sources[0]"},
          Case{"\"frames\":[", "\"frames\":[[],", "frames[0]"},
          Case{"\"id\":\"77aa\",", "", "sources[1].id is missing"},
          Case{"\"tier\":\"web\"", "\"tier\":7", "sources[0].labels"},
          Case{"\"id\":\"4c01\"", "\"id\":\"4c01\",\"tenant\":\"globex\"", "sources[0] is of another tenant"},
          Case{"\"source\":1", "\"source\":2", "frames[1] is of a source"},
          Case{"\"lines\":2,", "", "frames[0].lines is missing"},
          Case{"\"first\":\"2026", "\"first\":\"x026", "frames[0].first is not a time"},
          Case{"\"text_bytes\":", "\"text_bytes\":67108864", "frames[0] is longer"},
          Case{",\"blobs\":[]", "", "blobs is missing"},
          Case{"\"blobs\":[]", "\"blobs\":[{\"name\":\"x\"}]", "blobs[0].offset is missing"}}) {
        auto footer = parse_footer(replaced(good_json(), c.from, c.to));
        ASSERT_FALSE(footer) << c.from << " -> " << c.to;
        EXPECT_EQ(footer.error().remedy, Remedy::quarantine);
        EXPECT_NE(footer.error().what.find(c.says), std::string::npos) << footer.error().what;
    }
    for (std::string_view json : {"", "x", "[]", "{}", "null", "{\"version\":1}", "{\"version\":1", "\xff"})
        EXPECT_FALSE(parse_footer(json)) << json;
    auto json = good_json();
    for (std::size_t size = 0; size < json.size(); ++size) EXPECT_FALSE(parse_footer(json.substr(0, size))) << size;
}

TEST(Footer, BoundsHowManyThereAre) {
    std::string many =
        "{\"version\":1,\"tenant\":\"a\",\"host\":\"h\",\"epoch\":\"e\",\"sequence\":1,\"sealed_at\":\"2026-11-22T10:"
        "00:00.000000000Z\",\"frames\":[],";
    std::string blobs = "\"blobs\":[", sources = "\"sources\":[";
    for (std::size_t i = 0; i <= blobs_max; ++i)
        blobs += std::string(i ? "," : "") + "{\"name\":\"x\",\"offset\":0,\"bytes\":0}";
    EXPECT_NE(parse_footer(many + "\"sources\":[]," + blobs + "]}").error().what.find("more than 256 blobs"),
              std::string::npos);
    for (std::size_t i = 0; i <= sources_max; ++i) sources += std::string(i ? "," : "") + "{\"id\":\"x\"}";
    EXPECT_NE(parse_footer(many + sources + "],\"blobs\":[]}").error().what.find("more than 65536 sources"),
              std::string::npos);
    EXPECT_FALSE(parse_footer(good_json() + std::string(footer_json_bytes_max, ' ')));
    EXPECT_FALSE(parse_footer(std::string(100'000, '[')));
}

// A plaintext in the hands of someone who lies.
struct Plaintext {
    std::string frames, blobs, json, before_magic;
    std::string bytes;

    Plaintext() {
        auto parts = small_parts();
        for (const auto& frame : parts.frames) frames += frame.compressed;
        json = footer_json(parts);
    }
    static std::string u32(std::size_t value) {
        std::string out;
        for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
        return out;
    }
    Plaintext& build() {
        auto packed = Compressor{1}.compress(json);
        auto content = blobs.size() + packed.size() + trailer_bytes;
        bytes = frames + u32(skippable_magic) + u32(content) + blobs + packed + u32(packed.size()) + u32(content) +
                std::string{footer_magic};
        return *this;
    }
    std::size_t footer_start() const { return frames.size(); }
    Result<Footer> read() const {
        Decompressor decompressor;
        return read_footer(
            bytes.size(),
            [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
                return bytes.substr(first, length);
            },
            decompressor);
    }
};

TEST(Footer, IsFoundAtTheEndOfThePlaintext) {
    auto footer = Plaintext{}.build().read();
    ASSERT_TRUE(footer) << footer.error().what;
    EXPECT_EQ(footer->frames.size(), 3U);
}

TEST(Footer, KnowsWhereBlobsLieAndPassesOverTheirNames) {
    Plaintext plaintext;
    plaintext.blobs = "0123456789";
    auto start = plaintext.footer_start() + skippable_header_bytes;
    auto with = [&](std::size_t first, std::size_t bytes, std::size_t second) {
        auto changed = plaintext;
        changed.json = replaced(plaintext.json, "\"blobs\":[]",
                                "\"blobs\":[{\"name\":\"tokens\",\"offset\":" + std::to_string(first) +
                                    ",\"bytes\":" + std::to_string(bytes) +
                                    "},{\"name\":\"later\",\"offset\":" + std::to_string(second) + ",\"bytes\":5}]");
        return changed.build().read();
    };
    auto footer = with(start, 5, start + 5);
    ASSERT_TRUE(footer) << footer.error().what;
    ASSERT_EQ(footer->blobs.size(), 2U);
    EXPECT_EQ(footer->blobs[0].name, "tokens");
    EXPECT_EQ(footer->blobs[0].offset, start);
    EXPECT_FALSE(with(start - 1, 5, start + 5)) << "before their place";
    EXPECT_FALSE(with(start, 6, start + 5)) << "overlapping";
    EXPECT_FALSE(with(start, 5, start + 6)) << "into the JSON";
    EXPECT_FALSE(with(start, 18'446'744'073'709'551'615U, start + 5)) << "overflowing";
}

TEST(Footer, RefusesFramesThatDoNotFillThePlaintext) {
    auto with = [](std::string_view from, std::string_view to) {
        Plaintext plaintext;
        plaintext.json = replaced(plaintext.json, from, to);
        return plaintext.build().read();
    };
    EXPECT_FALSE(with("\"offset\":0", "\"offset\":1"));
    EXPECT_FALSE(with("\"bytes\":", "\"bytes\":1"));
    EXPECT_FALSE(with("\"bytes\":", "\"bytes\":0,\"was\":"));
    EXPECT_FALSE(with("\"bytes\":", "\"bytes\":18446744073709551615,\"was\":"));
    Plaintext hole;
    hole.frames += "x";
    EXPECT_FALSE(hole.build().read());
    Plaintext hidden;
    hidden.json =
        replaced(hidden.json, hidden.json.substr(hidden.json.find("\"frames\":[")), "\"frames\":[],\"blobs\":[]}");
    EXPECT_FALSE(hidden.build().read()) << "frames that the footer hides";
}

TEST(Footer, RefusesLengthsThatDoNotFit) {
    auto good = Plaintext{}.build();
    auto end = good.bytes.size();
    auto with = [&](std::size_t at, std::string_view bytes) {
        auto changed = good;
        changed.bytes.replace(at, bytes.size(), bytes);
        return changed.read();
    };
    ASSERT_TRUE(with(0, ""));
    EXPECT_FALSE(with(end - 1, "2")) << "magic";
    EXPECT_FALSE(with(end - 12, "\xff\xff\xff\xff")) << "longer than the plaintext";
    EXPECT_FALSE(with(end - 12, std::string_view{"\0\0\0\0", 4})) << "shorter than the trailer";
    EXPECT_FALSE(with(end - 16, "\xff\xff\xff\x7f")) << "JSON longer than the footer";
    EXPECT_FALSE(with(end - 16, std::string_view{"\0\0\0\0", 4})) << "no JSON";
    EXPECT_FALSE(with(good.footer_start(), "\x50")) << "another skippable magic";
    EXPECT_FALSE(with(good.footer_start() + 4, "\x01")) << "another length at the start";
    for (std::size_t size = 0; size < end; ++size) {
        auto changed = good;
        changed.bytes.resize(size);
        EXPECT_FALSE(changed.read()) << size;
    }
}

TEST(Decompressor, RefusesWhatIsNotOneFrameOfTheSizeItShouldHave) {
    auto frame = Compressor{1}.compress(std::string(1000, 'x'));
    Decompressor decompressor;
    EXPECT_EQ(decompressor.decompress(frame, 1000, 1000).value(), std::string(1000, 'x'));
    EXPECT_FALSE(decompressor.decompress(frame, 1000, 999));
    EXPECT_FALSE(decompressor.decompress(frame, 999));
    EXPECT_FALSE(decompressor.decompress(frame + frame, 2000, 1000));
    EXPECT_FALSE(decompressor.decompress(frame + "x", 1000, 1000));
    EXPECT_FALSE(decompressor.decompress("", 1000));
    EXPECT_FALSE(decompressor.decompress(Plaintext::u32(skippable_magic) + Plaintext::u32(0), 1000));
    for (std::size_t size = 0; size < frame.size(); ++size)
        EXPECT_FALSE(decompressor.decompress(frame.substr(0, size), 1000)) << size;
    auto flipped = frame;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    EXPECT_FALSE(decompressor.decompress(flipped, 1000)) << "the checksum";
}

TEST(SegmentReader, RefusesAFrameWhoseHeadingNamesAnotherSource) {
    auto identity = Identity::generate();
    auto parts = small_parts();
    parts.frames[0].source = 1;
    Object object{sealed_bytes(std::move(parts), identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_TRUE(reader);
    auto text = reader->frame_text(0);
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().what.find("another source"), std::string::npos);
    EXPECT_TRUE(reader->frame_text(1));
}

TEST(SegmentReader, RefusesAFrameOfAnotherSizeThanTheFooterSays) {
    auto identity = Identity::generate();
    auto parts = small_parts();
    ++parts.frames[0].text_bytes;
    Object object{sealed_bytes(std::move(parts), identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_TRUE(reader);
    EXPECT_FALSE(reader->frame_text(0));
}

}  // namespace
}  // namespace boatswain::open
