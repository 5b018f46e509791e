// Keys that are taken: by an attacker, by the agent itself after its state went back, by a copy of it. Everything from
// the batcher to the store and back to the reader is what the daemon and the tool have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "batch/batcher.h"
#include "crypto/digest.h"
#include "jumping_clock.h"
#include "open/identity.h"
#include "query/merge.h"
#include "query/verify.h"
#include "ship/shipper.h"
#include "store/directory.h"
#include "store/faulty.h"

namespace boatswain {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What credentials with s3:PutObject alone see of a store; and one that takes no object of a number.
class GuardedStore final : public store::Store {
  public:
    explicit GuardedStore(store::Store& under) : under_(under) {}

    std::atomic<bool> write_only = false;
    std::atomic<std::uint64_t> refused_number = 0;

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        if (refused_number != 0 && segment::parse_object_key(key)->sequence == refused_number)
            return fail(Remedy::quarantine, "413 EntityTooLarge");
        auto outcome = under_.put(key, bytes, sha256);
        if (write_only && outcome && *outcome != store::PutOutcome::created) return store::PutOutcome::unseen;
        return outcome;
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        return under_.replace(key, bytes, sha256);
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        if (write_only) return denied();
        return under_.read(key, range);
    }
    Result<std::string> read(std::string_view key) override {
        if (write_only) return denied();
        return under_.read(key);
    }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        if (write_only) return denied();
        return under_.list(prefix, delimited, next);
    }
    Result<void> probe() override { return under_.probe(); }
    std::string describe() const override { return under_.describe(); }

  private:
    static std::unexpected<Error> denied() { return fail(Remedy::stop, "403 AccessDenied"); }
    store::Store& under_;
};

// A container's log, which outlives agents.
using ContainerLog = std::vector<std::string>;

// An agent with one source: its state directory and its threads.
class Agent {
  public:
    Agent(Path state, ContainerLog& log_of_container, store::Store& store, const Clock& clock,
          const open::Identity& identity)
        : state_(std::move(state)), printed_(log_of_container), store_(store), clock_(clock), identity_(identity) {
        start();
    }
    ~Agent() { stop(); }

    void start() {
        spool = std::move(spool::Spool::open({.state_dir = state_, .host = "node-7"}, clock_, log_, metrics).value());
        sealing_.emplace(1, 1, *spool, budget_, clock_, metrics, log_, [] {});
        batcher_.emplace(batch::Options{.flush_after = 10min}, *sealing_, *spool, budget_, clock_, metrics);
        shipper.emplace(ship::Options{.uploads = 2, .wait_min = 2ms, .wait_max = 20ms}, *spool, store_, clock_, metrics,
                        log_);
        Source source{.id = "web-id",
                      .kind = "docker",
                      .name = "web",
                      .image = "image",
                      .reader = "json-file",
                      .whose = {.tenant = TenantId::parse("acme").value(), .app = "app", .tenant_rule = "const"}};
        auto from = spool->checkpoint("web-id").value_or(Checkpoint{});
        read_ = from.lines;
        feed_ = batcher_->open_feed(source, {identity_.recipient()}, from, false);
    }
    void stop() {
        feed_.reset();
        shipper.reset();
        batcher_.reset();
        sealing_.reset();
        spool.reset();
    }

    void print(const std::string& line) { printed_.push_back(line); }
    // Reads what is printed, and seals it as one segment.
    void seal() {
        for (; read_ < printed_.size(); ++read_) feed_->append(Line{.time = clock_.now(), .bytes = printed_[read_]});
        feed_->mark(FilePosition{.device = 1, .inode = 2, .fingerprint = 3, .out_offset = read_, .err_offset = read_});
        batcher_->flush_all();
        EXPECT_TRUE(sealing_->drain(clock_.steady() + 60s));
    }
    void ship() { EXPECT_TRUE(shipper->drain(clock_.steady() + 60s)); }
    void print_and_ship(const std::string& line) {
        print(line);
        seal();
        ship();
    }

    Metrics metrics;
    std::unique_ptr<spool::Spool> spool;
    std::optional<ship::Shipper> shipper;

