#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "segment/age_format.h"
#include "segment/age_writer.h"
#include "segment/chain.h"
#include "segment/footer_writer.h"
#include "segment/format.h"
#include "segment/seal.h"

namespace boatswain::segment {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr std::string_view a_recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

TEST(AgeFormat, CountsChunksWithTheLastBitInTheNonce) {
    EXPECT_EQ(to_hex({reinterpret_cast<const char*>(age_chunk_nonce(0x0102, true).data()), 12}),
              "000000000000000000010201");
}

TEST(AgeWriter, WritesExactlyTheSizeItFoundFirst) {
    auto recipient = crypto::Recipient::parse(a_recipient).value();
    for (std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 131'072U}) {
        auto writer = AgeWriter::begin(std::span{&recipient, 1}, size);
        ASSERT_TRUE(writer);
        auto header = writer->written().size();
        writer->append(std::string(size, 'x'));
        EXPECT_EQ(writer->finish().size(), header + age_sealed_bytes(size));
    }
}

TEST(AgeWriter, RefusesToSealForNobody) {
    EXPECT_EQ(AgeWriter::begin({}, 1).error().remedy, Remedy::stop);
    crypto::Recipient low_order{crypto::Key32{}};
    auto writer = AgeWriter::begin(std::span{&low_order, 1}, 1);
    ASSERT_FALSE(writer);
    EXPECT_NE(writer.error().what.find("low order"), std::string::npos);
}

TEST(AgeWriter, ThrowsWhenThePlaintextIsNotOfTheSizeThatWasSaid) {
    auto recipient = crypto::Recipient::parse(a_recipient).value();
    auto writer = AgeWriter::begin(std::span{&recipient, 1}, 3).value();
    EXPECT_THROW(writer.append("four"), std::logic_error);
    writer.append("tw");
    EXPECT_THROW(writer.finish(), std::logic_error);
}

Source a_source() {
    return {.id = "4c01",
            .kind = "docker",
            .name = "web-1",
            .image = "nginx:1.27",
            .reader = "json-file",
            .whose = {.tenant = TenantId::parse("acme").value(), .app = "shop", .tenant_rule = "env:BOATSWAIN_TENANT"},
            .labels = {{"tier", "web"}}};
}

Timestamp at(std::string_view text) { return parse_time(text).value(); }

TEST(FrameText, IsAHeadingThenLinesAndGapsInTheirPlaces) {
    FrameText text{a_source()};
    text.append({.time = at("2026-11-22T10:00:00.123456789Z"), .bytes = "hello"});
    text.append({.time = at("2026-11-22T10:00:59.000000001Z"),
                 .stream = Stream::err,
                 .partial = true,
                 .bytes = std::string_view{"\0\xff\r", 3}});
    text.append(Gap{.from = at("2026-11-22T10:01:00Z"),
                    .to = at("2026-11-22T10:02:00Z"),
                    .reason = "rotated-away",
                    .bytes_min = 9});
    text.append({.time = at("2026-11-22T10:01:00Z"), .bytes = ""});
    auto expected =
        "# {\"source\":\"4c01\",\"kind\":\"docker\",\"name\":\"web-1\",\"app\":\"shop\",\"image\":\"nginx:1.27\"}\n"
        "2026-11-22T10:00:00.123456789Z stdout F hello\n"
        "2026-11-22T10:00:59.000000001Z stderr P \0\xff\r\n"
        "# gap "
        "{\"from\":\"2026-11-22T10:01:00.000000000Z\",\"to\":\"2026-11-22T10:02:00.000000000Z\",\"reason\":\"rotated-"
        "away\",\"lines_min\":0,\"bytes_min\":9}\n"
        "2026-11-22T10:01:00.000000000Z stdout F \n"sv;
    EXPECT_EQ(text.text(), expected);
    EXPECT_EQ(text.counts().lines, 3U);
    EXPECT_EQ(text.counts().message_bytes, 8U);
    EXPECT_EQ(text.counts().gaps, 1U);
    EXPECT_EQ(text.counts().first_time, at("2026-11-22T10:00:00.123456789Z"));
    EXPECT_EQ(text.counts().last_time, at("2026-11-22T10:02:00Z"));
}

TEST(FrameText, LetsNoMessageForgeALine) {
    FrameText text{a_source()};
    auto heading = text.text().size();
    text.append({.time = at("2026-11-22T10:00:00Z"), .partial = true, .bytes = "a\n# gap {}\n"});
    EXPECT_EQ(text.text().substr(heading),
              "2026-11-22T10:00:00.000000000Z stdout F a\n"
              "2026-11-22T10:00:00.000000000Z stdout F # gap {}\n"
              "2026-11-22T10:00:00.000000000Z stdout P \n");
    EXPECT_EQ(text.counts().lines, 3U);
}

TEST(FrameText, WritesOnlyReasonsThatReadersAccept) {
    for (auto [reason, written] : {std::pair{"Disk full", "\"-isk-full\""}, std::pair{"", "\"unknown\""},
                                   std::pair{"rotated-away", "\"rotated-away\""}}) {
        FrameText text{a_source()};
        text.append(Gap{.reason = reason});
        EXPECT_NE(text.text().find(written), std::string_view::npos) << text.text();
    }
}

TEST(FrameText, ForgetsALineThatIsGivenUp) {
    FrameText text{a_source()};
    auto before = std::string{text.text()};
    char* message = text.begin_message(5);
    std::copy_n("abcde", 5, message);
    text.abandon_message();
    EXPECT_EQ(text.text(), before);
    EXPECT_EQ(text.counts().lines, 0U);
    text.append({.time = at("2026-11-22T10:00:00Z"), .bytes = "kept"});
    EXPECT_EQ(text.text(), before + "2026-11-22T10:00:00.000000000Z stdout F kept\n");
}

TEST(FrameText, WritesTimesAsBaseDoesBackAndForthOverMinutesAndBefore1970) {
    for (auto ns : {0LL, -1LL, 59'999'999'999LL, 60'000'000'000LL, -60'000'000'000LL, -60'000'000'001LL,
                    1'795'341'600'123'456'789LL, 1'795'341'659'999'999'999LL, 1'795'341'600'000'000'000LL,
                    -9'214'560'000'000'000'000LL, 9'214'646'399'999'999'999LL}) {
        FrameText text{Source{}};
        auto heading = text.text().size();
        text.append({.time = Timestamp{1ns * ns}, .bytes = ""});
        EXPECT_EQ(text.text().substr(heading, time_text_size), to_text(Timestamp{1ns * ns}));
    }
}

TEST(FrameText, MovesTimesThatTheFormCannotSayToItsNearestEnd) {
    FrameText text{Source{}};
    auto heading = text.text().size();
    text.append({.time = Timestamp::max(), .bytes = ""});
    EXPECT_EQ(text.text().substr(heading, time_text_size), "2261-12-31T23:59:59.999999999Z");
    heading = text.text().size();
    text.append({.time = Timestamp::min(), .bytes = ""});
    EXPECT_EQ(text.text().substr(heading, time_text_size), "1678-01-01T00:00:00.000000000Z");
    EXPECT_TRUE(parse_time(to_text(text.counts().first_time)));
    EXPECT_TRUE(parse_time(to_text(text.counts().last_time)));
}

TEST(FrameText, KeepsEveryByteWhileItGrowsAndGrowsByHalfWhenLarge) {
    FrameText text{a_source()};
    std::string expected{text.text()};
    std::size_t largest_step = 0, capacity = text.capacity();
    for (int i = 0; i < 20'000; ++i) {
        std::string message(static_cast<std::size_t>(i % 300), static_cast<char>('a' + i % 26));
        text.append({.time = at("2026-11-22T10:00:00Z"), .bytes = message});
        expected += "2026-11-22T10:00:00.000000000Z stdout F " + message + "\n";
        if (text.capacity() > capacity && capacity >= 512 * 1024)
            largest_step = std::max(largest_step, text.capacity() * 100 / capacity);
        capacity = text.capacity();
    }
    EXPECT_EQ(text.text(), expected);
    EXPECT_LE(largest_step, 150U);
    EXPECT_GT(largest_step, 0U);
}

TEST(FrameText, EscapesHostileNamesInTheHeading) {
    auto source = a_source();
    source.name = "a\n2026-11-22T10:00:00.123456789Z stdout F forged\"\xff";
    FrameText text{source};
    EXPECT_EQ(std::ranges::count(text.text(), '\n'), 1);
    EXPECT_TRUE(text.text().starts_with("# {"));
}

ObjectKey a_key() {
    return {.tenant = TenantId::parse("acme").value(),
            .hour = at("2026-11-22T10:00:00Z"),
            .host = "node-7",
            .epoch = "20261122T100000Z-9f3a",
            .sequence = 42};
}

TEST(ObjectKey, HasTheDocumentedForm) {
    EXPECT_EQ(a_key().str(), "v1/tenant=acme/hour=2026-11-22T10/host=node-7/20261122T100000Z-9f3a.0000000042.age");
    EXPECT_EQ(tenant_prefix(a_key().tenant), "v1/tenant=acme/");
    EXPECT_EQ(hour_prefix(a_key().tenant, at("2026-11-22T10:59:59.9Z")), "v1/tenant=acme/hour=2026-11-22T10/");
}

TEST(ObjectKey, SaysSpanInThePlaceOfHourWhenRecordsReachFurther) {
    auto key = a_key();
    key.spanning = true;
    EXPECT_EQ(key.str(), "v1/tenant=acme/span=2026-11-22T10/host=node-7/20261122T100000Z-9f3a.0000000042.age");
    EXPECT_EQ(span_prefix(key.tenant), "v1/tenant=acme/span=");
    EXPECT_TRUE(key.str().starts_with(span_prefix(key.tenant)));
    EXPECT_EQ(parse_object_key(key.str()), key);
    EXPECT_NE(parse_object_key(key.str()), a_key()) << "the two are different objects";
    key.host = "/span=/hour=";
    EXPECT_EQ(parse_object_key(key.str()), key) << "no host makes one of the other kind";
    key.spanning = false;
    key.tenant = TenantId::parse("span=2026").value();
    EXPECT_EQ(parse_object_key(key.str()), key);
}

TEST(ObjectKey, SurvivesItsTextForm) {
    auto key = a_key();
    EXPECT_EQ(parse_object_key(key.str()), key);
    key.tenant = TenantId::unassigned();
    key.host = "../%2F/h\xC3\xB6st hour=";
    key.epoch = "...";
    key.sequence = sequence_max;
    EXPECT_EQ(parse_object_key(key.str()), key);
    EXPECT_EQ(key.str().find(".."), key.str().find("..%2F")) << "encoded: only unreserved bytes stay";
    key.tenant = TenantId::parse("M\xC3\xBCller & S\xC3\xB6hne").value();
    EXPECT_EQ(parse_object_key(key.str()), key);
}

TEST(ObjectKey, HasASecondFormThatHoldsItsHash) {
    auto first = a_key();
    auto second = first.second_form(from_hex("5c1d0e6f2a9b3744" + std::string(48, '0')).value());
    auto text = first.str();
    EXPECT_EQ(second.str(), text.substr(0, text.size() - 4) + ".5c1d0e6f2a9b3744.age");
    EXPECT_EQ(parse_object_key(second.str()), second);
    EXPECT_EQ(second.first_form(), first);
    EXPECT_NE(second, first);
    EXPECT_TRUE(agrees(second, "5c1d0e6f2a9b37441111"));
    EXPECT_FALSE(agrees(second, "5c1d0e6f2a9b3745"));
    EXPECT_TRUE(agrees(first, "5c1d0e6f2a9b3745"));
}

TEST(ObjectKey, KeepsItsFormsApartWhateverTheEpochLooksLike) {
    for (const auto* epoch :
         {"e.0000000007", "e.0123456789abcdef", "0123456789abcdef", "e.0000000007.0123456789abcdef"}) {
        auto key = a_key();
        key.epoch = epoch;
        EXPECT_EQ(parse_object_key(key.str()), key) << epoch;
        key.hash = "0123456789abcdef";
        EXPECT_EQ(parse_object_key(key.str()), key) << epoch;
    }
}

TEST(ObjectKey, IsNothingForForeignObjects) {
    auto good = a_key().str();
    ASSERT_TRUE(parse_object_key(good));
    auto changed = [&](std::string_view from, std::string_view to) {
        auto key = good;
        return key.replace(key.find(from), from.size(), to);
    };
    for (auto key : {std::string{},
                     std::string{"v1/tenant=acme/"},
                     good + "x",
                     "/" + good,
                     changed("v1", "v2"),
                     changed("hour=", "hours="),
                     changed("hour=", "Span="),
                     changed("hour=2026-11-22T10", "span="),
                     changed("hour=2026-11-22T10", "span=2026-11-22"),
                     changed("hour=2026-11-22T10", "span=2026-11-22T10/hour=2026-11-22T10"),
                     changed("acme", ""),
                     changed("acme", ".."),
                     changed("acme", "%2E%2E"),
                     changed("acme", "a%2Fb"),
                     changed("acme", "%61cme"),
                     changed("acme", "_other"),
                     changed("acme", "a c"),
                     changed("acme", "%e4"),
                     changed("node-7", ""),
                     changed("node-7", "a/b"),
                     changed("node-7", ".."),
                     changed("2026-11-22T10", "2026-11-22T24"),
                     changed("2026-11-22T10", "2026-13-22T10"),
                     changed("2026-11-22T10", "2026-11-22t10"),
                     changed("2026-11-22T10", "2026-11-22T10:00"),
                     changed("0000000042", "42"),
                     changed("0000000042", "0000000000"),
                     changed("0000000042", "000000004x"),
                     changed("0000000042", "+000000042"),
                     changed("20261122T100000Z-9f3a", ""),
                     changed("node-7", std::string(2000, 'x'))})
        EXPECT_FALSE(parse_object_key(key)) << key;
}

SegmentParts some_parts() {
    FrameText text{a_source()};
    text.append({.time = at("2026-11-22T10:00:00Z"), .bytes = "hello"});
    Compressor compressor{1};
    return {.key = a_key(),
            .sealed_at = at("2026-11-22T10:01:00Z"),
            .previous_sha256 = std::string(64, 'a'),
            .sources = {a_source()},
            .frames = {{.source = 0,
                        .compressed = compressor.compress(text.text()),
                        .text_bytes = text.text().size(),
                        .first_ordinal = 7,
                        .counts = text.counts()}}};
}

TEST(Seal, RefusesASourceOfAnotherTenant) {
    auto recipient = crypto::Recipient::parse(a_recipient).value();
    auto parts = some_parts();
    parts.sources[0].whose.tenant = TenantId::parse("globex").value();
    auto sealed = seal(parts, std::span{&recipient, 1});
    ASSERT_FALSE(sealed);
    EXPECT_NE(sealed.error().what.find("globex"), std::string::npos);
    parts.key.tenant = TenantId::unassigned();
    EXPECT_TRUE(seal(parts, std::span{&recipient, 1})) << "the operator's segment takes lines of tenants without a key";
}

TEST(Seal, RefusesWhatReadersWouldRefuse) {
    auto recipient = crypto::Recipient::parse(a_recipient).value();
    auto refused = [&](auto change) {
        auto parts = some_parts();
        change(parts);
        return !seal(std::move(parts), std::span{&recipient, 1});
    };
    EXPECT_FALSE(refused([](SegmentParts&) {}));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.frames[0].source = 1; }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.frames[0].compressed.clear(); }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.frames[0].text_bytes = frame_text_bytes_max + 1; }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.key.sequence = 0; }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.key.host.clear(); }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.key.host = "\xff"; }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.key.host.assign(1024, 'x'); }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.previous_sha256 = "abc"; }));
    EXPECT_TRUE(refused([](SegmentParts& p) { p.sources[0].image.assign(footer_json_bytes_max, 'x'); }));
    EXPECT_EQ(seal(some_parts(), {}).error().remedy, Remedy::stop);
}

