// Pods that come and go, their logs rotated, on a real file system with the kernel's own news of it.
#include <fstream>
#include <string>
#include <vector>

#include "intake/cri/cri_intake_for_test.h"

namespace boatswain::intake::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(CriIntakeTest, ReadsWhatIsThereAndWhatComesEachForItsTenant) {
    CriLog acme{path_of("acme")};
    acme.print("early");
    start();
    run_until([&] { return intake->health().follows && lines_read() == 1; });
    CriLog late{directory_of("umbrella", "db-0", "u2") / "main/0.log"};
    late.print("later", Stream::err);
    acme.print("more");
    run_until([&] { return lines_read() == 2 && intake->health().reading.reading == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("early", "more"));
    EXPECT_THAT(sealed().at("umbrella"), ElementsAre("later"));
}

TEST_F(CriIntakeTest, GoesOnWhereItStoodAfterACrash) {
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    log.print("two");
    run_until([&] { return lines_read() == 2; });
    crash();
    log.rotate();
    log.print("three");
    start();
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two", "three"));
}

TEST_F(CriIntakeTest, APieceGoesOnInTheNextFile) {
    CriLog log{path_of("acme")};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    log.piece("half a ", Stream::out, "P");
    log.print("whole", Stream::err);
    log.rename();
    log.piece("li", Stream::out, "P");
    log.reopen();
    log.piece("ne", Stream::out, "F");
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("whole", "half a line"));
}

