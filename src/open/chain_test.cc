// The chain stanza: read from the header alone, and held against the footer. Forms that are refused:
// tests/vectors/segment/bad-chain-*.
#include "open/chain.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "open/sealing_for_test.h"
#include "segment/age_writer.h"

namespace boatswain::open {
namespace {

TEST(Chain, IsReadWithoutAKeyFromTheStartOfTheObject) {
    auto parts = empty_parts();
    parts.key.host = "node 7/\xC3\xBC%";
    auto bytes = sealed_bytes(parts, Identity::generate());
    auto chain = chain_in(bytes).value().value();
    EXPECT_EQ(chain, (segment::Chain{parts.key.host, parts.key.epoch, 42, std::string(64, 'a')}));
    auto first = empty_parts();
    first.key.sequence = 1;
    first.previous_sha256.clear();
    EXPECT_EQ(chain_in(sealed_bytes(first, Identity::generate())).value().value().previous_sha256, "");
}

TEST(Chain, IsInTheHeaderOfEverySegmentAndTheReaderTellsIt) {
    auto identity = Identity::generate();
    Object object{sealed_bytes(small_parts(), identity)};
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1}).value();
    ASSERT_TRUE(reader.chain());
    EXPECT_EQ(reader.chain()->sequence, reader.footer().sequence);
    EXPECT_EQ(reader.chain()->previous_sha256, reader.footer().previous_sha256);
}

TEST(Chain, IsNothingInSegmentsThatWereWrittenWithout) {
    auto vector = read_file(Path{BOATSWAIN_VECTORS} / "segment/tiny", 1U << 20).value();
    EXPECT_EQ(chain_in(vector.substr(vector.find("\n\n") + 2)).value(), std::nullopt);
}

TEST(Chain, IsRefusedWhereThereIsNoWholeHeader) {
    auto bytes = sealed_bytes(empty_parts(), Identity::generate());
    EXPECT_FALSE(chain_in(bytes.substr(0, 40)));
    EXPECT_FALSE(chain_in("hello"));
    EXPECT_FALSE(chain_in(""));
}

TEST(Chain, IsNotChangedUnnoticedByWhoHasNoKey) {
    auto identity = Identity::generate();
    Object object{sealed_bytes(empty_parts(), identity)};
    auto at = object.bytes.find(std::string(64, 'a'));
    ASSERT_NE(at, std::string::npos);
    object.bytes[at] = 'b';
    auto reader = SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1});
    ASSERT_FALSE(reader);
    EXPECT_NE(reader.error().what.find("the MAC does not match"), std::string::npos);
}

}  // namespace
}  // namespace boatswain::open
