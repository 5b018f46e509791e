// The server, spoken to with raw bytes over real sockets.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <thread>

#include "base/directory_for_test.h"
#include "base/file.h"
#include "http/request_reader.h"
#include "http/serving_for_test.h"

namespace boatswain::http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Peer;
using testing::Serving;
using ::testing::StartsWith;

Routes routes() {
    return {{"/hello", [](const Request& request) { return Answer{.body = "hello " + request.query + "\n"}; }},
            {"/big", [](const Request&) { return Answer{.body = std::string(10 << 20, 'x')}; }},
            {"/throws", [](const Request&) -> Answer { throw std::runtime_error("secret"); }}};
}

TEST(HttpServer, AnswersAGet) {
    Serving serving{routes()};
    EXPECT_THAT(
        Peer{serving}.ask("GET /hello?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 10\r\n"), EndsWith("\r\n\r\nhello a=b\n")));
}

TEST(HttpServer, AnswersAHeadWithoutTheBody) {
    Serving serving{routes()};
    EXPECT_THAT(Peer{serving}.ask("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 7\r\n"), EndsWith("\r\n\r\n")));
}

TEST(HttpServer, AnswersEveryPathBelowARouteThatEndsInASlash) {
    auto named = [](std::string name) {
        return [name](const Request& request) { return Answer{.body = name + " for " + request.path + "!"}; };
    };
    Serving serving{Routes{{"/v1/things", named("all")},
                           {"/v1/things/", named("one")},
                           {"/v1/things/odd", named("odd")},
                           {"/v1/", named("any")},
                           {"/", named("root")}}};
    auto get = [&](const std::string& path) { return Peer{serving}.ask("GET " + path + " HTTP/1.0\r\n\r\n"); };
    EXPECT_THAT(get("/v1/things"), EndsWith("all for /v1/things!"));
    EXPECT_THAT(get("/v1/things/a"), EndsWith("one for /v1/things/a!"));
    EXPECT_THAT(get("/v1/things/a/b"), EndsWith("one for /v1/things/a/b!"));
    EXPECT_THAT(get("/v1/things/odd"), EndsWith("odd for /v1/things/odd!"));
    EXPECT_THAT(get("/v1/other"), EndsWith("any for /v1/other!"));
    EXPECT_THAT(get("/"), EndsWith("root for /!"));
    for (const char* none : {"/v1/", "/v1", "/v2/things", "//"})
        EXPECT_THAT(get(none), StartsWith("HTTP/1.1 404")) << none;
}

