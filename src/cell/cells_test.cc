// Real cells, each a process; and cells that were taken over.
#include "cell/cells.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "api/routes.h"
#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "cell/hostile_for_test.h"
#include "cell/inside.h"
#include "cell/relay.h"
#include "query/store_for_test.h"

namespace boatswain::cell {
namespace {

using namespace query::testing;
using namespace ::testing;
using boatswain::testing::TestDirectory;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* lame_word = "lame-cell";  // it takes a second and ends

const Timestamp ten = at("2026-11-23T10:00:00Z");

// What a client would have got in pieces.
class Kept final : public http::PieceWriter {
  public:
    Kept() : PieceWriter(http::Coding::none) {}
    bool has_sent() const override { return has_sent_; }
    http::Answer head;
    std::string bytes;
    std::function<void()> on_piece = [] {};

  private:
    void take(http::Answer taken) override { head = std::move(taken); }
    bool take(std::string piece) override {
        has_sent_ = true;
        bytes += piece;
        on_piece();
        return true;
    }
    bool has_sent_ = false;
};

class CellsTest : public Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(place / "keys");
        for (const auto* whose : {"acme", "globex"}) {
            auto& identity = whose == std::string_view{"acme"} ? acme : globex;
            boatswain::testing::write(place / "keys" / (std::string{whose} + ".key"), identity.str() + "\n");
            for (std::uint64_t number = 1; number <= 3; ++number)
                add(store, key(whose, ten, number),
                    {{source(whose, "app-of-" + std::string{whose}, "c-1"),
                      {{.time = ten + seconds{number}, .bytes = "line of " + std::string{whose}}}}},
                    identity);
        }
    }
    Cells& cells(const char* word = cell_word) {
        if (!made) {
            options.word = word;
            made = std::make_unique<Cells>(open_this_executable().value(), store, place / "keys", options, clock,
                                           metrics, log);
        }
        return *made;
    }
    api::Question question(std::string_view whose, std::string_view route, std::string query) {
        api::Question question{.route = *api::route_named(route), .who = {.tenant = tenant(whose)}, .given = {}};
        question.given =
            api::Parameters::of(
                {{"query", std::move(query)}, {"start", "2026-11-23T09:00:00Z"}, {"end", "2026-11-23T11:00:00Z"}})
                .value();
        question.now = ten;
        question.limits = limits;
        return question;
    }
    api::Reply ask(std::string_view whose, std::string_view route, std::string query = {}) {
        auto asked = question(whose, route, std::move(query));
        return made->answer(asked, given_up, kept);
    }
    double counted(std::string_view name) { return metrics.counter(name, "").value(); }
    // Every writable page of a process; a file of /proc that only root, or a parent that may, can read.
    static std::string memory_of(pid_t process) {
        auto folder = "/proc/" + std::to_string(process);
        std::ifstream maps{folder + "/maps"};
        std::ifstream memory{folder + "/mem", std::ios::binary};
        std::string all;
        for (std::string line; std::getline(maps, line);) {
            if (!line.contains(" rw") || line.contains("[v")) continue;
            auto from = std::stoull(line, nullptr, 16), to = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
            constexpr std::uint64_t shadow = 1ULL << 30;  // of the sanitizers
            if (to - from > shadow) continue;
            std::string bytes(to - from, '\0');
            memory.clear();
            memory.seekg(static_cast<std::streamoff>(from));
            memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            all.append(bytes, 0, static_cast<std::size_t>(memory.gcount()));
        }
        return all;
    }

