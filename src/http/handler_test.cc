// The server with a handler that is a coroutine: pieces, upgrades, clients that leave, TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>
#include <fstream>

#include "base/directory_for_test.h"
#include "http/serving_for_test.h"
#include "http/workers.h"
#include "net/event.h"
#include "net/run_for_test.h"

namespace boatswain::http {
namespace {

using namespace std::chrono_literals;
using net::Task;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Peer;
using testing::Serving;
using ::testing::StartsWith;

constexpr const char* last = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

// What a handler's coroutine went through, looked at from the test's thread.
struct Seen {
    std::atomic<int> began = 0, ended = 0;
};

Task<void> serve(Request request, AnswerWriter& writer, Seen& seen) {
    struct Ends {
        Seen& seen;
        ~Ends() { ++seen.ended; }
    } ends{seen};
    ++seen.began;
    if (request.path == "/pieces") {
        Answer head{.content_type = "application/json", .fields = {{"X-More", "yes"}, {"X-Bad", "a\r\nSet: b"}}};
        CO_CHECK(co_await writer.begin(std::move(head)));
        CO_CHECK(co_await writer.write("first "));
        CO_CHECK(co_await writer.write(std::string(20, 'x')));
        co_return Result<void>{};
    }
    if (request.path == "/breaks") {
        Answer head{.body = "begun"};
        CO_CHECK(co_await writer.begin(std::move(head)));
        co_return fail(Remedy::back_off, "the store is away");
    }
    if (request.path == "/fails") co_return fail(Remedy::back_off, "secret");
    if (request.path == "/throws") throw std::runtime_error("secret");
    if (request.path == "/silent") co_return Result<void>{};
    if (request.path == "/waits") {
        co_await net::sleep_for(1h);
        co_return Result<void>{};
    }
    if (request.path == "/upgrade") {
        std::string rest;
        CO_TRY(auto* connection, co_await writer.upgrade("echo", {{"X-Kind", "test"}}, rest));
        while (rest.size() < 4) {
            char buffer[16];
            CO_TRY(auto size, co_await connection->read_some(buffer, net::after(10s)));
            if (size == 0) break;
            rest.append(buffer, size);
        }
        co_return co_await connection->write("echo " + rest, net::after(10s));
    }
    Answer whole{.body = request.method + " " + request.peer.substr(0, 4) + " " + request.body};
    co_return co_await writer.send(std::move(whole));
}

Handler handler(Seen& seen) {
    return [&seen](Request request, AnswerWriter& writer) { return serve(std::move(request), writer, seen); };
}

bool within(std::chrono::milliseconds time, const std::function<bool()>& holds) {
    for (auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
        if (holds()) return true;
        std::this_thread::sleep_for(5ms);
    }
    return holds();
}

TEST(Handler, TakesABodyAndAnswersWhole) {
    Seen seen;
    Serving serving{handler(seen), {.body_bytes_max = 8}};
    auto post = [](std::string_view body) {
        return "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + std::string{body};
    };
    EXPECT_THAT(Peer{serving}.ask(post("a=b")),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nPOST uid  a=b")));
    EXPECT_THAT(Peer{serving}.ask(post("123456789")), StartsWith("HTTP/1.1 413 "));
    EXPECT_EQ(seen.began, 1);
}

TEST(Handler, AsksForABodyThatWaits) {
    Seen seen;
    Serving serving{handler(seen), {.body_bytes_max = 8}};
    Peer peer{serving};
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    EXPECT_THAT(peer.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n"));
    EXPECT_THAT(peer.ask("z"), EndsWith("POST uid  z"));
}

TEST(Handler, ReadsNoBodyOfWhoMayAskNothing) {
    Seen seen;
    Serving serving{Serving::MakeService{[&](const boost::asio::any_io_executor&) { return handler(seen); }},
                    {.body_bytes_max = 1U << 20},
                    Serving::On::unix_socket,
                    nullptr,
                    [](const Request& head) { return head.field("authorization") == "me" ? 0 : 401; }};
    auto head = [](const std::string& who) {
        return "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n" +
               who + "\r\n";
    };
    EXPECT_THAT(Peer{serving}.ask(head("")), StartsWith("HTTP/1.1 401 ")) << "without a byte of the body";
    Peer peer{serving};
    peer.send(head("Authorization: me\r\n"));
    EXPECT_THAT(peer.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
    EXPECT_THAT(peer.ask(std::string(100'000, 'b')), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("bbb")));
    EXPECT_EQ(seen.began, 1);
}

TEST(Handler, AnswersInPiecesAndKeepsTheConnection) {
    Seen seen;
    Serving serving{handler(seen)};
    Peer peer{serving};
    peer.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
    auto text = peer.read_until("0\r\n\r\n");
    EXPECT_THAT(text, AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), HasSubstr("X-More: yes\r\n"),
                            Not(HasSubstr("X-Bad")), Not(HasSubstr("Content-Length")),
                            EndsWith("\r\n\r\n6\r\nfirst \r\n14\r\n" + std::string(20, 'x') + "\r\n0\r\n\r\n")));
    EXPECT_THAT(peer.ask("GET /" + std::string{last}), EndsWith("GET uid  "));
}

TEST(Handler, AnswersAnOldClientsPiecesUpToTheEndOfTheConnection) {
    Seen seen;
    Serving serving{handler(seen)};
    auto text = Peer{serving}.ask("GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(text, AllOf(Not(HasSubstr("chunked")), HasSubstr("Connection: close\r\n"),
                            EndsWith("\r\n\r\nfirst " + std::string(20, 'x'))));
}

TEST(Handler, AnswersAHeadWithoutPieces) {
    Seen seen;
    Serving serving{handler(seen)};
    EXPECT_THAT(Peer{serving}.ask("HEAD /pieces" + std::string{last}), EndsWith("Connection: close\r\n\r\n"));
    EXPECT_THAT(Peer{serving}.ask("HEAD /" + std::string{last}), EndsWith("Connection: close\r\n\r\n"));
}

TEST(Handler, LeavesAnAnswerWithoutItsEndWhenItFails) {
    Seen seen;
    Serving serving{handler(seen)};
    EXPECT_THAT(Peer{serving}.ask("GET /breaks" + std::string{last}), EndsWith("\r\n\r\n5\r\nbegun\r\n"));
}

TEST(Handler, AnswersItsFailuresWithoutDetails) {
    Seen seen;
    Serving serving{handler(seen)};
    for (const char* path : {"/fails", "/throws", "/silent"})
        EXPECT_THAT(Peer{serving}.ask("GET " + std::string{path} + last),
                    AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("secret"))));
}

class HandlerOver : public ::testing::TestWithParam<Serving::On> {};

TEST_P(HandlerOver, IsCancelledWhenItsClientLeaves) {
    Seen seen;
    Serving serving{handler(seen), {}, GetParam()};
    {
        Peer peer{serving};
        peer.send("GET /waits" + std::string{last} + "GET /pipelined" + last);
        ASSERT_TRUE(within(10s, [&] { return seen.began == 1; }));
    }
    EXPECT_TRUE(within(10s, [&] { return seen.ended == 1; }));
    EXPECT_EQ(seen.began, 1) << "what was pipelined behind it is answered to nobody";
}

TEST_P(HandlerOver, IsCancelledWhenItsConnectionMakesRoom) {
    Seen seen;
    Serving serving{handler(seen), {.connections_of_a_peer_max = 1}, GetParam()};
    Peer first{serving};
    first.send("GET /waits" + std::string{last});
    ASSERT_TRUE(within(10s, [&] { return seen.began == 1; }));
    EXPECT_THAT(Peer{serving}.ask("GET /" + std::string{last}), StartsWith("HTTP/1.1 200"));
    EXPECT_TRUE(within(10s, [&] { return seen.ended == 2; }));
}

INSTANTIATE_TEST_SUITE_P(All, HandlerOver, ::testing::Values(Serving::On::unix_socket, Serving::On::tcp));

TEST(Handler, SparesWhoIsBeingAnsweredWhereThatIsWanted) {
    Seen seen;
    Serving serving{handler(seen), {.connections_max = 1, .answering_gives_way = false}};
    Peer first{serving};
    first.send("GET /waits" + std::string{last});
    ASSERT_TRUE(within(10s, [&] { return seen.began == 1; }));
    EXPECT_EQ(Peer{serving}.ask("GET /" + std::string{last}), "");
    EXPECT_EQ(seen.ended, 0);
}

TEST(Handler, TakesTheConnectionOver) {
    Seen seen;
    Serving serving{handler(seen)};
    Peer peer{serving};
    auto answer = peer.ask("GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nABCD");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"), HasSubstr("Upgrade: echo\r\n"),
                              HasSubstr("X-Kind: test\r\n"), EndsWith("\r\n\r\necho ABCD")));
}

TEST(Handler, IsCancelledWhenTheServerHasWaitedLongEnough) {
    Seen seen;
    Serving serving{handler(seen), {.stop_grace = 50ms}};
    Peer peer{serving};
    peer.send("GET /waits" + std::string{last});
    ASSERT_TRUE(within(10s, [&] { return seen.began == 1; }));
    serving.stop();
    EXPECT_EQ(seen.ended, 1);
    EXPECT_EQ(peer.read(), "");
}

// A certificate of "localhost", signed by itself, as `openssl req` makes it.
class Certificate {
  public:
    Certificate() {
        auto command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
            " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout '" +
            key() + "' -out '" + file() + "' 2>/dev/null";
        EXPECT_EQ(std::system(command.c_str()), 0);
    }
    std::string file() const { return (place / "cert.pem").string(); }
    std::string key() const { return (place / "key.pem").string(); }

