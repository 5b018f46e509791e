// The guard on one thread with its client and an engine of a few lines; bounds are small here, and what is waited for
// is always an end. The table of hostile requests and the real engine are in tests/live.
#include "guard/guard.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>

#include "base/directory_for_test.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::guard {
namespace {

namespace asio = boost::asio;
using net::after;
using net::Connection;
using net::Task;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

constexpr auto patience = 60s;  // on a busy machine

class GuardTest : public ::testing::Test {
  public:
    using Answer = std::function<Task<void>(GuardTest&, Connection&)>;

    GuardTest() {
        options.listen = net::Address{.unix_path = (place / "guard").string()};
        options.engine = net::Address{.unix_path = (place / "engine").string()};
    }

    // Runs `client` against a guard before an engine that answers so; all of it has ended afterwards.
    void run(Answer answer, std::function<Task<void>(GuardTest&)> client) {
        answer_ = std::move(answer);
        auto engine = net::listen(io.get_executor(), options.engine);
        ASSERT_TRUE(engine) << engine.error().what;
        engine_ = std::move(*engine);
        auto opened = Guard::open(io.get_executor(), options, Redactor{level, {}}, metrics, log);
        ASSERT_TRUE(opened) << opened.error().what;
        guard = std::move(*opened);
        tasks.spawn("engine", serve_all());
        tasks.spawn("guard", guard->run());
        bool good = false;
        asio::co_spawn(io, finish(std::move(client)),
                       [&](std::exception_ptr trouble, bool went_well) { good = !trouble && went_well; });
        io.run_for(patience);
        EXPECT_TRUE(good);
        EXPECT_TRUE(io.stopped()) << "something has not ended";
    }

    Task<std::unique_ptr<Connection>> ask(std::string request) {
        CO_TRY(auto connection, co_await net::connect(io.get_executor(), options.listen, nullptr, after(patience)));
        CO_CHECK(co_await connection->write(request, after(patience)));
        co_return connection;
    }

    static Task<std::string> read_all(Connection& connection) {
        std::string all;
        for (;;) {
            char buffer[4096];
            CO_TRY(auto size, co_await connection.read_some(buffer, after(patience)));
            if (size == 0) co_return all;
            all.append(buffer, size);
        }
    }

    double counted(std::string_view reason) {
        return metrics
            .counter("boatswain_guard_cut_total", "Clients that the guard cut off", {{"reason", std::string{reason}}})
            .value();
    }

    testing::TestDirectory place_;

  private:
    asio::awaitable<bool> finish(std::function<Task<void>(GuardTest&)> client) {
        auto went = co_await client(*this);
        if (!went) ADD_FAILURE() << went.error().what;
        tasks.cancel();
        co_await tasks.join();
        co_return went.has_value();
    }

    asio::awaitable<void> serve_all() {
        for (;;) {
            auto connection = co_await engine_->accept();
            if (!connection) co_return;
            tasks.spawn("engine's call", serve(std::move(*connection)));
        }
    }

    asio::awaitable<void> serve(std::unique_ptr<Connection> connection) {
        char buffer[4096];
        auto size = co_await connection->read_some(buffer, after(patience));
        if (!size) co_return;
        heard.emplace_back(buffer, *size);
        (void)co_await answer_(*this, *connection);
        ++calls_ended;
    }