  private:
    Path state_;
    ContainerLog& printed_;
    store::Store& store_;
    const Clock& clock_;
    const open::Identity& identity_;
    Log log_{clock_, -1, LogFormat::text, LogLevel::error};
    batch::MemoryBudget budget_{8U << 20};
    std::optional<batch::Sealing> sealing_;
    std::optional<batch::Batcher> batcher_;
    std::uint64_t read_ = 0;
    std::unique_ptr<batch::Feed> feed_;
};

class TakenKey : public ::testing::Test {
  protected:
    // Ten past an hour: no test passes the end of one by chance.
    TakenKey() {
        auto now = clock.now();
        clock.jump(std::chrono::ceil<std::chrono::hours>(now) + 10min - now);
    }
    // How often each line is shown by `boatswain logs`; gaps as "gap REASON".
    std::map<std::string, int> shown() {
        struct Nobody final : query::Observer {
            void damaged(const Error& error) override { ADD_FAILURE() << error.what; }
        } nobody;
        std::map<std::string, int> lines;
        std::vector<open::Identity> identities{identity};
        query::Budget budget;
        auto tally =
            query::read_lines(rest, identities, {}, {.budget = budget}, nobody, [&](const query::Entry& entry) {
                bool gap = entry.text.kind == open::TextEntry::Kind::gap;
                ++lines[gap ? "gap " + entry.text.gap.reason : std::string{entry.text.line.bytes}];
                return true;
            });
        EXPECT_TRUE(tally);
        return lines;
    }
    query::Verification verified() {
        std::vector<open::Identity> identities{identity};
        query::Budget budget;
        return query::verify_store(rest, identities, {}, budget, [](std::uint64_t, std::uint64_t) {}).value();
    }
    std::vector<std::string> problems() {
        std::vector<std::string> found;
        for (const auto& problem : verified().findings.problems)
            found.push_back(std::string{query::to_string(problem.fault)} + ": " + problem.what);
        return found;
    }
    std::vector<std::string> keys() {
        std::vector<std::string> found;
        EXPECT_TRUE(
            store::for_each_object(rest, "", [&](const auto& object) { return found.push_back(object.key), true; }));
        return found;
    }
    void expect_each_once(const ContainerLog& lines) {
        auto there = shown();
        for (const auto& line : lines) EXPECT_EQ(there[line], 1) << line;
    }
    void expect_each(const ContainerLog& lines) {
        auto there = shown();
        for (const auto& line : lines) EXPECT_GE(there[line], 1) << line;
    }

    // Puts `count` forged objects behind the last one in the store, linked to it by its hash, which is public.
    void forge_behind(std::size_t count, Nanoseconds later = {}) {
        auto last = segment::parse_object_key(keys().back()).value();
        auto previous = to_hex(crypto::sha256(rest.read(last.str()).value()));
        last.hash.clear();
        for (std::size_t i = 0; i < count; ++i) {
            ++last.sequence;
            last.hour = std::chrono::floor<std::chrono::hours>(clock.now() + later);
            Source who{.id = "web-id",
                       .kind = "docker",
                       .name = "web",
                       .reader = "json-file",
                       .whose = {.tenant = last.tenant}};
            segment::FrameText text{who};
            text.append(Line{.time = clock.now(), .bytes = "FORGED " + std::to_string(last.sequence)});
            segment::SegmentParts parts{
                .key = last, .sealed_at = clock.now(), .previous_sha256 = previous, .sources = {who}};
            parts.frames.push_back({.source = 0,
                                    .compressed = segment::Compressor{1}.compress(text.text()),
                                    .text_bytes = text.text().size(),
                                    .first_ordinal = last.sequence - 1,
                                    .counts = text.counts()});
            std::vector<crypto::Recipient> recipients{identity.recipient()};
            auto sealed = segment::seal(std::move(parts), recipients).value();
            previous = to_hex(sealed.sha256);
            ASSERT_TRUE(rest.put(last.str(), sealed.bytes, sealed.sha256));
        }
    }

    testing::TestDirectory directory;
    testing::JumpingClock clock;
    open::Identity identity = open::Identity::generate();
    store::DirectoryStore rest{directory / "store"};
    store::FaultyStore faulty{rest};
    GuardedStore guarded{faulty};
    ContainerLog log;
    Path state = directory / "state";
};

