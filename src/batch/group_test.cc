// Batches that wait while the disk takes nothing are sealed as a group afterwards: whose each line is, the order of a
// tenant's segments and what is said of lost lines stay what they are one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "base/bytes.h"
#include "batch/rig_for_test.h"
#include "crypto/digest.h"
#include "open/sealing_for_test.h"

namespace boatswain::batch {
namespace {

using batch::testing::Rig;
using batch::testing::source;
using ::testing::ElementsAre;

class SealedGroup : public ::testing::Test {
  protected:
    std::unique_ptr<Feed> feed(const std::string& tenant, bool sealable = true) {
        std::vector<crypto::Recipient> recipients;
        if (sealable) recipients.push_back(identity.recipient());
        return rig.batcher->open_feed(source("of " + tenant, tenant), recipients, {}, false);
    }
    // In a batch of its own.
    void print(Feed& feed, const std::string& line) {
        feed.append(Line{.time = rig.clock.now(), .bytes = line});
        feed.mark(FilePosition{.device = 1, .out_offset = ++printed});
        rig.batcher->flush_all();
    }
    // Without its directory the spool takes nothing: what comes now waits behind the first.
    void hold_up() {
        std::filesystem::rename(spool_files, aside);
        first = feed("first");
        print(*first, "held up");
        while (rig.metrics.counter("boatswain_seal_failures_total", "").value() < 1) std::this_thread::yield();
    }
    void go_on() {
        std::filesystem::rename(aside, spool_files);
        ASSERT_TRUE(rig.drain());
    }
    std::map<std::string, std::vector<std::string>> stored() {
        std::map<std::string, std::vector<std::string>> lines;
        std::map<std::string, std::string> previous;
        for (const auto& object : rig.take_all()) {
            auto tenant = object.key.tenant.str();
            auto segment = open::read_segment(object.bytes, identity);
            EXPECT_EQ(segment.footer.previous_sha256, previous[tenant]) << object.key.str();
            crypto::Sha256 hash;
            hash.update(object.bytes);
            previous[tenant] = to_hex(hash.finish());
            for (const auto& line : segment.lines["of " + tenant]) lines[tenant].push_back(open::shown(line));
        }
        return lines;
    }

    open::Identity identity = open::Identity::generate();
    Rig rig;
    Path spool_files = rig.directory / "state" / "spool";
    Path aside = rig.directory / "aside";
    std::unique_ptr<Feed> first;
    std::uint64_t printed = 0;
};

TEST_F(SealedGroup, KeepsEachTenantsLinesAndTheOrderOfItsChain) {
    hold_up();
    std::vector<std::unique_ptr<Feed>> feeds;
    for (const auto* tenant : {"acme", "globex", "hooli"}) feeds.push_back(feed(tenant));
    for (const auto* line : {"one", "two", "three"})
        for (auto& feed : feeds) print(*feed, line);
    go_on();
    auto lines = stored();
    for (const auto* tenant : {"acme", "globex", "hooli"})
        EXPECT_THAT(lines[tenant], ElementsAre("one", "two", "three"));
    EXPECT_THAT(lines["first"], ElementsAre("held up"));
}

TEST_F(SealedGroup, IsCutWhereItIsLargeAndAllOfItIsSealed) {
    hold_up();
    std::vector<std::unique_ptr<Feed>> feeds;
    constexpr std::size_t tenants = group_batches_max + 10;
    for (std::size_t i = 0; i < tenants; ++i) feeds.push_back(feed("tenant-" + std::to_string(i)));
    for (auto& feed : feeds) print(*feed, "line");
    go_on();
    EXPECT_EQ(stored().size(), tenants + 1);
}

TEST_F(SealedGroup, NamesOnceWhatWasLostInIt) {
    hold_up();
    auto lost = feed("acme", false);
    print(*lost, "lost");
    auto next = feed("acme");
    lost->hand_over(*next);
    print(*next, "kept");
    print(*next, "kept too");
    go_on();
    EXPECT_THAT(stored()["acme"], ElementsAre("gap:unsealed", "kept", "kept too"));
    lost.reset();
}

// What stops together: each source's end is noted, in the same go as the lines of others.
TEST_F(SealedGroup, NotesBeginningsAndEndsOfSourcesWithoutLines) {
    hold_up();
    auto quiet = feed("quiet"), busy = feed("busy");
    rig.batcher->note_begun(*quiet, FilePosition{.device = 1, .fingerprint = 2}, rig.clock.now());
    print(*busy, "line");
    go_on();
    quiet.reset();
    busy.reset();
    first.reset();
    rig.restart();
    EXPECT_EQ(rig.spool->known_sources().value().size(), 3U);
    EXPECT_EQ(rig.spool->checkpoint("of quiet").value().lines, 0U);
}

}  // namespace
}  // namespace boatswain::batch