TEST(Seal, NeverWritesTheSameBytesTwice) {
    auto recipient = crypto::Recipient::parse(a_recipient).value();
    EXPECT_NE(seal(some_parts(), std::span{&recipient, 1})->bytes, seal(some_parts(), std::span{&recipient, 1})->bytes);
}

TEST(Seal, TellsThePlaceInTheChainInTheHeader) {
    auto recipient = crypto::Recipient::parse("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj").value();
    auto parts = some_parts();
    parts.key.host = "node 7/x";
    auto bytes = seal(std::move(parts), std::span{&recipient, 1})->bytes;
    auto stanza = "-> boatswain-chain node%207%2Fx 20261122T100000Z-9f3a 42 " + std::string(64, 'a') + "\n\n-> X25519 ";
    EXPECT_TRUE(bytes.starts_with("age-encryption.org/v1\n" + stanza)) << bytes.substr(0, 300);
    EXPECT_EQ(chain_stanza({.host = "h", .epoch = "e", .sequence = 1}), "-> boatswain-chain h e 1 -\n\n");
}

TEST(FrameText, EndsWithAClosingRecordThatTheFooterRepeats) {
    FrameText text{some_parts().sources[0]};
    EXPECT_TRUE(text.counts().empty());
    text.append(End{.time = at("2026-11-22T10:04:11Z"), .reason = "Ré", .exit_code = -1, .lines = 812, .bytes = 98304});
    auto json = R"({"time":"2026-11-22T10:04:11.000000000Z","reason":"---","exit_code":-1,"lines":812,"bytes":98304})";
    EXPECT_TRUE(text.text().ends_with(std::string{"\n# end "} + json + "\n")) << text.text();
    EXPECT_FALSE(text.counts().empty());
    EXPECT_EQ(text.counts().first_time, at("2026-11-22T10:04:11Z"));
    EXPECT_EQ(end_json({.time = at("2026-11-22T10:04:11Z"), .reason = end_removed}),
              R"({"time":"2026-11-22T10:04:11.000000000Z","reason":"removed","lines":0})");
    auto parts = some_parts();
    parts.frames[0].counts = text.counts();
    EXPECT_NE(footer_json(parts).find(std::string{R"("gaps":0,"end":)"} + json + R"(,"first":"2026-11-22T10:04:11)"),
              std::string::npos);
}

