// Podman's logs: on a real file system with the kernel's own news of it, rotated as conmon does it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "batch/rig_for_test.h"
#include "intake/docker/directory_news.h"
#include "intake/engine_logs/served_log_for_test.h"
#include "net/run_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Action = tenancy::Decision::Action;
using Lines = std::vector<std::string>;

const std::string id(engine::container_id_size, 'c');

// conmon 2.1.6: it closes the log, makes the next file under another name, and moves it over.
class PodmanLog {
  public:
    explicit PodmanLog(Path directory) : directory_(std::move(directory)) {}
    void make_directory() { std::filesystem::create_directories(directory_); }
    void begin() {
        make_directory();
        boatswain::testing::write(path(), "");
    }
    void print(const std::string& line, const std::string& tag = "F") {
        boatswain::testing::append(path(), time_ + " stdout " + tag + " " + line + "\n");
        ++printed_;
        auto nanoseconds = std::to_string(1'000'000'000 + printed_);
        time_ = "2026-11-23T10:00:00." + nanoseconds.substr(1) + "+00:00";
    }
    // conmon gives all lines of one read the same time.
    void print_at_once(const Lines& lines) {
        for (const auto& line : lines)
            boatswain::testing::append(path(), "2026-11-23T10:00:01.000000001+00:00 stdout F " + line + "\n");
    }
    void rotate() {
        auto next = path().string() + ".tmp";
        boatswain::testing::write(next, "");
        std::filesystem::rename(next, path());
    }
    void remove() { std::filesystem::remove_all(directory_.parent_path()); }
    Path path() const { return directory_ / "ctr.log"; }

  private:
    const Path directory_;
    std::string time_ = "2026-11-23T10:00:00.000000000+00:00";
    int printed_ = 0;
};

class Podman : public ::testing::Test {
  protected:
    Podman() { std::filesystem::create_directories(layout.containers); }
    ~Podman() override { stop(); }

    void start() {
        containers = std::make_unique<Containers>(io.get_executor(), ReadPolicy{}, engine, assigner, *rig.batcher,
                                                  *rig.spool, rig.clock, rig.metrics, rig.log);
        news = std::make_unique<DirectoryNews>(io.get_executor(), *containers, assigner, rig.metrics, rig.log);
        news->ask_with([this](const std::string& asked) { questions.push_back(asked); });
        containers->engine_met(layout);
        news->watch(layout, tasks);
        tasks.spawn("read log files", containers->read_files());
    }
    void end_tasks() {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
    }
    void stop() {
        if (!containers) return;
        end_tasks();
        containers->finish(rig.clock.steady() + std::chrono::minutes{1});
        forget();
    }
    // As kill -9 would: what was not sealed is forgotten.
    void crash() {
        end_tasks();
        forget();
        rig.restart();
    }
    void forget() {
        news.reset();
        containers.reset();
    }
    engine::ContainerFacts facts() const {
        engine::ContainerFacts facts;
        facts.id = id;
        facts.name = "web";
        facts.running = true;
        facts.log_driver = "json-file";
        facts.log_path = (layout.told / id / "userdata/ctr.log").string();
        return facts;
    }
    void answer() { containers->adopt(facts()); }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, condition));
    }
    void run_until_read(std::size_t lines) {
        run_until([&] {
            auto all = containers->describe_all();
            return !all.empty() && all.front().lines_unsealed + sealed_lines >= lines;
        });
    }
    void settle() { net::testing::run_for(io, std::chrono::milliseconds{100}); }
    const Lines& sealed() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all())
            for (const auto& line : open::read_segment(object.bytes, identity).lines[id])
                found.push_back(open::shown(line));
        sealed_lines = found.size();
        return found;
    }
    Lines reasons() {
        Lines reasons;
        for (const auto& one : containers->describe_all()) reasons.push_back(one.reason);
        return reasons;
    }

    boost::asio::io_context io;
    batch::testing::Rig rig;
    open::Identity identity = open::Identity::generate();
    ServedLog engine{io};
    Action action = Action::seal;
    Assigner assigner{.assign =
                          [this](const SourceFacts&) {
                              return Assignment{.decision = {.action = action, .recipients = {identity.recipient()}},
                                                .whose = batch::testing::source(id).whose};
                          },
                      .starter = {},
                      .keep = {}};
    LogLayout layout{.podman = true,
                     .containers = rig.directory / "storage/overlay-containers",
                     .told = "/var/lib/containers/storage/overlay-containers"};
    PodmanLog log{layout.directory_of(id)};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    std::unique_ptr<Containers> containers;
    std::unique_ptr<DirectoryNews> news;
    Lines questions, found;
    std::size_t sealed_lines = 0;
};

TEST_F(Podman, ReadsEachLineOverRotationsThatLeaveNoOtherName) {
    log.begin();
    start();
    answer();
    Lines wanted;
    for (int n = 0; n < 40; ++n) {
        wanted.push_back("line " + std::to_string(n));
        log.print(wanted.back());
        if (n % 8 != 7) continue;
        log.rotate();
        settle();
    }
    run_until_read(wanted.size());
    EXPECT_EQ(sealed(), wanted);
    EXPECT_EQ(containers->describe_all().front().reader, "k8s-file");
}