// containerd hands a log over while lines wait in a buffer of its own.
TEST_F(CriIntakeTest, WhatIsWrittenToAFileAfterTheNextOneWasBegunIsRead) {
    options.written_on_max = std::chrono::milliseconds{1'000};
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    auto old = path_of("acme").string() + ".20261129-100001";
    std::filesystem::rename(log.path(), old);
    boatswain::testing::write(log.path(), "2026-11-29T10:00:03Z stdout F three\n");
    settle();
    EXPECT_EQ(lines_read(), 1U) << "the old file may be written to";
    boatswain::testing::append(old, "2026-11-29T10:00:02Z stdout F two\n");
    run_until([&] { return lines_read() == 2; });
    rig.clock.advance(std::chrono::milliseconds{500});
    settle();
    EXPECT_EQ(lines_read(), 2U);
    rig.clock.advance(std::chrono::milliseconds{1'000});
    run_until([&] { return lines_read() == 3; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two", "three"));
}

// Its pod may be deleted soon.
TEST_F(CriIntakeTest, ALogThatItsWriterHasClosedIsSealedAtOnce) {
    CriLog log{path_of("acme")};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    {
        std::ofstream writer{log.path(), std::ios::app};
        writer << "2026-11-29T10:00:00Z stdout F still open\n" << std::flush;
        run_until([&] { return lines_read() == 1; });
        settle();
        rig.batcher->tick();
        EXPECT_EQ(rig.batcher->open_batches(), 1U);
    }
    run_until([&] {
        rig.batcher->tick();
        return rig.batcher->open_batches() == 0;
    });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("still open"));
}

TEST_F(CriIntakeTest, ADeletedPodIsReadToItsEndAndClosed) {
    CriLog log{path_of("acme")};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    log.print("last words");
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("last words"));
    settle();
    EXPECT_FALSE(rig.spool->checkpoint(id_of())) << "nothing is kept of it";
}

TEST_F(CriIntakeTest, APodThatLivesAMomentIsWhole) {
    std::filesystem::create_directories(options.pods);
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    start();
    run_until([&] { return intake->health().follows; });
    CriLog log{path_of("acme")};
    for (int i = 0; i < 100; ++i) log.print("line " + std::to_string(i));
    run_until([&] { return intake->health().reading.containers == 2; });
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    EXPECT_EQ(sealed().at("acme").size(), 100U);
}

TEST_F(CriIntakeTest, ARunThatIsOverIsSettled) {
    CriLog first{path_of("acme", 0)};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    first.piece("no newline", Stream::out, "P");
    CriLog second{path_of("acme", 1)};
    second.print("again");
    run_until([&] { return lines_read(1) == 1 && lines_read(0) == 1; });
    EXPECT_THAT(sealed().at("acme"), ::testing::UnorderedElementsAre("P no newline", "again"));
    // The kubelet keeps the last runs only.
    std::filesystem::remove(first.path());
    run_until([&] { return is_gone(0); });
    EXPECT_FALSE(is_gone(1));
    std::filesystem::remove(second.path());
    settle();
    EXPECT_FALSE(is_gone(1)) << "its runtime writes on";
    stop();
}

TEST_F(CriIntakeTest, WhatWentWhileNoAgentRanIsNamed) {
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    stop();
    std::filesystem::remove_all(directory_of("acme"));
    start();
    run_until([&] { return intake->health().follows; });
    settle();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "gap:removed-while-away"));
}

// An empty pods directory is believed late, or with the first pod: until then this agent may have read some itself.
TEST_F(CriIntakeTest, WhatThisAgentReadAndClosedDidNotGoWhileNoAgentRan) {
    std::filesystem::create_directories(options.pods);
    start();
    run_until([&] { return intake->health().follows; });
    CriLog log{path_of("acme")};
    log.print("one");
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    net::testing::run_for(io, std::chrono::milliseconds{10'500});  // everything is looked at again
    for (const auto* outcome : {"gap", "read-whole"})
        EXPECT_EQ(
            rig.metrics.counter("boatswain_containers_removed_while_away_total", "", {{"outcome", outcome}}).value(),
            0);
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
}

TEST_F(CriIntakeTest, NothingIsForgottenWhileNoPodsAreMounted) {
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    stop();
    auto away = rig.directory / "unmounted";
    std::filesystem::rename(options.pods, away);
    start();
    settle();
    EXPECT_FALSE(intake->health().follows);
    EXPECT_THAT(intake->health().troubles, ElementsAre(::testing::HasSubstr("No such file")));
    std::filesystem::rename(away, options.pods);
    log.print("two");
    run_until([&] { return lines_read() == 1; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two"));
}

TEST_F(CriIntakeTest, WhatWaitsForAKeyIsReadOnceItIsThere) {
    has_key = false;
    CriLog log{path_of("acme")};
    log.print("early");
    start();
    run_until([&] { return intake->health().reading.held[tenancy::Lack::key] == 1; });
    EXPECT_THAT(sealed(), IsEmpty());
    log.rotate();
    has_key = true;
    intake->reassign();
    run_until([&] { return lines_read() == 1; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("early"));
}

TEST_F(CriIntakeTest, OwnAndExcludedPodsAreNotRead) {
    options.own_pods = pods_in_mountinfo(
        "36 35 8:1 /var/lib/kubelet/pods/u3/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
        "37 35 8:1 /var/lib/kubelet/pods/u4/volumes/x /var/log/pods/u5 rw - ext4 /dev/sda1 rw\n");
    EXPECT_THAT(options.own_pods, ElementsAre("u3"));
    options.excluded_namespaces = {"kube-system"};
    CriLog own{directory_of("boatswain", "agent", "u3") / "app/0.log"};
    CriLog excluded{directory_of("kube-system", "dns", "u4") / "app/0.log"};
    CriLog log{path_of("acme")};
    own.print("my own log");
    start();
    run_until([&] { return intake->health().follows; });
    EXPECT_EQ(intake->health().reading.containers, 1U);
}

TEST_F(CriIntakeTest, MorePodsThanAreLookedAtAreTold) {
    CriLog log{path_of("acme")};
    for (std::size_t i = 0; i < entries_max; ++i)
        std::filesystem::create_directories(options.pods / ("no-pod-" + std::to_string(i)));
    start();
    run_until([&] { return intake->health().follows; });
    EXPECT_THAT(intake->health().troubles, ElementsAre(::testing::HasSubstr("the rest is not read")));
}

TEST_F(CriIntakeTest, ALinkInADirectorysPlaceShowsNoOtherPod) {
    CriLog other{directory_of("umbrella", "db-0", "u2") / "app/0.log"};
    other.print("of another tenant");
    std::filesystem::create_directories(directory_of("acme"));
    std::filesystem::create_directory_symlink(directory_of("umbrella", "db-0", "u2") / "app",
                                              directory_of("acme") / "app");
    std::filesystem::create_directory_symlink(directory_of("umbrella", "db-0", "u2"),
                                              directory_of("acme", "web-1", "u3"));
    std::filesystem::create_directories(directory_of("acme", "web-2", "u4") / "app");
    std::filesystem::create_symlink(other.path(), directory_of("acme", "web-2", "u4") / "app/0.log");
    start();
    run_until([&] { return intake->health().follows; });
    settle();
    stop();
    EXPECT_FALSE(sealed().contains("acme"));
}

TEST_F(CriIntakeTest, ALinkInPlaceOfADirectoryThatIsReadIsNotFollowed) {
    CriLog other{directory_of("umbrella", "db-0", "u2") / "app/0.log"};
    CriLog own{path_of("acme")};
    own.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    auto place = directory_of("acme") / "app", away = directory_of("acme") / "away";
    other.raw("2026-11-29T10:00:01Z stdout F of another tenant\n");  // as if it followed
    std::filesystem::rename(place, away);
    std::filesystem::create_directory_symlink(other.path().parent_path(), place);
    boatswain::testing::append(away / "0.log", "2026-11-29T10:00:00.5Z stdout F two\n");
    settle();
    intake->progressed();
    settle();
    stop();
    for (const auto& line : sealed().at("acme")) EXPECT_NE(line, "of another tenant");
}

TEST_F(CriIntakeTest, AKeyThatIsRemovedStopsTheReadingUntilItIsBack) {
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    has_key = false;
    lack = tenancy::Lack::removed_key;
    intake->reassign();
    log.print("two");
    settle();
    EXPECT_EQ(lines_read(), 1U);
    EXPECT_EQ(find_described(intake->describe_all(), id_of()).at(0).verdict, Verdict::held);
    has_key = true;
    intake->reassign();
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two"));
}

TEST_F(CriIntakeTest, APodThatGoesWhileItWaitsForAKeyIsCounted) {
    has_key = false;
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    start();
    run_until([&] { return intake->health().reading.held[tenancy::Lack::key] == 2; });
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    EXPECT_THAT(rig.metrics.text(), ::testing::HasSubstr("boatswain_containers_unread_total{action=\"hold\"} 1\n"));
}

TEST_F(CriIntakeTest, ADeletedFileOfARunningContainerIsNoDeletedPod) {
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    log.rename();
    log.print("two");
    std::filesystem::remove_all(directory_of("acme") / "app");
    std::filesystem::create_directories(directory_of("acme") / "app");
    settle();
    log.reopen();
    log.print("three");
    run_until([&] { return lines_read() >= 3 || is_gone(); });
    stop();
    auto lines = sealed().at("acme");
    EXPECT_THAT(lines, ::testing::IsSupersetOf({"one", "two", "three"}));
}

}  // namespace
}  // namespace boatswain::intake::cri