TEST(HttpServer, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
    Serving serving{routes()};
    Peer peer{serving};
    std::string three;
    for (int i = 0; i < 3; ++i) three += "GET /hello?" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    peer.send(three);
    auto text = peer.read_until("hello 2\n");
    EXPECT_THAT(text, AllOf(HasSubstr("hello 0"), HasSubstr("hello 1"), HasSubstr("hello 2")));
    EXPECT_LT(text.find("hello 0"), text.find("hello 1"));
    EXPECT_LT(text.find("hello 1"), text.find("hello 2"));
    EXPECT_THAT(peer.ask("GET /hello?3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), EndsWith("hello 3\n"));
}

TEST(HttpServer, ReadsARequestThatComesByteForByte) {
    Serving serving{routes()};
    Peer peer{serving};
    for (char c : std::string{"\r\nGET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) peer.send({&c, 1});
    EXPECT_THAT(peer.read(), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, ClosesAfterAnOldClientsRequest) {
    Serving serving{routes()};
    EXPECT_THAT(Peer{serving}.ask("GET /hello HTTP/1.0\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 200"), Not(EndsWith("(open)"))));
}

TEST(HttpServer, TakesAPostWhereARouteIsForOne) {
    auto all = routes();
    all["POST /do"] = [](const Request& request) { return Answer{.body = request.method + " done\n"}; };
    Serving serving{std::move(all)};
    std::string end = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    EXPECT_THAT(Peer{serving}.ask("POST /do" + end), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("POST done")));
    EXPECT_THAT(Peer{serving}.ask("GET /do" + end), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(Peer{serving}.ask("POST /do/more" + end), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(Peer{serving}.ask("POST /hello" + end), StartsWith("HTTP/1.1 405 "));
}

TEST(HttpServer, RefusesWithTheRightStatus) {
    Serving serving{routes()};
    std::string end = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    EXPECT_THAT(Peer{serving}.ask("GET /nothing" + end), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(Peer{serving}.ask("GET /hello/" + end), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(Peer{serving}.ask("GET /../hello" + end), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(Peer{serving}.ask("DELETE /hello" + end),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n")));
    EXPECT_THAT(Peer{serving}.ask("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(Peer{serving}.ask("GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(Peer{serving}.ask("GET http://x/hello" + end), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(Peer{serving}.ask("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 ")) << "no Host";
    EXPECT_THAT(Peer{serving}.ask("GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(Peer{serving}.ask("garbage\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(Peer{serving}.ask("GET /hello HTTP/1.1\r\nno colon\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    auto thrown = Peer{serving}.ask("GET /throws" + end);
    EXPECT_THAT(thrown, AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("secret"))));
}

TEST(HttpServer, RefusesAnOversizedHeadAndTheClientCanReadWhy) {
    Serving serving{routes(), {}, Serving::On::tcp};
    for (std::string field :
         {"X: " + std::string(1 << 20, 'y'), "X: " + std::string(request_head_bytes_max, 'y') + "\r\n\r\n"}) {
        Peer peer{serving};
        peer.send("GET /hello HTTP/1.1\r\nHost: x\r\n" + field.substr(0, 100'000));
        std::this_thread::sleep_for(50ms);
        EXPECT_THAT(peer.read(), StartsWith("HTTP/1.1 431 "));
    }
}

TEST(HttpServer, CutsAClientThatSendsItsRequestSlowly) {
    Serving serving{routes(), {.request_timeout = 200ms}};
    Peer peer{serving};
    auto begin = std::chrono::steady_clock::now();
    while (peer.send("X")) {
        std::this_thread::sleep_for(20ms);
        ASSERT_LT(std::chrono::steady_clock::now() - begin, 5s);
    }
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 150ms);
    EXPECT_EQ(peer.read(), "");
}

TEST(HttpServer, EndsAnIdleConnection) {
    Serving serving{routes(), {.idle_timeout = 100ms}};
    EXPECT_EQ(Peer{serving}.read(), "");
}

TEST(HttpServer, CutsAClientThatDoesNotTakeItsAnswer) {
    Serving serving{routes(), {.write_timeout = 200ms}};
    Peer peer{serving};
    peer.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    pollfd closed{.fd = peer.fd.get(), .events = 0};  // POLLHUP is always looked for
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1);
    EXPECT_LT(peer.read().size(), 10U << 20);
}

TEST(HttpServer, ServesABigAnswerWhole) {
    Serving serving{routes()};
    auto text = Peer{serving}.ask("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(text.size() - text.find("\r\n\r\n") - 4, 10U << 20);
}

constexpr const char* hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpServer, ClosesTheLongestIdleConnectionForANewOne) {
    Serving serving{routes(), {.connections_max = 3}};
    std::vector<std::unique_ptr<Peer>> peers;
    for (int i = 0; i < 3; ++i) {
        peers.push_back(std::make_unique<Peer>(serving));
        peers.back()->send(hello);
        EXPECT_THAT(peers.back()->read_until("hello \n"), StartsWith("HTTP/1.1 200"));
    }
    peers[0]->send(hello);  // so that the second one is idle for longest
    EXPECT_THAT(peers[0]->read_until("hello \n"), StartsWith("HTTP/1.1 200"));
    Peer newcomer{serving};
    newcomer.send(hello);
    EXPECT_THAT(newcomer.read_until("hello \n"), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(peers[1]->read(), "") << "closed";
    for (int stays : {0, 2}) {
        peers[static_cast<std::size_t>(stays)]->send(hello);
        EXPECT_THAT(peers[static_cast<std::size_t>(stays)]->read_until("hello \n"), StartsWith("HTTP/1.1 200"));
    }
    EXPECT_EQ(serving.server->closed_early(), 1U);
}

// Connections of one peer that do nothing, or only begin a request.
class HttpServerCrowd : public ::testing::TestWithParam<std::pair<int, std::string>> {};

TEST_P(HttpServerCrowd, KeepsNobodyFromAnAnswer) {
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    auto [count, begins] = GetParam();
    Serving serving{routes(), {}, Serving::On::tcp};
    std::vector<std::unique_ptr<Peer>> crowd;
    auto join = [&] {
        crowd.push_back(std::make_unique<Peer>(serving));
        crowd.back()->send(begins);
    };
    for (int i = 0; i < count; ++i) join();
    int answered = 0;
    for (int i = 0; i < 40; ++i) {
        for (int more = 0; more < 4; ++more) join();  // what was closed comes again
        answered += Peer{serving}.ask("GET /hello HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200") ? 1 : 0;
    }
    EXPECT_EQ(answered, 40);
}

INSTANTIATE_TEST_SUITE_P(All, HttpServerCrowd,
                         ::testing::Values(std::pair{80, ""}, std::pair{1000, ""}, std::pair{80, "GET /hel"}));

TEST(HttpServer, ClosesWhoNeverTakesItsAnswerWhenAllAreSo) {
    Serving serving{routes(), {.connections_of_a_peer_max = 3}};
    std::vector<std::unique_ptr<Peer>> crowd;
    for (int i = 0; i < 4; ++i) {
        crowd.push_back(std::make_unique<Peer>(serving));
        crowd.back()->send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    EXPECT_THAT(Peer{serving}.ask("GET /hello HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(serving.server->closed_early(), 2U);
}

TEST(HttpServer, StopsByEndingIdleConnectionsAndFinishingAnswers) {
    Serving serving{routes()};
    Peer idle{serving}, busy{serving};
    busy.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    auto text = busy.read_until("\r\n\r\n");
    serving.begin_stop();
    EXPECT_EQ(idle.read(), "");
    text += busy.read();
    EXPECT_GT(text.size(), 10U << 20) << "the answer under way is finished";
    EXPECT_THAT(text, Not(EndsWith("(open)")));
    serving.stop();
}

TEST(HttpServer, StopsWhenItsCoroutineIsCancelled) {
    boost::asio::io_context io;
    auto server = Server::open(io.get_executor(), "127.0.0.1:0", routes());
    ASSERT_TRUE(server) << server.error().what;
    EXPECT_THAT((*server)->address(), AllOf(StartsWith("127.0.0.1:"), Not(EndsWith(":0"))));
    boost::asio::cancellation_signal cancel;
    bool ended = false;
    auto done = [&](std::exception_ptr failure) {
        EXPECT_FALSE(failure);
        ended = true;
    };
    boost::asio::co_spawn(io, (*server)->run(), boost::asio::bind_cancellation_slot(cancel.slot(), done));
    io.poll();
    EXPECT_FALSE(ended);
    cancel.emit(boost::asio::cancellation_type::terminal);
    io.restart();
    io.run_for(5s);
    EXPECT_TRUE(ended);
}

TEST(HttpServer, ReplacesTheSocketOfAServerThatIsGoneButNotOfOneThatIsThere) {
    boost::asio::io_context io;
    char name[] = "/tmp/bwt.XXXXXX";
    std::string directory = ::mkdtemp(name), path = directory + "/s";
    {
        Fd left_over{::socket(AF_UNIX, SOCK_STREAM, 0)};
        sockaddr_un address{.sun_family = AF_UNIX};
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(left_over.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    auto first = Server::open(io.get_executor(), "unix:" + path, routes());
    ASSERT_TRUE(first) << first.error().what;
    struct stat found{};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0660U);
    auto second = Server::open(io.get_executor(), "unix:" + path, routes());
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().what, HasSubstr("Address already in use"));
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace boatswain::http