TEST_F(Podman, TakesEqualLinesOfOneReadOnBothSidesOfARotation) {
    log.begin();
    start();
    answer();
    log.print_at_once({"same", "same"});
    log.rotate();
    log.print_at_once({"same"});
    run_until_read(3);
    log.rotate();
    log.print_at_once({"same", "same"});
    run_until_read(5);
    EXPECT_THAT(sealed(), ElementsAre("same", "same", "same", "same", "same"));
}

TEST_F(Podman, JoinsALineThatGoesOnInTheNextFile) {
    log.begin();
    start();
    answer();
    log.print("one ", "P");
    log.rotate();
    settle();
    log.print("line");
    run_until_read(1);
    EXPECT_THAT(sealed(), ElementsAre("one line"));
}

TEST_F(Podman, NamesAFileThatCameAndWentBeforeItCouldBeOpened) {
    log.begin();
    start();
    answer();
    log.print("first");
    run_until_read(1);
    log.rotate();
    log.print("never seen");
    log.rotate();
    log.print("last");
    run_until_read(2);
    EXPECT_THAT(sealed(), ElementsAre("first", "gap:rotated-away", "last"));
}

TEST_F(Podman, NamesThatNewsOfARotationMayBeLost) {
    log.begin();
    start();
    answer();
    log.print("first");
    run_until_read(1);
    log.rotate();
    containers->births_lost();
    log.print("last");
    run_until_read(2);
    EXPECT_THAT(sealed(), ElementsAre("first", "gap:rotated-away", "last"));
}

TEST_F(Podman, ReadsOneWholeThatIsGoneBeforeTheEngineHasAnswered) {
    start();
    log.make_directory();
    settle();
    EXPECT_THAT(questions, IsEmpty());
    log.begin();
    run_until([&] { return !questions.empty(); });
    EXPECT_EQ(questions.front(), id);
    log.print("one");
    log.rotate();
    settle();
    log.print("two");
    log.remove();
    settle();
    answer();
    containers->died(id, 3);
    containers->vanished(id);
    run_until([&] { return containers->standing().containers == 0; });
    EXPECT_THAT(sealed(), ElementsAre("one", "two"));
}

TEST_F(Podman, HoldsNoLogOpenOfOneThatTheEngineDoesNotKnow) {
    start();
    log.begin();
    run_until([&] { return !questions.empty(); });
    EXPECT_THAT(containers->held_unknown(), ElementsAre(id));
    containers->missed(id, Error{.remedy = Remedy::back_off, .what = "no answer in time"});
    EXPECT_THAT(containers->held_unknown(), ElementsAre(id));
    containers->missed(id, Error{.remedy = Remedy::re_resolve, .what = "404"});
    EXPECT_THAT(containers->held_unknown(), IsEmpty());
}

TEST_F(Podman, GoesOnWhereItWasAfterAKill) {
    log.begin();
    start();
    answer();
    log.print("one");
    run_until_read(1);
    EXPECT_THAT(sealed(), ElementsAre("one"));
    log.print("two");
    run_until_read(2);
    crash();
    log.print("three");
    start();
    answer();
    run_until_read(3);
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

TEST_F(Podman, NamesWhatWasRotatedAwayWhileNoAgentRan) {
    log.begin();
    start();
    answer();
    log.print("one");
    run_until_read(1);
    EXPECT_THAT(sealed(), ElementsAre("one"));
    crash();
    log.print("two");
    log.rotate();
    log.print("three");
    start();
    answer();
    run_until_read(2);
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away", "three"));
}

TEST_F(Podman, HoldsWhatItHadReadBeforeWhilePodmanHasNotAnsweredYet) {
    log.begin();
    start();
    answer();
    log.print("one");
    run_until_read(1);
    EXPECT_THAT(sealed(), ElementsAre("one"));
    crash();
    log.print("two");
    start();
    run_until([&] { return !containers->held_unknown().empty(); });
    log.rotate();
    log.print("three");
    settle();
    answer();
    run_until_read(3);
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

TEST_F(Podman, SaysOfWhichLogsItReadsNothing) {
    start();
    auto other = facts();
    other.log_driver = "journald";
    containers->adopt(other);
    EXPECT_THAT(reasons(), ElementsAre(HasSubstr("log driver journald")));
    stop();
    log.begin();
    start();
    other = facts();
    other.log_path = "/srv/elsewhere.log";
    containers->adopt(other);
    EXPECT_THAT(reasons(), ElementsAre(HasSubstr("log option path")));
    EXPECT_EQ(containers->describe_all().front().verdict, Verdict::unreadable);
}

TEST_F(Podman, ReadsAllOfItWhenItsDirectoryComesLate) {
    std::filesystem::remove_all(layout.containers);
    start();
    answer();
    EXPECT_THAT(reasons(), ElementsAre(HasSubstr("directory cannot be read")));
    log.begin();
    log.print("one");
    news->watch(LogLayout{.podman = true, .containers = layout.containers / "..", .told = {}}, tasks);
    news->watch(layout, tasks);
    run_until_read(1);
    EXPECT_THAT(sealed(), ElementsAre("one"));
}

TEST_F(Podman, FollowsNoLinkToALog) {
    start();
    auto elsewhere = rig.directory / "secret";
    boatswain::testing::write(elsewhere / "ctr.log", "2026-11-23T10:00:00Z stdout F secret\n");
    std::filesystem::create_directories(layout.containers / id);
    std::filesystem::create_directory_symlink(elsewhere, layout.directory_of(id));
    answer();
    settle();
    EXPECT_THAT(sealed(), IsEmpty());
}

}  // namespace
}  // namespace boatswain::intake::docker
