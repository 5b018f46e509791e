#include "intake/driver/driver_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "batch/rig_for_test.h"
#include "intake/driver/holder_for_test.h"
#include "net/run_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake::driver {
namespace {

class DriverIntakeTest : public ::testing::Test {
  protected:
    // The holder's half: a container that prints, and its description.
    Hold print(const HoldName& of, const std::string& line) {
        StartRequest request{.fifo = "/run/fifo", .facts = {}, .options = {}};
        request.facts.id = of.container;
        request.facts.name = "web";
        boatswain::testing::write(memory.path / (of.str() + ".json"), describe(request));
        auto hold = Hold::create(memory.path / (of.str() + ".hold")).value();
        print(hold, line);
        return hold;
    }
    static void print(Hold& hold, const std::string& line) {
        ASSERT_TRUE(hold.append(to_frame({.source = "stdout", .time_nano = 1'000, .line = line})));
        hold.settle();
    }
    std::uint64_t lines_read(const HoldName& of) {
        Description told;
        told.id = of.container;
        intake.elsewhere("boatswain").describe(told);
        return told.lines_read;
    }
    std::uint64_t unread(const HoldName& of) {
        Description told;
        told.id = of.container;
        intake.elsewhere("boatswain").describe(told);
        return told.file->lag_bytes;
    }
    Assignment assign(const std::string& id) const {
        if (breaks) throw std::logic_error{"a fault of ours"};
        Assignment answer;
        answer.whose.tenant = tenant;
        if (id == without_key) {
            answer.decision = {.action = tenancy::Decision::Action::hold,
                               .lack = tenancy::Lack::removed_key,
                               .tenant = tenant,
                               .recipients = {},
                               .reason = {}};
            return answer;
        }
        answer.decision = {.action = tenancy::Decision::Action::seal,
                           .tenant = tenant,
                           .recipients = {identity.recipient()},
                           .reason = {}};
        return answer;
    }
    double gaps(const std::string& reason) {
        return rig.metrics.counter("boatswain_gap_records_total", "", {{"reason", reason}}).value();
    }

    const HoldName name{.container = std::string(64, 'c'), .number = 1};
    bool breaks = false;
    std::string without_key;  // a container: the key file of its tenant was removed
    TenantId tenant = TenantId::parse("acme").value();
    open::Identity identity = open::Identity::generate();
    Memory memory;
    batch::testing::Rig rig;
    boost::asio::io_context io;
    DriverIntake intake{
        io.get_executor(),
        {.hold_dir = memory.path, .selection = {}, .own_ids = {}},
        {.assign = [this](const SourceFacts& facts) { return assign(facts.id); }, .starter = {}, .keep = {}},
        *rig.batcher,
        *rig.spool,
        rig.clock,
        rig.metrics,
        rig.log};
};

// Until a segment is durable, the place in the state is still that of before the crash.
TEST_F(DriverIntakeTest, NamesWhatACrashOfTheHostTookOnceWhoeverItsTenantIsAfterwards) {
    {
        auto before = rig.batcher->open_feed(batch::testing::source(name.container), {identity.recipient()}, {}, false);
        before->append({.time = rig.clock.now(), .stream = Stream::out, .bytes = "before the crash"});
        before->mark(FilePosition{.device = this_boot() ^ 1, .inode = 1, .fingerprint = 1});
    }
    ASSERT_TRUE(rig.seal_all());
    print(name, "after the crash");
    net::TaskGroup tasks{io.get_executor(), rig.log};
    tasks.spawn("driver intake", intake.run());
    auto is_read = [&] { return rig.batcher->open_batches() > 0; };
    ASSERT_TRUE(net::testing::run_until(io, is_read));
    for (const auto* other : {"globex", "hooli"}) {
        tenant = TenantId::parse(other).value();
        intake.reassign();
    }
    tasks.cancel();
    ASSERT_TRUE(net::testing::run_to_end(io, tasks.join()));
    intake.finish(rig.clock.steady());
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(gaps(gap_host_restarted), 1);
}

TEST_F(DriverIntakeTest, HoldsLinesWhileTheirTenantsKeyFileIsRemoved) {
    const HoldName other{.container = std::string(64, 'd'), .number = 1};
    auto hold = print(name, "before");
    net::TaskGroup tasks{io.get_executor(), rig.log};
    tasks.spawn("driver intake", intake.run());
    ASSERT_TRUE(net::testing::run_until(io, [&] { return lines_read(name) == 1; }));
    without_key = name.container;
    intake.reassign();
    print(hold, "meanwhile");
    auto other_hold = print(other, "of another one");
    ASSERT_TRUE(net::testing::run_until(io, [&] { return lines_read(other) == 1; }));
    EXPECT_EQ(lines_read(name), 1);
    EXPECT_EQ(intake.lag_by_tenant().at("acme").bytes, unread(name)) << "the tenant's lag is what its holds keep";
    EXPECT_GT(unread(name), 0U);
    without_key.clear();
    intake.reassign();
    ASSERT_TRUE(net::testing::run_until(io, [&] { return lines_read(name) == 2; }));
    tasks.cancel();
    ASSERT_TRUE(net::testing::run_to_end(io, tasks.join()));
    intake.finish(rig.clock.steady());
    ASSERT_TRUE(rig.seal_all());
    std::vector<std::string> stored;
    for (const auto& object : rig.take_all())
        for (const auto& line : open::read_segment(object.bytes, identity).lines[name.container])
            stored.push_back(line.bytes);
    EXPECT_THAT(stored, ::testing::ElementsAre("before", "meanwhile"));
}

TEST_F(DriverIntakeTest, ATaskThatEndsByAFaultOfOursIsNamedInItsHealth) {
    EXPECT_THAT(intake.health().ended_tasks, ::testing::IsEmpty());
    breaks = true;
    print(name, "a line");
    net::TaskGroup tasks{io.get_executor(), rig.log};
    tasks.spawn("driver intake", intake.run());
    ASSERT_TRUE(net::testing::run_until(io, [&] { return !intake.health().ended_tasks.empty(); }));
    EXPECT_THAT(intake.health().ended_tasks, ::testing::Each(::testing::HasSubstr("the holds")));
    tasks.cancel();
    ASSERT_TRUE(net::testing::run_to_end(io, tasks.join()));
}

}  // namespace
}  // namespace boatswain::intake::driver