// The attack that was run against 57b6485: `whole`, exit 0, and the forged lines in place of the real ones.
TEST_F(TakenKey, AnAttackerWhoIsAheadOfTheChainHidesNoLine) {
    Agent agent{state, log, guarded, clock, identity};
    agent.print_and_ship("real 1");
    auto epoch = agent.spool->epoch();
    forge_behind(10);
    for (int i = 2; i <= 6; ++i) agent.print_and_ship("real " + std::to_string(i));

    expect_each_once(log);
    EXPECT_EQ(shown()["gap key-taken"], 1);
    EXPECT_THAT(problems(), Contains(HasSubstr("conflict: ")));
    EXPECT_FALSE(verified().proven());
    EXPECT_NE(agent.spool->epoch(), epoch);
    ASSERT_EQ(agent.spool->conflicts().size(), 1U);
    EXPECT_EQ(agent.spool->conflicts()[0].tenant, "acme");
    EXPECT_EQ(agent.metrics.counter("boatswain_key_conflicts_total", "").value(), 1);
}

TEST_F(TakenKey, AnAttackerWhoFollowsEveryEpochHidesNoLine) {
    Agent agent{state, log, guarded, clock, identity};
    for (int i = 1; i <= 12; ++i) {
        agent.print_and_ship("real " + std::to_string(i));
        forge_behind(2);
    }
    expect_each_once(log);
    EXPECT_FALSE(verified().proven());
    EXPECT_LE(agent.metrics.counter("boatswain_epochs_begun_total", "").value(), 2) << "one a minute";
}

TEST_F(TakenKey, WhatWaitsBehindATakenKeyIsStoredToo) {
    Agent agent{state, log, guarded, clock, identity};
    agent.print_and_ship("real 1");
    forge_behind(4);
    agent.shipper.reset();
    for (int i = 2; i <= 4; ++i) {
        agent.print("real " + std::to_string(i));
        agent.seal();
    }
    agent.stop();
    agent.start();
    agent.ship();
    agent.print_and_ship("real 5");
    expect_each_once(log);
    EXPECT_EQ(agent.metrics.counter("boatswain_epochs_begun_total", "").value(), 1);
}

// A virtual machine is set back to its snapshot: three segments that the store has are unknown to the state.
TEST_F(TakenKey, AStateThatWentBackLosesNoLine) {
    for (auto away : {0h, 5h, 72h}) {
        SCOPED_TRACE(away.count());
        std::filesystem::remove_all(directory.path() / "state");
        std::filesystem::remove_all(directory.path() / "store");
        log.clear();
        Agent agent{state, log, guarded, clock, identity};
        agent.print_and_ship("before");
        agent.stop();
        std::filesystem::copy(state, directory / "snapshot", std::filesystem::copy_options::recursive);
        agent.start();
        for (int i = 1; i <= 3; ++i) agent.print_and_ship("after the snapshot " + std::to_string(i));
        agent.stop();
        std::filesystem::remove_all(state);
        std::filesystem::rename(directory / "snapshot", state);
        clock.jump(away);

        auto conflicts = agent.metrics.counter("boatswain_key_conflicts_total", "").value();
        agent.start();
        auto epoch = agent.spool->epoch();
        log.resize(1);  // the machine's disk went back as well, and with it the container's log
        agent.print_and_ship("restored 1");
        agent.print_and_ship("restored 2");
        expect_each_once({"before", "after the snapshot 1", "after the snapshot 2", "after the snapshot 3",
                          "restored 1", "restored 2"});
        EXPECT_EQ(shown()["gap key-taken"], 1);
        EXPECT_NE(agent.spool->epoch(), epoch);
        EXPECT_EQ(agent.metrics.counter("boatswain_key_conflicts_total", "").value(), conflicts + 1);
        EXPECT_THAT(problems(), Contains(HasSubstr("conflict: ")));
        EXPECT_THAT(problems(), Not(Contains(HasSubstr("repeated: "))));
        EXPECT_EQ(agent.spool->conflicts().size(), 1U) << "/readyz says it";
    }
}

