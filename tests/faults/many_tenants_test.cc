// A thousand tenants with a line each, several times over, sealed while others are uploaded: every line rests in the
// store once, and the sanitizers find nothing. Threads meet here that meet nowhere else so often: the sealing thread
// adds segments while uploaders release them, all in one database.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/directory_for_test.h"
#include "batch/batcher.h"
#include "open/sealing_for_test.h"
#include "ship/shipper.h"
#include "store/directory.h"

namespace boatswain {
namespace {

using namespace std::chrono_literals;

class ManyTenants : public ::testing::Test {
  protected:
    static constexpr int tenants = 1'000;
    static constexpr int rounds = 3;

    static std::string tenant(int number) { return "tenant-" + std::to_string(number); }
    static std::string line(int number, int round) { return tenant(number) + ", line " + std::to_string(round); }

    void open_feeds() {
        for (int i = 0; i < tenants; ++i) {
            Source source{
                .id = "container-of-" + tenant(i),
                .kind = "docker",
                .name = "web",
                .image = "image",
                .reader = "json-file",
                .whose = {.tenant = TenantId::parse(tenant(i)).value(), .app = "app", .tenant_rule = "const"}};
            feeds.push_back(batcher.open_feed(source, {identity.recipient()}, {}, false));
        }
    }
    void print(int round) {
        for (int i = 0; i < tenants; ++i) {
            feeds[i]->append(Line{.time = clock.now(), .bytes = line(i, round)});
            auto read = static_cast<std::uint64_t>(round) + 1;
            feeds[i]->mark(FilePosition{.device = 1, .inode = 2, .fingerprint = 3, .out_offset = read});
        }
        batcher.flush_all();
    }
    std::map<std::string, std::vector<std::string>> stored() {
        std::map<std::string, std::vector<std::string>> lines;
        std::optional<std::string> next;
        do {
            auto page = rest.list("", false, next).value();
            for (const auto& object : page.objects) {
                auto key = segment::parse_object_key(object.key).value();
                auto read = open::read_segment(rest.read(object.key).value(), identity);
                for (const auto& line : read.lines["container-of-" + key.tenant.str()])
                    lines[key.tenant.str()].push_back(line.bytes);
            }
            next = page.next;
        } while (next);
        return lines;
    }

    testing::TestDirectory directory;
    SystemClock clock;
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    open::Identity identity = open::Identity::generate();
    store::DirectoryStore rest{directory / "store"};
    std::unique_ptr<spool::Spool> spool =
        spool::Spool::open({.state_dir = directory / "state", .host = "node-7"}, clock, log, metrics).value();
    batch::MemoryBudget budget{64U << 20};
    batch::Sealing sealing{1, 2, *spool, budget, clock, metrics, log, [] {}};
    batch::Batcher batcher{{.flush_after = 10min}, sealing, *spool, budget, clock, metrics};
    ship::Shipper shipper{{.uploads = 4, .wait_min = 10ms, .wait_max = 200ms}, *spool, rest, clock, metrics, log};
    std::vector<std::unique_ptr<batch::Feed>> feeds;
};

TEST_F(ManyTenants, SealedWhileOthersAreUploadedLoseNothing) {
    open_feeds();
    for (int round = 0; round < rounds; ++round) print(round);
    ASSERT_TRUE(sealing.drain(clock.steady() + 15min));
    ASSERT_TRUE(shipper.drain(clock.steady() + 15min));
    feeds.clear();
    auto found = stored();
    ASSERT_EQ(found.size(), tenants);
    for (int i = 0; i < tenants; ++i) {
        std::vector<std::string> wanted;
        for (int round = 0; round < rounds; ++round) wanted.push_back(line(i, round));
        EXPECT_EQ(found[tenant(i)], wanted);
    }
    EXPECT_EQ(metrics.counter("boatswain_seal_failures_total", "").value(), 0);
    EXPECT_EQ(metrics.counter("boatswain_spool_quarantined_segments_total", "").value(), 0);
}

}  // namespace
}  // namespace boatswain
