// What an agent sends of a stream, and what it must not.
#include "hub/stream_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sealing_cipher.h"
#include "live/proof.h"
#include "segment/age_writer.h"

namespace boatswain::hub {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class StreamReaderTest : public ::testing::Test {
  protected:
    std::string part(const open::Identity& who) {
        std::vector<crypto::Recipient> recipients{who.recipient()};
        auto writer = segment::AgeWriter::begin(recipients, secret.size());
        EXPECT_TRUE(writer);
        writer->append(secret);
        return writer->finish();
    }
    std::string sealed(const std::string& record, std::uint64_t counter, std::string_view nonce = "nonce") {
        auto key = live::part_key(secret, nonce, acme, "node", "epoch");
        return crypto::SealingCipher{}.seal(key, live::record_nonce(counter), record);
    }
    static std::string lines(std::uint32_t source, std::uint64_t first, std::string_view text) {
        std::string record;
        live::append_item(record, live::LinesItem{.source = source, .first_ordinal = first, .text = text});
        return record;
    }
    static std::string with_source() {
        std::string record;
        live::append_item(record, Source{.id = "c1", .name = "web"});
        return record;
    }

    TenantId acme = TenantId::parse("acme").value();
    std::string secret = std::string(live::part_secret_bytes, 's');
    std::vector<open::Identity> identities{open::Identity::generate()};
    StreamReader reader{{.tenant = acme, .host = "node", .epoch = "epoch", .hub_nonce = "nonce"}, identities};
};

TEST_F(StreamReaderTest, GivesLinesOfSourcesThatWereNamed) {
    ASSERT_TRUE(reader.begin_part(0, part(identities[0])));
    auto read = reader.read(0, sealed(with_source() + lines(0, 5, "text\n"), 0));
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_THAT(*read, SizeIs(1));
    EXPECT_EQ((*read)[0]->first_ordinal, 5U);
    EXPECT_EQ((*read)[0]->source->source.whose.tenant, acme) << "whoever the record says";
    EXPECT_TRUE((*read)[0]->text.ends_with("text\n"));
}

TEST_F(StreamReaderTest, RefusesRecordsThatAreAlteredRepeatedLeftOutOrFromElsewhere) {
    ASSERT_TRUE(reader.begin_part(0, part(identities[0])));
    auto first = sealed(with_source(), 0);
    ASSERT_TRUE(reader.read(0, first));
    auto fresh = [&] {
        StreamReader other{{.tenant = acme, .host = "node", .epoch = "epoch", .hub_nonce = "nonce"}, identities};
        EXPECT_TRUE(other.begin_part(0, part(identities[0])));
        return other;
    };
    EXPECT_FALSE(reader.read(0, first)) << "repeated";
    EXPECT_FALSE(fresh().read(0, sealed(with_source(), 1))) << "the one before was left out";
    EXPECT_FALSE(fresh().read(0, sealed(with_source(), 0, "another"))) << "of another connection";
    auto altered = first;
    altered[3] ^= 1;
    EXPECT_FALSE(fresh().read(0, altered));
    EXPECT_FALSE(fresh().read(0, "short"));
    EXPECT_FALSE(fresh().read(1, first)) << "a part that did not begin";
    EXPECT_FALSE(fresh().read(0, sealed(lines(0, 0, "x"), 0))) << "a source that was not named";
}

TEST_F(StreamReaderTest, PassesOverPartsForOthersAndRefusesBrokenOnes) {
    auto stranger = open::Identity::generate();
    ASSERT_TRUE(reader.begin_part(0, part(stranger)));
    EXPECT_EQ(reader.parts_for_others(), 1U);
    EXPECT_THAT(reader.read(0, "whatever").value(), IsEmpty());
    EXPECT_FALSE(reader.begin_part(0, part(identities[0]))) << "twice";
    EXPECT_FALSE(reader.begin_part(1, "no age file"));
    secret += "longer";
    EXPECT_FALSE(reader.begin_part(2, part(identities[0])));
}

}  // namespace
}  // namespace boatswain::hub
