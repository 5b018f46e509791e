#include "rollup/rollup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "segment/age_writer.h"
#include "segment/seal.h"

namespace boatswain::rollup {
namespace {

using std::chrono::hours;

const TenantId acme = TenantId::parse("acme").value();
const Timestamp day = parse_time("2026-11-30T00:00:00Z").value();

std::string text_of(int hour) { return to_hex(crypto::sha256(std::to_string(hour))); }

HourParts hour_at(int hour) {
    std::vector<SegmentSummary> summaries;
    for (int i = 0; i < 3; ++i)
        summaries.push_back({.key = "v1/tenant=acme/k" + std::to_string(i),
                             .size = 1'000U + static_cast<unsigned>(i),
                             .header_mac = std::string(32, static_cast<char>('a' + i)),
                             .footer_json = "{}"});
    GramSet slots;
    slots.add(text_of(hour));
    auto filter = filter_of(slots, 10'000);
    auto text = pack_summaries(summaries);
    return {.hour = day + hours{hour},
            .segments = 3,
            .listing = std::string(64, '0'),
            .footers = segment::Compressor{3}.compress(text),
            .footers_text_bytes = text.size(),
            .grams = pack_band(std::span{&filter, 1})};
}

std::string sealed(const std::vector<open::Identity>& identities) {
    return seal_rollup(acme, day, day + hours{30}, std::vector{hour_at(3), hour_at(7)}, identities).value();
}

Result<Rollup> opened(const std::string& object, const std::vector<open::Identity>& identities,
                      const TenantId& tenant = acme, Timestamp of = day) {
    return Rollup::open(
        object.size(),
        [&object](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
            return object.substr(first, length);
        },
        identities, tenant, of);
}

class RollupTest : public ::testing::Test {
  protected:
    std::vector<open::Identity> mine{open::Identity::generate()};
    std::vector<open::Identity> other{open::Identity::generate()};
};

TEST_F(RollupTest, GivesBackWhatWasPutIn) {
    auto object = sealed(mine);
    auto rollup = opened(object, mine).value();
    ASSERT_EQ(rollup.index().size(), 2U);
    const auto& hour = rollup.index().at(day + hours{7});
    auto summaries = rollup.summaries(hour).value();
    ASSERT_EQ(summaries.size(), 3U);
    EXPECT_EQ(summaries[1].key, "v1/tenant=acme/k1");
    EXPECT_EQ(summaries[1].size, 1'001U);
    EXPECT_EQ(summaries[1].header_mac, std::string(32, 'b'));
    auto filters = rollup.filters(hour, 1).value();
    auto there = GramQuery::of(text_of(7)).value(), elsewhere = GramQuery::of(text_of(3)).value();
    EXPECT_TRUE(filters.frame(0).may_hold(there));
    EXPECT_FALSE(filters.frame(0).may_hold(elsewhere));
    EXPECT_TRUE(filters.finish());
}

TEST_F(RollupTest, OpensWithAnyIdentityThatMadeIt) {
    std::vector<open::Identity> both{mine[0], other[0]};
    auto object = sealed(both);
    EXPECT_TRUE(opened(object, mine));
    EXPECT_TRUE(opened(object, other));
}

TEST_F(RollupTest, IsForOthersWithoutOne) {
    auto object = sealed(mine);
    auto refused = opened(object, other);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(open::is_for_others(refused.error()));
}

// A recipient is no secret: whoever can write to the store can seal something to it.
TEST_F(RollupTest, OneThatWasMadeWithoutTheIdentityIsNotBelieved) {
    auto genuine = sealed(other);
    auto age = open::AgeReader::open(
                   genuine.size(),
                   [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
                       return genuine.substr(first, length);
                   },
                   other)
                   .value();
    auto plaintext = age.read(0, age.plaintext_bytes()).value();
    std::vector<crypto::Recipient> victims{mine[0].recipient()};
    auto writer = segment::AgeWriter::begin(victims, plaintext.size()).value();
    // The proof says that it is by the victim's identity, whose public half anybody knows.
    auto at = plaintext.size() - 16 - 64;
    for (std::size_t i = 0; i < 32; ++i) plaintext[at + i] = static_cast<char>(victims[0].public_key()[i]);
    writer.append(plaintext);
    auto forged = writer.finish();
    auto refused = opened(forged, mine);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::quarantine);
    EXPECT_THAT(refused.error().what, ::testing::HasSubstr("not made with an identity"));
}

// Who holds one of two identities could seal again, for the other one alone, what both have proven.
TEST_F(RollupTest, AProofHoldsForOneObject) {
    std::vector<open::Identity> both{mine[0], other[0]};
    auto genuine = sealed(both);
    auto fetch = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        return genuine.substr(first, length);
    };
    auto age = open::AgeReader::open(genuine.size(), fetch, other).value();
    auto plaintext = age.read(0, age.plaintext_bytes()).value();
    std::vector<crypto::Recipient> victims{mine[0].recipient()};
    auto writer = segment::AgeWriter::begin(victims, plaintext.size()).value();
    plaintext[0] = static_cast<char>(plaintext[0] ^ 1);  // in a part, which no hash covers
    writer.append(plaintext);
    auto refused = opened(writer.finish(), mine);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, ::testing::HasSubstr("not made with an identity"));
}

TEST_F(RollupTest, OneOfAnotherTenantOrDayIsNotBelieved) {
    auto object = sealed(mine);
    EXPECT_FALSE(opened(object, mine, TenantId::parse("globex").value()));
    EXPECT_FALSE(opened(object, mine, acme, day + hours{24}));
}

TEST_F(RollupTest, NoChangedByteIsRead) {
    auto object = sealed(mine);
    for (std::size_t at = 0; at < object.size(); ++at) {
        auto changed = object;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        auto rollup = opened(changed, mine);
        if (!rollup) continue;
        bool all_read = true;
        for (const auto& [hour, described] : rollup->index())
            all_read = all_read && rollup->summaries(described) && rollup->filters(described, 1)->next_band();
        EXPECT_FALSE(all_read) << at;
    }
    for (std::size_t size = 0; size < object.size(); size += 7)
        EXPECT_FALSE(opened(object.substr(0, size), mine)) << size;
}

TEST_F(RollupTest, KeysNameTenantAndDay) {
    EXPECT_EQ(rollup_key(acme, day), "v1/tenant=acme/rollup=2026-11-30.age");
    EXPECT_EQ(parse_rollup_key(acme, "v1/tenant=acme/rollup=2026-11-30.age"), day);
    for (auto key : {"v1/tenant=acme/rollup=2026-11-31.age", "v1/tenant=acme/rollup=2026-11-3.age",
                     "v1/tenant=acme/rollup=2026-11-30.agf", "v1/tenant=acm/rollup=2026-11-30.age", ""})
        EXPECT_FALSE(parse_rollup_key(acme, key)) << key;
}

TEST(Index, RefusesWhatDoesNotFit) {
    auto with = [](const std::string& hour) {
        return R"({"version":2,"tenant":"acme","day":"2026-11-30","hours":[)" + hour + "]}";
    };
    auto part = [](std::uint64_t offset, std::uint64_t bytes) {
        return R"({"offset":)" + std::to_string(offset) + R"(,"bytes":)" + std::to_string(bytes) +
               R"(,"text_bytes":7})";
    };
    auto hour = [&](const std::string& time, const std::string& footers) {
        return R"({"hour":")" + time + R"(","segments":1,"listing":"","footers":)" + footers + "}";
    };
    auto sound = hour("2026-11-30T10:00:00Z", part(90, 10));
    auto too_long = sound;
    too_long.replace(too_long.find("7}"), 1, std::to_string(footers_text_bytes_max + 1));
    EXPECT_FALSE(parse_index(with(too_long), acme, day, 100));
    EXPECT_TRUE(parse_index(with(sound), acme, day, 100));
    for (const auto& wrong :
         {with(hour("2026-11-30T10:00:00Z", part(91, 10))), with(hour("2026-11-30T10:00:00Z", part(UINT64_MAX, 10))),
          with(hour("2026-11-30T10:00:01Z", part(0, 1))), with(hour("2026-12-01T00:00:00Z", part(0, 1))),
          with(sound + "," + sound), with(R"({"hour":"2026-11-30T10:00:00Z"})"), with("7"),
          std::string{R"({"version":3,"tenant":"acme","day":"2026-11-30","hours":[]})"}, std::string{"[]"},
          std::string{"{"}})
        EXPECT_FALSE(parse_index(wrong, acme, day, 100)) << wrong;
}

TEST(Summaries, RefuseWhatIsCutShortOrOutOfOrder) {
    SegmentSummary one{.key = "b", .size = 1, .header_mac = std::string(32, 'm'), .footer_json = "{}"};
    auto packed = pack_summaries(std::span{&one, 1});
    EXPECT_EQ(parse_summaries(packed)->size(), 1U);
    EXPECT_TRUE(parse_summaries("")->empty());
    for (std::size_t size = 1; size < packed.size(); ++size)
        EXPECT_FALSE(parse_summaries(packed.substr(0, size))) << size;
    EXPECT_FALSE(parse_summaries(packed + packed)) << "a key that stands twice";
}

}  // namespace
}  // namespace boatswain::rollup