    MemoryStore store;
    open::Identity acme = open::Identity::generate(), globex = open::Identity::generate();
    TestDirectory place;
    SystemClock clock;
    Metrics metrics;
    Fd log_file{::open((place / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    CellsOptions options{.memory = 32U << 20, .footer_cache = 8U << 20, .version = "1.2.3"};
    api::QuestionLimits limits;
    std::atomic<bool> given_up = false;
    Kept kept;
    std::unique_ptr<Cells> made;
};

TEST_F(CellsTest, AnswerEachTenantInAProcessOfItsOwn) {
    cells();
    EXPECT_THAT(ask("acme", "labels").answer.body, HasSubstr("app"));
    auto of_acme = ask("acme", "label/*/values");
    EXPECT_EQ(ask("globex", "query_range", R"({app=~".+"})").answer.status, 200);
    auto first = made->process_of(tenant("acme")), second = made->process_of(tenant("globex"));
    ASSERT_TRUE(first && second);
    EXPECT_NE(*first, *second);
    EXPECT_NE(*first, ::getpid());
    EXPECT_EQ(ask("acme", "labels").answer.status, 200);
    EXPECT_EQ(made->process_of(tenant("acme")), first) << "it answers the next question, too";
    EXPECT_EQ(counted("boatswain_serve_cell_starts_total"), 2);
}

// Those who wait for a start that fails are told so; they do not start another one, each after the other.
TEST_F(CellsTest, AStartThatFailsIsToldToAllWhoWaitForIt) {
    cells(lame_word);
    std::vector<std::jthread> askers;
    std::atomic<int> refused = 0;
    for (int i = 0; i < 6; ++i)
        askers.emplace_back([&] {
            Kept own;
            auto asked = question("acme", "labels", {});
            refused += made->answer(asked, given_up, own).answer.status == 503 ? 1 : 0;
        });
    askers.clear();
    EXPECT_EQ(refused, 6);
    EXPECT_LE(counted("boatswain_serve_cell_starts_total"), 2) << "and not 6, a second each";
}

TEST_F(CellsTest, GiveNobodyAnothersLines) {
    cells();
    auto reply = ask("acme", "query_range", R"({app=~".+"})");
    EXPECT_EQ(reply.answer.status, 200) << reply.answer.body << reply.trouble;
    EXPECT_THAT(reply.answer.body, AllOf(HasSubstr("line of acme"), Not(HasSubstr("globex"))));
    EXPECT_GT(reply.bytes_read, 0);
}

TEST_F(CellsTest, SendPiecesAsTheyCome) {
    cells();
    auto reply = ask("acme", "lines", R"({app=~".+"})");
    EXPECT_TRUE(reply.is_whole) << reply.trouble;
    EXPECT_EQ(kept.head.content_type, "application/x-ndjson");
    EXPECT_THAT(kept.bytes, AllOf(HasSubstr("line of acme"), HasSubstr(R"("kind":"done","lines":3,"complete":true)")));
}

TEST_F(CellsTest, HoldNoKeyOfAnotherTenantAndTheirOwnOnlyWhileTheyAnswer) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root looks into processes that leave no core dump";
    cells();
    ASSERT_EQ(ask("acme", "labels").answer.status, 200);
    ASSERT_EQ(ask("globex", "labels").answer.status, 200);
    auto bytes_of = [](const open::Identity& identity) {
        return std::string{reinterpret_cast<const char*>(identity.scalar().data()), identity.scalar().size()};
    };
    for (const auto* whose : {"acme", "globex"}) {
        auto memory = memory_of(*made->process_of(tenant(whose)));
        EXPECT_THAT(memory.size(), Gt(100'000));
        EXPECT_TRUE(memory.contains("app-of-" + std::string{whose})) << "the search finds what is there";
        const auto& other = whose == std::string_view{"acme"} ? globex : acme;
        EXPECT_FALSE(memory.contains(bytes_of(other)));
        EXPECT_FALSE(memory.contains(other.str()));
    }
    EXPECT_FALSE(memory_of(*made->process_of(tenant("acme"))).contains(acme.str())) << "the text was wiped";
}

TEST_F(CellsTest, ACellThatIsKilledIsFollowedByANewOne) {
    cells();
    ASSERT_EQ(ask("acme", "labels").answer.status, 200);
    auto first = *made->process_of(tenant("acme"));
    ASSERT_EQ(::kill(first, SIGKILL), 0);
    // It may be asked before it is seen that it died.
    auto reply = ask("acme", "labels");
    if (reply.answer.status != 200) {
        EXPECT_EQ(reply.answer.status, 503);
        EXPECT_THAT(reply.answer.body, HasSubstr("ask again"));
        reply = ask("acme", "labels");
    }
    EXPECT_EQ(reply.answer.status, 200);
    EXPECT_NE(made->process_of(tenant("acme")), first);
}

TEST_F(CellsTest, ACellThatDiesInMidAnswerEndsItsOwnQuestionAlone) {
    cells();
    ASSERT_EQ(ask("globex", "labels").answer.status, 200);
    auto of_globex = made->process_of(tenant("globex"));
    Kept of_acme;
    ASSERT_EQ(ask("acme", "labels").answer.status, 200);
    auto asked = question("acme", "lines", R"({app=~".+"})");
    // More than the socket holds, so that the cell is still at it.
    for (std::uint64_t number = 10; number < 40; ++number)
        add(store, key("acme", ten, number),
            {{source("acme", "large", "c-2"), {{.time = ten, .bytes = std::string(100'000, 'x')}}}}, acme);
    of_acme.on_piece = [&] { ::kill(*made->process_of(tenant("acme")), SIGKILL), of_acme.on_piece = [] {}; };
    auto reply = made->answer(asked, given_up, of_acme);
    EXPECT_FALSE(reply.is_whole);
    EXPECT_FALSE(of_acme.bytes.contains("\"done\""));
    EXPECT_EQ(ask("globex", "labels").answer.status, 200);
    EXPECT_EQ(made->process_of(tenant("globex")), of_globex);
    EXPECT_EQ(ask("acme", "labels").answer.status, 200);
    EXPECT_EQ(counted("boatswain_serve_cell_faults_total"), 1);
    EXPECT_EQ(counted("boatswain_serve_cell_starts_total"), 3);
}

TEST_F(CellsTest, EndWhenTheyAreIdleAndGiveWayToOthers) {
    options.cells_max = 1;
    options.questions_max = 1;
    cells();
    ASSERT_EQ(ask("acme", "labels").answer.status, 200);
    ASSERT_EQ(ask("globex", "labels").answer.status, 200);
    EXPECT_FALSE(made->process_of(tenant("acme")));
    made.reset();
    options.idle_max = milliseconds{50};
    cells();
    ASSERT_EQ(ask("acme", "labels").answer.status, 200);
    for (int i = 0; i < 500 && made->process_of(tenant("acme")); ++i) std::this_thread::sleep_for(milliseconds{20});
    EXPECT_FALSE(made->process_of(tenant("acme")));
}

TEST_F(CellsTest, BeginWhereTheServerHasManyDescriptorsOpen) {
    std::vector<Fd> clients(100);
    for (auto& client : clients) client = Fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    cells();
    auto reply = ask("acme", "labels");
    EXPECT_EQ(reply.answer.status, 200) << reply.trouble;
}

TEST_F(CellsTest, TakeTheNextQuestionWhileTheLastOneLeaves) {
    options.questions_max = 1;
    cells();
    for (int i = 0; i < 300; ++i) {
        auto reply = ask("acme", "labels");
        ASSERT_EQ(reply.answer.status, 200) << i << ": " << reply.trouble;
    }
    EXPECT_EQ(counted("boatswain_serve_cell_faults_total"), 0);
}

TEST_F(CellsTest, ATenantWithoutAKeyIsRefused) {
    cells();
    auto reply = ask("nobody", "labels");
    EXPECT_EQ(reply.answer.status, 503);
    EXPECT_THAT(reply.answer.body, HasSubstr("no key"));
    boatswain::testing::write(place / "keys/nobody.key", "nonsense\n");
    reply = ask("nobody", "labels");
    EXPECT_EQ(reply.answer.status, 503);
    EXPECT_THAT(reply.trouble, AllOf(HasSubstr("identity"), Not(HasSubstr("nonsense"))));
}

TEST_F(CellsTest, ATenantIsNotSaidToHaveNoKeyWhereDescriptorsAreMissing) {
    cells();
    std::vector<Fd> all;
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit few{.rlim_cur = 100, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    for (Fd next{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; next; next = Fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)})
        all.push_back(std::move(next));
    auto reply = ask("acme", "labels");
    all.clear();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(reply.answer.status, 503);
    EXPECT_THAT(reply.answer.body, HasSubstr("ask again"));
    EXPECT_EQ(ask("acme", "labels").answer.status, 200);
}

TEST_F(CellsTest, SayNothingOfWhatTheStoreSays) {
    cells();
    store.read_error = Error{.remedy = Remedy::back_off, .what = "secret of the store", .cause = {}};
    auto reply = ask("acme", "labels");
    EXPECT_EQ(reply.answer.status, 502);
    EXPECT_FALSE(reply.answer.body.contains("secret"));
    EXPECT_EQ(reply.trouble, "secret of the store") << "for our log";
}

TEST_F(CellsTest, EndAQuestionWhoseClientIsGone) {
    cells();
    ASSERT_EQ(ask("acme", "labels").answer.status, 200);
    given_up = true;
    EXPECT_EQ(ask("acme", "labels").answer.status, 499);
    given_up = false;
    EXPECT_EQ(ask("acme", "labels").answer.status, 200);
    EXPECT_EQ(counted("boatswain_serve_cell_faults_total"), 0);
}

using TakenOver = CellsTest;

TEST_F(TakenOver, ACellGetsNowhere) {
    cells(cell::testing::hostile_word);
    auto reply = ask("acme", "labels", "leave");
    EXPECT_EQ(reply.answer.status, 200) << reply.trouble;
    EXPECT_EQ(reply.answer.body,
              "openat: EPERM\nopenat own memory: EPERM\ncreate: EPERM\nunlinkat: EPERM\nnewfstatat: EPERM\n"
              "fchmod of its key: EPERM\nwrite to its key: EBADF\nsocket inet: EPERM\nsocket unix: EPERM\n"
              "socketpair: EPERM\nconnect: EPERM\nsendmsg: EPERM\nexecve: EPERM\nfork: EPERM\nkill: EPERM\n"
              "tgkill: EPERM\nptrace: EPERM\nprocess_vm_readv: EPERM\npidfd_open: EPERM\nexecutable memory: EPERM\n"
              "prlimit64: EPERM\nio_uring: EPERM\nshmget: EPERM\nmemfd: EPERM\nfcntl lock: EPERM\n");
}

TEST_F(TakenOver, ACellReadsItsTenantsObjectsAlone) {
    cells(cell::testing::hostile_word);
    EXPECT_EQ(ask("acme", "labels", key("acme", ten, 1).str()).answer.body,
              "read: ok\nlist v1/tenant=acme/: ok\nlist v1/: stop\nlist : stop\n");
    auto reply = ask("acme", "labels", key("globex", ten, 1).str());
    EXPECT_EQ(reply.answer.body, "read: stop\nlist v1/tenant=globex/: stop\nlist v1/: stop\nlist : stop\n");
    EXPECT_THAT(reply.trouble, HasSubstr("what its tenant may not read"));
    EXPECT_THAT(ask("acme", "labels", "v1/tenant=acme/../tenant=globex/x").answer.body, HasSubstr("read: stop"));
}

TEST_F(TakenOver, ACellThatSaysWhatItShouldNotIsEnded) {
    cells(cell::testing::hostile_word);
    double faults = 0;
    for (const auto* what : {"html", "endless", "more", "large", "headless", "question", "twice", "die"}) {
        auto reply = ask("acme", "labels", what);
        EXPECT_EQ(reply.answer.status, 503) << what;
        EXPECT_FALSE(reply.is_whole) << what;
        EXPECT_FALSE(kept.has_sent()) << what;
        EXPECT_EQ(counted("boatswain_serve_cell_faults_total"), ++faults) << what;
    }
    EXPECT_EQ(ask("globex", "labels", key("globex", ten, 1).str()).answer.status, 200);
}

TEST_F(TakenOver, ACellThatSaysNothingIsEndedWhenTheTimeIsOver) {
    limits.time_max = milliseconds{100};
    cells(cell::testing::hostile_word);
    auto began = clock.steady();
    EXPECT_EQ(ask("acme", "labels", "silent").answer.status, 503);
    EXPECT_LT(clock.steady() - began, limits.time_max + 3 * last_words_max);
    EXPECT_EQ(counted("boatswain_serve_cell_faults_total"), 1);
}

TEST_F(TakenOver, ACellThatTakesALittleNowAndThenHasNoMoreTimeThanOthers) {
    ASSERT_TRUE(store.put("v1/tenant=acme/large", std::string(read_bytes_max, 'x'), {}));
    limits.time_max = milliseconds{100};
    cells(cell::testing::hostile_word);
    auto began = clock.steady();
    auto reply = ask("acme", "labels", "sip");
    EXPECT_NE(reply.answer.status, 200);
    EXPECT_FALSE(reply.is_whole);
    EXPECT_LT(clock.steady() - began, limits.time_max + 3 * last_words_max);
}

TEST_F(TakenOver, ACellThatSendsAByteNowAndThenIsEnded) {
    cells(cell::testing::hostile_word);
    auto began = clock.steady();
    EXPECT_EQ(ask("acme", "labels", "trickle").answer.status, 503);
    EXPECT_LT(clock.steady() - began, seconds{15});
    EXPECT_EQ(counted("boatswain_serve_cell_faults_total"), 1);
}

}  // namespace
}  // namespace boatswain::cell

int main(int argc, char** argv) {
    namespace cell = boatswain::cell;
    std::string_view word = argc == 2 ? argv[1] : "";
    if (word == cell::cell_word) ::_exit(cell::run_cell());
    if (word == cell::lame_word) {
        std::this_thread::sleep_for(std::chrono::seconds{1});
        ::_exit(7);
    }
    if (word == cell::testing::hostile_word) ::_exit(cell::testing::run_hostile_cell());
    ::testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