TEST(Footer, IsTheDocumentedJson) {
    EXPECT_EQ(
        footer_json([] {
            auto p = some_parts();
            p.frames[0].compressed = "1234";
            return p;
        }()),
        "{\"version\":1,\"tenant\":\"acme\",\"host\":\"node-7\",\"epoch\":\"20261122T100000Z-9f3a\",\"sequence\":42,"
        "\"previous_sha256\":\"" +
            std::string(64, 'a') +
            "\",\"sealed_at\":\"2026-11-22T10:01:00.000000000Z\",\"sources\":[{\"id\":\"4c01\",\"kind\":\"docker\","
            "\"name\":\"web-1\","
            "\"image\":\"nginx:1.27\",\"reader\":\"json-file\",\"app\":\"shop\",\"tenant_rule\":\"env:BOATSWAIN_"
            "TENANT\",\"labels\":{\"tier\":\"web\"}}],"
            "\"frames\":[{\"source\":0,\"offset\":0,\"bytes\":4,\"text_bytes\":131,\"first_ordinal\":7,\"lines\":1,"
            "\"message_bytes\":5,\"gaps\":0,"
            "\"first\":\"2026-11-22T10:00:00.000000000Z\",\"last\":\"2026-11-22T10:00:00.000000000Z\"}],\"blobs\":[]}");
}

}  // namespace
}  // namespace boatswain::segment
