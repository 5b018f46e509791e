// The spool is killed at any moment, a hundred times over, and opened again: what it says it holds, it holds.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

constexpr auto tenants = {"acme", "globex", "hooli"};

std::unique_ptr<Spool> open(const Path& state, const Clock& clock, Log& log, Metrics& metrics) {
    return std::move(Spool::open({.state_dir = state, .host = "node-7"}, clock, log, metrics).value());
}

// Adds and releases until killed. The checkpoint of each tenant's one source counts its segments.
[[noreturn]] void work_until_killed(const Path& state, unsigned seed) {
    SystemClock clock;
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    auto spool = open(state, clock, log, metrics);
    std::mt19937 random{seed};
    std::jthread shipper{[&](std::stop_token stop) {
        while (auto segment = spool->take(stop)) (void)spool->release(*segment);
    }};
    for (;;) {
        auto tenant = std::data(tenants)[random() % tenants.size()];
        auto segment = next_segment(*spool, tenant, 1 + random() % 200'000);
        auto number = segment.key.sequence;
        (void)spool->add(segment, {{std::string{"source of "} + tenant, {FilePosition{.out_offset = number}, number}}});
    }
}

// What must hold after any crash.
void check(const Path& state, Spool& spool, std::map<std::string, std::uint64_t>& chains) {
    // Every row has its file, whole, and every file its row.
    std::map<std::string, std::uint64_t> last_waiting;
    std::size_t files = 0;
    for (const auto& name : boatswain::testing::names_in(state / "spool")) {
        if (name == "quarantine") continue;
        ASSERT_TRUE(name.ends_with(".age")) << "a stray stayed: " << name;
        ++files;
    }
    ASSERT_EQ(files, spool.count());
    ASSERT_TRUE(boatswain::testing::names_in(state / "spool/quarantine").empty());
    std::stop_source stop;
    while (spool.count() > 0) {
        auto segment = *spool.take(stop.get_token());
        auto bytes = boatswain::testing::contents(segment.file);
        unsigned char digest[SHA256_DIGEST_LENGTH];
        ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
        ASSERT_EQ(to_hex({reinterpret_cast<const char*>(digest), sizeof digest}), to_hex(segment.sha256))
            << segment.key;
        auto key = segment::parse_object_key(segment.key);
        ASSERT_TRUE(key);
        auto& last = last_waiting[segment.tenant];
        ASSERT_TRUE(last == 0 || key->sequence == last + 1) << segment.key << " after " << last;
        last = key->sequence;
        ASSERT_TRUE(spool.release(segment));
    }
    for (const auto* tenant : tenants) {
        auto head = *spool.chain_head(TenantId::parse(tenant).value());
        if (last_waiting.contains(tenant)) {
            ASSERT_EQ(head.sequence, last_waiting[tenant] + 1) << "the chain ends with the last segment";
        }
        auto checkpoint = spool.checkpoint(std::string{"source of "} + tenant).value_or(Checkpoint{});
        ASSERT_EQ(checkpoint.lines + 1, head.sequence) << "segment and position are durable together";
        ASSERT_GE(head.sequence, chains[tenant]) << "what was there once stays";
        chains[tenant] = head.sequence;
    }
}

TEST(SpoolCrash, KeepsItsInvariantsOverAHundredKills) {
    boatswain::testing::TestDirectory directory;
    auto state = directory / "state";
    constexpr unsigned seed = 11;
    std::mt19937 random{seed};
    std::map<std::string, std::uint64_t> chains;
    SystemClock clock;
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    for (unsigned round = 0; round < 100; ++round) {
        auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) work_until_killed(state, seed + round);
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 100'000});
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "round " << round << ": it ended by itself";
        auto spool = open(state, clock, log, metrics);
        check(state, *spool, chains);
        if (HasFatalFailure()) FAIL() << "seed " << seed << ", round " << round;
    }
    EXPECT_GT(chains["acme"] + chains["globex"] + chains["hooli"], 0U) << "work was done between kills";
    EXPECT_EQ(metrics.counter("boatswain_spool_missing_segments_total", "").value(), 0);
}

}  // namespace
}  // namespace boatswain::spool