TEST_F(TakenKey, TwoAgentsWithOneStateLoseNoLineAndPart) {
    Agent agent{state, log, guarded, clock, identity};
    agent.print_and_ship("before");
    agent.stop();
    std::filesystem::copy(state, directory / "copy", std::filesystem::copy_options::recursive);
    ContainerLog copied = log;
    agent.start();
    Agent clone{directory / "copy", copied, guarded, clock, identity};
    for (int i = 1; i <= 4; ++i) {
        agent.print_and_ship("original " + std::to_string(i));
        clone.print_and_ship("clone " + std::to_string(i));
    }
    expect_each_once(log);
    expect_each_once(copied);
    EXPECT_NE(agent.spool->epoch(), clone.spool->epoch());
    EXPECT_FALSE(verified().proven());
}

TEST_F(TakenKey, AHealthyRestartLooksAndFindsNothing) {
    Agent agent{state, log, guarded, clock, identity};
    auto epoch = agent.spool->epoch();
    for (int i = 1; i <= 3; ++i) {
        agent.print_and_ship("line " + std::to_string(i));
        agent.print("waits " + std::to_string(i));
        agent.shipper.reset();
        agent.seal();
        agent.stop();
        clock.jump(50min);
        agent.start();
        agent.ship();
    }
    expect_each_once(log);
    EXPECT_TRUE(verified().proven());
    EXPECT_EQ(agent.spool->epoch(), epoch);
    EXPECT_THAT(agent.spool->conflicts(), IsEmpty());
    EXPECT_GT(faulty.calls(store::Operation::list), 0U);
    EXPECT_LT(faulty.calls(store::Operation::list), 12U) << "one or two for each start";
}

TEST_F(TakenKey, WritingAloneIsEnough) {
    guarded.write_only = true;
    Agent agent{state, log, guarded, clock, identity};
    for (int i = 1; i <= 8; ++i) {
        // The answer to each put but a few is lost; each is put again.
        if (i % 3 != 0)
            faulty.on_call(store::Operation::put, faulty.calls(store::Operation::put) + 1,
                           {.when = store::Fault::When::after,
                            .error = Error{.remedy = Remedy::back_off, .what = "the answer was lost"}});
        agent.print_and_ship("line " + std::to_string(i));
        if (i == 5) {
            agent.stop();
            agent.start();
        }
    }
    expect_each_once(log);
    EXPECT_TRUE(verified().proven()) << "copies are no conflict: " << problems().front();
    EXPECT_THAT(agent.spool->conflicts(), IsEmpty());
    EXPECT_EQ(agent.shipper->trouble(), std::nullopt);
}

TEST_F(TakenKey, AnAttackerIsNoticedByOneWhoMayOnlyWrite) {
    Agent agent{state, log, guarded, clock, identity};
    agent.print_and_ship("real 1");
    auto epoch = agent.spool->epoch();
    forge_behind(10);
    guarded.write_only = true;
    for (int i = 2; i <= 6; ++i) agent.print_and_ship("real " + std::to_string(i));
    expect_each_once(log);
    EXPECT_NE(agent.spool->epoch(), epoch) << "three running are no lost answers";
    EXPECT_EQ(agent.spool->conflicts().size(), 1U);
}

TEST_F(TakenKey, AnObjectThatTheStoreRefusesHoldsUpNoneAndIsStoredLater) {
    Agent agent{state, log, guarded, clock, identity};
    agent.print_and_ship("small 1");
    guarded.refused_number = 2;
    agent.print_and_ship("large 2");
    agent.print_and_ship("small 3");
    EXPECT_EQ(shown()["small 3"], 1);
    EXPECT_EQ(shown()["large 2"], 0);
    EXPECT_THAT(problems(), Contains(HasSubstr("missing: ")));
    EXPECT_EQ(agent.spool->aside_totals().refused, 1U);
    EXPECT_THAT(agent.spool->aside_totals().last_reason, HasSubstr("413"));

    agent.stop();
    agent.start();
    EXPECT_EQ(agent.spool->aside_totals().refused, 1U);
    guarded.refused_number = 0;
    EXPECT_LE(agent.spool->offer_again(), 1U);
    // What was offered at the start may be under way still, and be refused once more: asking again is what helps.
    for (int waited = 0; agent.spool->aside_totals().refused > 0 && waited < 10'000; ++waited) {
        agent.spool->offer_again();
        std::this_thread::sleep_for(1ms);
    }
    expect_each_once(log);
    EXPECT_TRUE(verified().proven());
    EXPECT_EQ(agent.spool->epoch(), segment::parse_object_key(keys().front())->epoch);
}

}  // namespace
}  // namespace boatswain