  private:
    boatswain::testing::TestDirectory place;
};

Task<std::string> ask_over_tls(boost::asio::io_context& io, std::uint16_t port, net::Tls& tls, std::string request) {
    net::Address address{.unix_path = {}, .host = "localhost", .port = port};
    CO_TRY(auto connection, co_await net::connect(io.get_executor(), address, &tls, net::after(10s)));
    CO_CHECK(co_await connection->write(request, net::after(10s)));
    std::string all;
    for (;;) {
        char buffer[4096];
        CO_TRY(auto size, co_await connection->read_some(buffer, net::after(10s)));
        if (size == 0) co_return all;
        all.append(buffer, size);
    }
}

TEST(Handler, SpeaksTlsAndEndsItInAnOrderlyWay) {
    Certificate certificate;
    auto tls = net::make_server_tls({.certificate = certificate.file(), .key = certificate.key()});
    ASSERT_TRUE(tls) << tls.error().what;
    Seen seen;
    Serving serving{handler(seen), {}, Serving::On::tcp, tls->get()};
    auto trusting = net::make_tls({.ca_file = certificate.file(), .certificate_file = {}, .key_file = {}});
    boost::asio::io_context io;
    for (const char* path : {"/", "/pieces"}) {
        Result<std::string> text;
        auto ask = [&]() -> boost::asio::awaitable<void> {
            text = co_await ask_over_tls(io, serving.port, **trusting, "GET " + std::string{path} + last);
        };
        ASSERT_TRUE(net::testing::run_to_end(io, ask()));
        ASSERT_TRUE(text) << text.error().what;
        EXPECT_THAT(*text, StartsWith("HTTP/1.1 200 OK\r\n"));
    }
    EXPECT_EQ(Peer{serving}.ask("GET /" + std::string{last}).find("HTTP"), std::string::npos) << "no TLS, no answer";
}

TEST(Handler, CutsAClientThatDoesNotAgreeOnTls) {
    Certificate certificate;
    auto tls = net::make_server_tls({.certificate = certificate.file(), .key = certificate.key()});
    Seen seen;
    Serving serving{handler(seen), {.request_timeout = 100ms}, Serving::On::tcp, tls->get()};
    EXPECT_EQ(Peer{serving}.read(), "");
}

TEST(Handler, RefusesACertificateWithAnotherKey) {
    Certificate one, other;
    auto mixed = net::make_server_tls({.certificate = one.file(), .key = other.key()});
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().remedy, Remedy::stop);
    auto missing = net::make_server_tls({.certificate = "/nowhere/cert.pem", .key = one.key()});
    EXPECT_THAT(missing.error().what, HasSubstr("/nowhere/cert.pem"));
}

}  // namespace
}  // namespace boatswain::http