  public:
    const Path place = place_.path();
    asio::io_context io{1};
    SystemClock clock;
    Fd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    Log log{clock, nowhere.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    Options options;
    Redaction level = Redaction::none;
    std::unique_ptr<Guard> guard;
    net::TaskGroup tasks{io.get_executor(), log};
    std::vector<std::string> heard;
    int calls_ended = 0;
    std::chrono::nanoseconds longest{};  // that the engine waited

  private:
    Answer answer_;
    std::unique_ptr<net::Listener> engine_;
};

constexpr std::string_view ok_head = "HTTP/1.1 200 OK\r\nServer: Docker\r\nSet-Cookie: x\r\n";

Task<void> say(Connection& connection, std::string text) { co_return co_await connection.write(text, after(patience)); }

TEST_F(GuardTest, PassesAnAnswerOnUnderAHeadOfItsOwn) {
    run([](GuardTest&,
           Connection& engine) { return say(engine, std::string{ok_head} + "Content-Length: 5\r\n\r\nhello"); },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client,
                   co_await test.ask("GET /info HTTP/1.1\r\nHost: x\r\nCookie: y\r\n\r\nGET /info HTTP/1.1\r\n"));
            CO_TRY(auto all, co_await read_all(*client));
            EXPECT_EQ(all, "HTTP/1.1 200 OK\r\nServer: Docker\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
            EXPECT_THAT(test.heard, ::testing::ElementsAre(StartsWith("GET /info HTTP/1.1\r\nHost: localhost\r\n")));
            EXPECT_THAT(test.heard.front(), ::testing::Not(HasSubstr("Cookie")));
            co_return Result<void>{};
        });
}

void expect_framed_as_it_comes(GuardTest& test, std::string body) {
    test.run(
        [body](GuardTest&, Connection& engine) -> Task<void> {
            auto answer = std::string{ok_head} + "Transfer-Encoding: chunked\r\n\r\n" + body;
            for (char byte : answer) CO_CHECK(co_await say(engine, std::string(1, byte)));
            co_return Result<void>{};
        },
        [body](GuardTest& test) -> Task<void> {
            CO_TRY(auto client, co_await test.ask("GET /containers/web/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
            CO_TRY(auto all, co_await GuardTest::read_all(*client));
            EXPECT_EQ(
                all,
                "HTTP/1.1 200 OK\r\nServer: Docker\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body);
            co_return Result<void>{};
        });
}

TEST_F(GuardTest, PassesAStreamOfLogsOnAsItIsFramed) {
    expect_framed_as_it_comes(*this, "5;x=y\r\nhello\r\n0\r\n\r\n");
}

TEST_F(GuardTest, MakesNoEndForAStreamThatBreaksOff) { expect_framed_as_it_comes(*this, "5\r\nhello\r\n1000\r\nworl"); }

TEST_F(GuardTest, GivesAStreamToAnOldClientWithoutChunks) {
    run(
        [](GuardTest&, Connection& engine) {
            return say(engine, std::string{ok_head} + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client, co_await test.ask("GET /containers/web/logs?stdout=1 HTTP/1.0\r\nHost: x\r\n\r\n"));
            CO_TRY(auto all, co_await read_all(*client));
            EXPECT_EQ(all, "HTTP/1.1 200 OK\r\nServer: Docker\r\nConnection: close\r\n\r\nhello");
            co_return Result<void>{};
        });
}

void expect_not_given_out(GuardTest& test, std::string framing) {
    test.run(
        [framing](GuardTest&, Connection& engine) {
            return say(engine, std::string{ok_head} + framing + "\r\n5\r\nhello\r\n0\r\n\r\n");
        },
        [](GuardTest& guarded) -> Task<void> {
            CO_TRY(auto client, co_await guarded.ask("GET /containers/web/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
            CO_TRY(auto all, co_await GuardTest::read_all(*client));
            EXPECT_THAT(all, StartsWith("HTTP/1.1 502 "));
            EXPECT_THAT(all, ::testing::Not(HasSubstr("hello")));
            co_return Result<void>{};
        });
}

TEST_F(GuardTest, GivesOutNoStreamUnderAFramingThatItDoesNotKnow) {
    expect_not_given_out(*this, "Transfer-Encoding: gzip, chunked\r\n");
}

TEST_F(GuardTest, GivesOutNoAnswerWhoseFramingIsToldTwice) {
    expect_not_given_out(*this, "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n");
}

TEST_F(GuardTest, AnswersARefusedRequestItself) {
    run([](GuardTest&, Connection& engine) { return say(engine, std::string{ok_head} + "\r\n"); },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client, co_await test.ask("DELETE /containers/web HTTP/1.1\r\nHost: x\r\n\r\n"));
            CO_TRY(auto all, co_await read_all(*client));
            EXPECT_THAT(all, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
            EXPECT_THAT(all,
                        HasSubstr(R"({"message":"boatswaind guard: DELETE /containers/web is not allowed here"})"));
            EXPECT_TRUE(test.heard.empty());
            co_return Result<void>{};
        });
}

// Docker's command of 20.10 takes the refusal of an attach that announces the connection's end for the stream itself.
TEST_F(GuardTest, AnnouncesNoEndWhenItRefusesAnUpgrade) {
    run([](GuardTest&, Connection& engine) { return say(engine, std::string{ok_head} + "\r\n"); },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client,
                   co_await test.ask("POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
                                     "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"));
            CO_TRY(auto all, co_await read_all(*client));
            EXPECT_THAT(all, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
            EXPECT_THAT(all, ::testing::Not(HasSubstr("Connection:")));
            EXPECT_TRUE(test.heard.empty());
            co_return Result<void>{};
        });
}

TEST_F(GuardTest, AnnouncesNoEndWhenTheEngineRefusesAnUpgrade) {
    options.policy.attach = true;
    run(
        [](GuardTest&, Connection& engine) {
            return say(engine, "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client,
                   co_await test.ask("POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
                                     "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"));
            CO_TRY(auto all, co_await read_all(*client));
            EXPECT_EQ(all, "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}");
            co_return Result<void>{};
        });
}

// What the client gets, where the engine says `body`.
std::string given_out(GuardTest& test, std::string target, std::string body) {
    std::string given;
    test.run(
        [&](GuardTest&, Connection& engine) {
            return say(engine,
                       std::string{ok_head} + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        },
        [&](GuardTest& guarded) -> Task<void> {
            CO_TRY(auto client, co_await guarded.ask("GET " + target + " HTTP/1.0\r\nHost: x\r\n\r\n"));
            CO_TRY(given, co_await GuardTest::read_all(*client));
            co_return Result<void>{};
        });
    auto head = given.find("\r\n\r\n");
    return head == given.npos ? given : given.substr(head + 4);
}

std::string labels_of(std::size_t bytes) {
    std::string labels;
    while (labels.size() < bytes)
        labels += "\"l" + std::to_string(labels.size()) + "\":\"" + std::string(100'000, 'x') + "\",";
    return labels + "\"name\":\"x\"";
}

TEST_F(GuardTest, GivesAnEventWithFiveMegabytesOfLabelsOutWithoutThem) {
    level = Redaction::environment;
    auto event = [](std::string action, std::string labels) {
        return R"({"Action":")" + action + R"(","Actor":{"ID":"c","Attributes":{)" + labels + R"(}},"timeNano":7})" +
               "\n";
    };
    EXPECT_EQ(
        given_out(*this, "/events", event("create", "") + event("start", labels_of(5'000'000)) + event("die", "")),
        event("create", "") + event("start", "") + event("die", ""));
}

TEST_F(GuardTest, LeavesOutAnEventThatItCannotRewriteAndGoesOn) {
    level = Redaction::environment;
    std::string good = "{\"Action\":\"die\"}\n", odd = "{\"Action\":1}";
    auto too_long = R"({"Action":"exec_start: )" + std::string(5'000'000, 'x') + "\"}";
    EXPECT_EQ(given_out(*this, "/events", good + odd + good + too_long + good), good + good + good);
    EXPECT_EQ(metrics.counter("boatswain_guard_events_left_out_total", "").value(), 2);
}

// A list that is longer than what may be held of an answer.
TEST_F(GuardTest, GivesOutAListThoughItsContainersHaveLongLabels) {
    level = Redaction::all;
    std::string list, expected;
    for (int i = 0; i < 70; ++i) {
        auto id = std::to_string(i);
        list += (i > 0 ? "," : "") +
                (R"({"Id":")" + id + R"(","Command":"secret","Labels":{)" + labels_of(1'100'000) + "}}");
        expected += (i > 0 ? "," : "") + (R"({"Id":")" + id + R"(","Command":"***","Labels":{}})");
    }
    EXPECT_EQ(given_out(*this, "/containers/json", "[" + list + "]\n"), "[" + expected + "]");
}

class GuardWithAnOddList : public GuardTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(GuardWithAnOddList, GivesNothingOut) {
    level = Redaction::all;
    auto given = given_out(*this, "/containers/json", GetParam());
    EXPECT_THAT(given, HasSubstr("nothing of it is given out"));
    EXPECT_THAT(given, ::testing::Not(HasSubstr("secret")));
}
INSTANTIATE_TEST_SUITE_P(Guard, GuardWithAnOddList,
                         ::testing::Values("{}", "[1]", R"([{"Command":"secret"},1])", R"([{"Command":"secret"})",
                                           "nil"));

TEST_F(GuardTest, CutsAClientThatTakesNothingAndEndsItsCall) {
    options.stall_timeout = 200ms;
    run(
        [](GuardTest&, Connection& engine) -> Task<void> {
            CO_CHECK(co_await say(engine, std::string{ok_head} + "\r\n"));
            for (;;) CO_CHECK(co_await say(engine, std::string(16384, 'x')));
        },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client, co_await test.ask("GET /containers/web/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
            while (test.calls_ended == 0) co_await net::sleep_for(10ms);
            EXPECT_EQ(test.counted("stalled"), 1);
            co_return Result<void>{};
        });
}

TEST_F(GuardTest, EndsTheCallOfAClientThatIsGone) {
    run(
        [](GuardTest&, Connection& engine) -> Task<void> {
            CO_CHECK(co_await say(engine, std::string{ok_head} + "\r\n"));
            char byte = 0;
            CO_TRY(auto size, co_await engine.read_some({&byte, 1}, after(patience)));
            EXPECT_EQ(size, 0U);
            co_return Result<void>{};
        },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client, co_await test.ask("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
            while (test.heard.empty()) co_await net::sleep_for(10ms);
            EXPECT_EQ(test.guard->connections(), 1U);
            client.reset();
            while (test.calls_ended == 0 || test.guard->connections() > 0) co_await net::sleep_for(10ms);
            co_return Result<void>{};
        });
}

TEST_F(GuardTest, CutsAnAttachedClientThatFallsBehindWhileTheEngineNeverWaits) {
    options.policy.attach = true;
    options.stall_timeout = patience;
    run(
        [](GuardTest& test, Connection& engine) -> Task<void> {
            CO_CHECK(co_await say(engine, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"));
            for (;;) {
                auto begun = std::chrono::steady_clock::now();
                auto said = co_await say(engine, std::string(16384, 'x'));
                test.longest =
                    std::max(test.longest, std::chrono::nanoseconds{std::chrono::steady_clock::now() - begun});
                if (!said) co_return said;
            }
        },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto client,
                   co_await test.ask(
                       "POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\n\r\nin"));
            while (test.calls_ended == 0) co_await net::sleep_for(10ms);
            EXPECT_EQ(test.counted("attach"), 1);
            EXPECT_THAT(test.heard.front(), HasSubstr("stdin=0"));
            co_return Result<void>{};
        });
    EXPECT_LT(longest, 30s) << "the engine waited for a client";
}

TEST_F(GuardTest, TurnsClientsAwayOverItsBound) {
    options.connections_max = 2;
    run([](GuardTest&, Connection& engine) { return say(engine, std::string{ok_head} + "Content-Length: 0\r\n\r\n"); },
        [](GuardTest& test) -> Task<void> {
            CO_TRY(auto first, co_await test.ask("GET"));
            CO_TRY(auto second, co_await test.ask("GET"));
            CO_TRY(auto third, co_await test.ask(""));
            CO_TRY(auto all, co_await read_all(*third));
            EXPECT_THAT(all, StartsWith("HTTP/1.1 503 "));
            co_return Result<void>{};
        });
}

TEST_F(GuardTest, RefusesToListenAtTheEnginesOwnSocket) {
    options.listen = options.engine;
    EXPECT_EQ(Guard::open(io.get_executor(), options, Redactor{}, metrics, log).error().remedy, Remedy::stop);
}

}  // namespace
}  // namespace boatswain::guard
