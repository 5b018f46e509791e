#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "crypto/random.h"
#include "open/age_reader.h"
#include "open/sealing_for_test.h"
#include "open/text.h"
#include "segment/age_format.h"
#include "segment/age_writer.h"

namespace boatswain::open {
namespace {

// Opens `object` and reads all that its footer speaks of.
Result<std::string> read_all(std::string bytes, std::span<const Identity> identities) {
    Object object{std::move(bytes)};
    TRY(auto reader, SegmentReader::open(object.bytes.size(), object.fetch(), identities));
    std::string text;
    for (std::size_t i = 0; i < reader.footer().frames.size(); ++i) {
        TRY(auto frame, reader.frame_text(i));
        text += frame;
    }
    return text;
}

TEST(SegmentReader, GivesBackWhatWasSealed) {
    auto identity = Identity::generate();
    auto parts = small_parts();
    Object object{sealed_bytes(parts, identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_TRUE(reader) << reader.error().what;
    const auto& footer = reader->footer();
    EXPECT_EQ(footer.tenant, "acme");
    EXPECT_EQ(footer.host, "node-7");
    EXPECT_EQ(footer.epoch, parts.key.epoch);
    EXPECT_EQ(footer.sequence, 42U);
    EXPECT_EQ(footer.previous_sha256, std::string(64, 'a'));
    EXPECT_EQ(footer.sealed_at, parts.sealed_at);
    EXPECT_EQ(footer.sources, parts.sources);
    ASSERT_EQ(footer.frames.size(), 3U);
    EXPECT_EQ(footer.frames[1].counts.gaps, 1U);
    EXPECT_EQ(footer.frames[2].first_ordinal, 20U);
    for (std::size_t i = 0; i < 3; ++i) {
        auto text = reader->frame_text(i);
        ASSERT_TRUE(text) << text.error().what;
        auto counts = count_text(*text);
        ASSERT_TRUE(counts) << counts.error().what;
        EXPECT_EQ(counts->lines, footer.frames[i].counts.lines);
        EXPECT_EQ(counts->message_bytes, footer.frames[i].counts.message_bytes);
        EXPECT_EQ(counts->gaps, footer.frames[i].counts.gaps);
        EXPECT_EQ(counts->first_time, footer.frames[i].counts.first_time);
        EXPECT_EQ(counts->last_time, footer.frames[i].counts.last_time);
    }
}

TEST(SegmentReader, KeepsEverySourceAndMessageByteOverSealingAndOpening) {
    auto identity = Identity::generate();
    auto parts = empty_parts();
    parts.sources = {source_named("4c01")};
    segment::FrameText text{parts.sources[0]};
    std::string every_byte;
    for (int i = 0; i < 256; ++i)
        if (i != '\n') every_byte += static_cast<char>(i);
    std::vector<std::string> messages{every_byte, "", "# not a heading", "# gap {}",
                                      std::string(segment::age_chunk_bytes * 3, 'x')};
    for (const auto& message : messages) text.append({.time = at("2026-11-22T10:00:00Z"), .bytes = message});
    add_frame(parts, 0, text);
    Object object{sealed_bytes(parts, identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_TRUE(reader) << reader.error().what;
    auto opened = reader->frame_text(0);
    ASSERT_TRUE(opened) << opened.error().what;
    std::vector<std::string> found;
    ASSERT_TRUE(for_each_entry(*opened, [&](const TextEntry& entry) {
        if (entry.kind == TextEntry::Kind::line) found.emplace_back(entry.line.bytes);
        return true;
    }));
    EXPECT_EQ(found, messages);
}

TEST(SegmentReader, OpensASegmentWithoutLines) {
    auto identity = Identity::generate();
    auto text = read_all(sealed_bytes(empty_parts(), identity), std::span{&identity, 1});
    ASSERT_TRUE(text) << text.error().what;
    EXPECT_EQ(*text, "");
}

TEST(SegmentReader, KeepsWhoseLinesAreThatBelongToATenantWithoutAKey) {
    auto identity = Identity::generate();
    auto parts = small_parts();
    parts.key.tenant = TenantId::unassigned();
    Object object{sealed_bytes(parts, identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_TRUE(reader) << reader.error().what;
    EXPECT_EQ(reader->footer().tenant, "_unassigned");
    EXPECT_EQ(reader->footer().sources, parts.sources);
}

TEST(SegmentReader, SaysThatNoIdentityFits) {
    auto identity = Identity::generate();
    std::vector<Identity> others{Identity::generate(), Identity::generate()};
    auto bytes = sealed_bytes(small_parts(), identity);
    auto text = read_all(bytes, others);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().remedy, Remedy::stop);
    EXPECT_EQ(text.error().what, "no identity given opens this object");
    others.push_back(identity);
    EXPECT_TRUE(read_all(bytes, others));
}

TEST(SegmentReader, FetchesTheHeaderTheTailAndThenOnlyTheChunksOfAFrame) {
    auto identity = Identity::generate();
    auto parts = empty_parts();
    parts.sources = {source_named("4c01")};
    std::string noise(300'000, '\0');  // does not compress, so that frames span chunks
    for (int i = 0; i < 4; ++i) {
        crypto::random_bytes(noise.data(), noise.size());
        std::ranges::replace(noise, '\n', ' ');
        segment::FrameText text{parts.sources[0]};
        text.append({.time = at("2026-11-22T10:00:00Z"), .bytes = noise});
        add_frame(parts, 0, text);
    }
    Object object{sealed_bytes(parts, identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_TRUE(reader) << reader.error().what;
    ASSERT_EQ(object.fetched.size(), 2U);
    EXPECT_EQ(object.fetched[0], (std::pair<std::uint64_t, std::uint64_t>{0, 4096}));
    EXPECT_EQ(object.fetched[1].first + object.fetched[1].second, object.bytes.size());
    EXPECT_LE(object.fetched[1].second, 2 * segment::age_sealed_chunk_bytes);

    ASSERT_TRUE(reader->frame_text(1));
    ASSERT_EQ(object.fetched.size(), 3U);
    const auto& frame = reader->footer().frames[1];
    auto chunks = (frame.offset + frame.compressed_bytes - 1) / segment::age_chunk_bytes -
                  frame.offset / segment::age_chunk_bytes + 1;
    EXPECT_EQ(object.fetched[2].second, chunks * segment::age_sealed_chunk_bytes);
}

TEST(SegmentReader, RefusesEveryTruncation) {
    auto identity = Identity::generate();
    auto bytes = sealed_bytes(small_parts(), identity);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        auto text = read_all(bytes.substr(0, size), std::span{&identity, 1});
        ASSERT_FALSE(text) << "cut to " << size << " of " << bytes.size();
        EXPECT_EQ(text.error().remedy, Remedy::quarantine) << text.error().what;
    }
    EXPECT_FALSE(read_all(bytes + "x", std::span{&identity, 1}));
    EXPECT_FALSE(read_all(bytes + std::string(16, '\0'), std::span{&identity, 1}));
}

TEST(SegmentReader, DetectsEveryFlippedBit) {
    auto identity = Identity::generate();
    auto bytes = sealed_bytes(small_parts(), identity);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int bit : {0, 5, 7}) {
            auto changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
            EXPECT_FALSE(read_all(changed, std::span{&identity, 1})) << "byte " << i << " bit " << bit;
        }
    }
}

TEST(SegmentReader, RefusesAnAgeFileThatIsNoSegment) {
    auto identity = Identity::generate();
    auto recipient = identity.recipient();
    for (std::string plaintext : {std::string{}, std::string{"just text"}, std::string(100'000, 'x')}) {
        auto writer = segment::AgeWriter::begin(std::span{&recipient, 1}, plaintext.size()).value();
        writer.append(plaintext);
        auto text = read_all(writer.finish(), std::span{&identity, 1});
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().remedy, Remedy::quarantine);
        EXPECT_TRUE(text.error().what.starts_with("footer: ")) << text.error().what;
    }
}

TEST(SegmentReader, PassesOnWhatFetchingSays) {
    auto identity = Identity::generate();
    FetchRange broken = [](std::uint64_t, std::uint64_t) -> Result<std::string> {
        return fail(Remedy::back_off, "503");
    };
    EXPECT_EQ(SegmentReader::open(10'000, broken, std::span{&identity, 1}).error().remedy, Remedy::back_off);
    FetchRange lying = [](std::uint64_t, std::uint64_t) -> Result<std::string> { return "short"; };
    EXPECT_EQ(SegmentReader::open(10'000, lying, std::span{&identity, 1}).error().remedy, Remedy::retry);
}

}  // namespace
}  // namespace boatswain::open
