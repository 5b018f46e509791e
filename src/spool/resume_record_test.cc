#include "spool/resume_record.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

ResumeRecord web() {
    return {.source = {.id = "web",
                       .kind = "docker",
                       .name = "web-1",
                       .image = "nginx:1.27",
                       .reader = "logs",
                       .whose = {.tenant = TenantId::parse("acme").value(), .app = "shop", .tenant_rule = "const"},
                       .labels = {{"a", "1:2\n:"}, {"", "\xff"}}},
            .recipients =
                {crypto::Recipient::parse("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").value()},
            .last_time = *parse_time("2026-11-23T10:00:00.5Z")};
}

TEST(ResumeRecord, SurvivesItsTextFormWhateverLabelsHold) {
    auto known = web();
    auto back = parse_known("web", known_text(known));
    ASSERT_TRUE(back);
    back->last_time = known.last_time;
    EXPECT_EQ(*back, known);
    known.source.whose.tenant = TenantId::unassigned();
    EXPECT_EQ(parse_known("web", known_text(known))->source.whose.tenant, TenantId::unassigned());
}

TEST(ResumeRecord, IsNothingWhereTheTextIsCutOrChanged) {
    auto text = known_text(web());
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(parse_known("web", text.substr(0, size))) << size;
    EXPECT_FALSE(parse_known("web", text + "1:x"));
    EXPECT_FALSE(parse_known("web", "99999999999999999999:x"));
}

class KnownSources : public ::testing::Test {
  protected:
    KnownSources() { open(); }
    void open() {
        spool.reset();
        spool = std::move(*Spool::open({.state_dir = directory / "state", .host = "node-7"}, clock, log, metrics));
    }
    void add(const Checkpoints& checkpoints, const SegmentBookkeeping& bookkeeping) {
        ASSERT_TRUE(spool->add(next_segment(*spool, "acme", 10), checkpoints, bookkeeping));
    }
    void add(const Addition& addition) { ASSERT_TRUE(spool->add({&addition, 1})); }  // no segment
    boatswain::testing::TestDirectory directory;
    SystemClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    std::unique_ptr<Spool> spool;
    const Checkpoint place{TimePosition{.out = Timestamp{Nanoseconds{5}}, .mark = 7}, 3};
};

TEST_F(KnownSources, NotesLastAndChange) {
    EXPECT_EQ(spool->note("engine.id"), "");
    ASSERT_TRUE(spool->set_note("engine.id", "A:B"));
    ASSERT_TRUE(spool->set_note("epoch", "no epoch"));
    auto epoch = spool->epoch();
    open();
    EXPECT_EQ(spool->note("engine.id"), "A:B");
    EXPECT_EQ(spool->epoch(), epoch) << "a note takes no other row's place";
    ASSERT_TRUE(spool->set_note("engine.id", "C"));
    open();
    EXPECT_EQ(spool->note("engine.id"), "C");
}

TEST_F(KnownSources, AreKnownAfterARestart) {
    add({{"web", place}, {"db", place}}, {.known = {{"web", web()}}});
    open();
    auto known = spool->known_sources().value();
    ASSERT_EQ(known.size(), 2U);
    EXPECT_EQ(known[0].id, "db");
    EXPECT_FALSE(known[0].known);
    EXPECT_EQ(known[1].known, web());
    EXPECT_EQ(known[1].checkpoint, place);
}

TEST_F(KnownSources, HaveEndedUntilTheyRunAgainOrMoreOfThemIsSealed) {
    add({{"web", place}}, {.known = {{"web", web()}}});
    EXPECT_FALSE(spool->ended("web"));
    add({.ended = {{"web", true}}});
    open();
    EXPECT_TRUE(spool->ended("web"));
    EXPECT_TRUE(spool->known_sources().value()[0].known->ended);
    add({.ended = {{"web", false}}});
    open();
    EXPECT_FALSE(spool->ended("web"));
    add({.ended = {{"web", true}}});
    add({{"web", place}}, {.known = {{"web", web()}}});
    EXPECT_FALSE(spool->ended("web"));
    add({.ended = {{"never sealed", true}}});
    EXPECT_FALSE(spool->ended("never sealed"));
}

TEST_F(KnownSources, AreKnownFromTheirBeginningOnAndKeepWhatIsSealedLater) {
    Checkpoint beginning{FilePosition{.device = 1, .inode = 2, .fingerprint = 3, .out_offset = 0, .err_offset = 0}, 0};
    beginning.bytes = 0;
    add({.begun = {{beginning, web()}}});
    EXPECT_EQ(spool->checkpoint("web"), beginning);
    open();
    auto known = spool->known_sources().value();
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].known, web());
    EXPECT_EQ(known[0].checkpoint, beginning);
    add({{"web", place}}, {.known = {{"web", web()}}});
    add({.begun = {{beginning, web()}}});
    EXPECT_EQ(spool->checkpoint("web"), place);
    open();
    EXPECT_EQ(spool->checkpoint("web"), place);
    add({.bookkeeping = {.forget = {"web"}}});
    open();
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
}

TEST_F(KnownSources, AreForgottenWithTheSegmentThatHoldsTheirEnd) {
    add({{"web", place}, {"db", place}}, {.known = {{"web", web()}}, .forget = {"web"}});
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    open();
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    EXPECT_EQ(spool->checkpoint("db"), place);
}

}  // namespace
}  // namespace boatswain::spool
