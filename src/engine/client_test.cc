// The client against an engine that lies, hangs and breaks off. Real sockets; the engine is a thread that speaks raw
// bytes.
#include "engine/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "net/error.h"

namespace boatswain::engine {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

constexpr auto patience = 30s;  // with what comes at a loaded machine's pace, under sanitizers
constexpr auto brief = 200ms;   // with what never comes

std::string answer(std::string status, std::string body, std::string more = "") {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more +
           "\r\n" + body;
}

std::string chunked(std::string_view body, std::size_t size) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size(); at += size) {
        auto piece = body.substr(at, size);
        char head[20];
        std::snprintf(head, sizeof head, "%zx\r\n", piece.size());
        text += head + std::string{piece} + "\r\n";
    }
    return text + "0\r\n\r\n";
}

// Accepts on a unix socket; each connection gets what `behave` does, in a thread of its own.
class FakeEngine {
  public:
    using Behave = std::function<void(int fd, const std::string& request)>;

    explicit FakeEngine(Behave behave) : behave_(std::move(behave)) {
        char name[] = "/tmp/bwt.XXXXXX";
        directory_ = ::mkdtemp(name);
        sockaddr_un address{.sun_family = AF_UNIX};
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        listening_ = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listening_.get(), 64), 0);
        accepting_ = std::thread([this] { accept_all(); });
    }
    // Sends these bytes and closes.
    static Behave say(std::string bytes) {
        return [bytes = std::move(bytes)](int fd, const std::string&) { send_all(fd, bytes); };
    }
    // Sends these bytes and then nothing until the client goes away.
    static Behave hang_after(std::string bytes) {
        return [bytes = std::move(bytes)](int fd, const std::string&) {
            send_all(fd, bytes);
            wait_until_gone(fd);
        };
    }
    ~FakeEngine() {
        ::shutdown(listening_.get(), SHUT_RDWR);
        accepting_.join();
        for (auto& one : serving_) one.join();
        std::filesystem::remove_all(directory_);
    }
    std::string path() const { return directory_ + "/s"; }

    static bool send_all(int fd, std::string_view bytes) {
        while (!bytes.empty()) {
            auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    static void wait_until_gone(int fd) {
        char buffer[4096];
        while (::recv(fd, buffer, sizeof buffer, 0) > 0) {
        }
    }

  private:
    void accept_all() {
        for (;;) {
            int fd = ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            serving_.emplace_back([this, connection = Fd{fd}]() mutable {
                std::string request;
                char buffer[4096];
                while (request.find("\r\n\r\n") == request.npos) {
                    auto size = ::recv(connection.get(), buffer, sizeof buffer, 0);
                    if (size <= 0) return;
                    request.append(buffer, static_cast<std::size_t>(size));
                }
                behave_(connection.get(), request);
            });
        }
    }

    Behave behave_;
    std::string directory_;
    Fd listening_;
    std::thread accepting_;
    std::vector<std::thread> serving_;
};

const WordFilter keep_all{
    .environment = [](std::string_view) { return true; }, .label = {}, .more_labels = {}, .mount = {}};
const std::string an_id(64, 'a');
const std::string an_inspect = R"({"Id":")" + an_id + R"(","Name":"/x"})";

struct Caller {
    boost::asio::io_context io;
    std::unique_ptr<Client> client;

    explicit Caller(const std::string& path, std::chrono::milliseconds call_timeout = patience) {
        Endpoint endpoint{.address = path, .call_timeout = call_timeout};
        client = std::move(make_client(io.get_executor(), endpoint).value());
    }
    template <class T>
    Result<T> run(Task<T> task) {
        std::optional<Result<T>> result;
        boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure, Result<T> value) {
            if (failure) std::rethrow_exception(failure);
            result = std::move(value);
        });
        io.restart();
        while (!result) io.run_one();
        return std::move(*result);
    }
};

Result<ContainerFacts> inspect(const FakeEngine& engine, std::chrono::milliseconds call_timeout = patience) {
    Caller caller{engine.path(), call_timeout};
    auto begin = std::chrono::steady_clock::now();
    auto facts = caller.run(caller.client->inspect(an_id, keep_all));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, call_timeout + patience);
    return facts;
}

void expect_error(const FakeEngine::Behave& behave, Remedy remedy, const std::string& words,
                  std::chrono::milliseconds call_timeout = patience) {
    FakeEngine engine{behave};
    auto facts = inspect(engine, call_timeout);
    ASSERT_FALSE(facts) << words;
    EXPECT_EQ(facts.error().remedy, remedy) << facts.error().what;
    EXPECT_THAT(facts.error().what, AllOf(HasSubstr("engine GET /containers/aaa"), HasSubstr(words)));
}

TEST(EngineClient, ReadsAnAnswerWhateverItsFraming) {
    for (const auto& bytes : {answer("200 OK", an_inspect), chunked(an_inspect, 7),
                              "HTTP/1.1 200 OK\r\n\r\n" + an_inspect, "HTTP/1.0 200 OK\r\n\r\n" + an_inspect,
                              chunked(an_inspect, 7).substr(0, chunked(an_inspect, 7).size() - 2) + "X: y\r\n\r\n"}) {
        FakeEngine engine{FakeEngine::say(bytes)};
        auto facts = inspect(engine);
        ASSERT_TRUE(facts) << facts.error().what << "\n" << bytes;
        EXPECT_EQ(facts->name, "x");
    }
}

TEST(EngineClient, ReadsAnAnswerThatComesByteForByte) {
    FakeEngine engine{[](int fd, const std::string&) {
        for (char c : chunked(an_inspect, 50)) FakeEngine::send_all(fd, {&c, 1});
    }};
    EXPECT_TRUE(inspect(engine));
}

TEST(EngineClient, GivesUpOnAnEngineThatHangsAtAnyPoint) {
    auto whole = answer("200 OK", an_inspect);
    for (auto kept : {std::size_t{0}, std::size_t{5}, std::size_t{40}, whole.size() - 20}) {
        expect_error(FakeEngine::hang_after(whole.substr(0, kept)), Remedy::back_off, "no answer in time", brief);
    }
    expect_error(FakeEngine::hang_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
                 Remedy::back_off, "no answer in time", brief);
}

TEST(EngineClient, GivesUpOnAnEngineThatDrips) {
    FakeEngine engine{[](int fd, const std::string&) {
        FakeEngine::send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while (FakeEngine::send_all(fd, " ")) std::this_thread::sleep_for(10ms);
    }};
    auto facts = inspect(engine, brief);
    ASSERT_FALSE(facts);
    EXPECT_THAT(facts.error().what, HasSubstr("no answer in time"));
}

TEST(EngineClient, GivesUpOnAnEngineThatNeverAccepts) {
    // A listener whose backlog is full: connect(2) itself waits.
    char name[] = "/tmp/bwt.XXXXXX";
    std::string directory = ::mkdtemp(name), path = directory + "/s";
    sockaddr_un address{.sun_family = AF_UNIX};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    Fd listening{::socket(AF_UNIX, SOCK_STREAM, 0)};
    ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listening.get(), 0), 0);
    std::vector<Fd> filling;
    for (int i = 0; i < 3; ++i) {
        filling.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        (void)::connect(filling.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    Caller caller{path, brief};
    auto facts = caller.run(caller.client->inspect(an_id, keep_all));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().remedy, Remedy::back_off) << facts.error().what;
    std::filesystem::remove_all(directory);
}

TEST(EngineClient, NamesAnAnswerThatIsNoHttp) {
    for (std::string garbage :
         {"garbage\r\n\r\n", "\x16\x03\x01 some alert\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"})
        expect_error(FakeEngine::say(garbage), Remedy::quarantine, "not HTTP");
    expect_error(FakeEngine::say("HTTP/1.1 100 Continue\r\n\r\n"), Remedy::quarantine, "unexpected status 100");
    expect_error(FakeEngine::say("HTTP/1.1 101 Switching\r\n\r\n"), Remedy::quarantine, "unexpected status 101");
}

TEST(EngineClient, NamesAWrongChunkSize) {
    std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::string chunk : {"zz\r\nx\r\n", "ffffffffffffffffff\r\nx", "-1\r\nx\r\n", "1\r\nxyz\r\n0\r\n\r\n"})
        expect_error(FakeEngine::say(head + chunk), Remedy::quarantine, "not HTTP");
}

TEST(EngineClient, DoesNotGatherAnEndlessHeadOrChunkHead) {
    auto endlessly = [](std::string first, std::string then) {
        return [=](int fd, const std::string&) {
            FakeEngine::send_all(fd, first);
            while (FakeEngine::send_all(fd, then)) {
            }
        };
    };
    expect_error(endlessly("HTTP/1.1 200 OK\r\n", "X: y\r\n"), Remedy::quarantine, "not HTTP");
    expect_error(endlessly("HTTP/1.1 200 OK\r\nX: ", std::string(1000, 'y')), Remedy::quarantine, "not HTTP");
    expect_error(endlessly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", std::string(1000, 'y')),
                 Remedy::quarantine, "not HTTP");
    expect_error(endlessly("HTTP/1.1 200 ", std::string(1000, 'y')), Remedy::quarantine, "not HTTP");
}

TEST(EngineClient, DoesNotGatherABodyLongerThanItsBound) {
    FakeEngine engine{[](int fd, const std::string&) {
        FakeEngine::send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
        std::string piece(1 << 16, ' ');
        while (FakeEngine::send_all(fd, piece)) {
        }
    }};
    Caller caller{engine.path(), 30s};
    auto facts = caller.run(caller.client->inspect(an_id, keep_all));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().remedy, Remedy::quarantine);
    EXPECT_THAT(facts.error().what, HasSubstr("longer than"));
}

TEST(EngineClient, NeverTakesAnAnswerThatBrokeOffForWhole) {
    for (const auto& whole : {answer("200 OK", an_inspect), chunked(an_inspect, 33)}) {
        for (std::size_t kept = 0; kept < whole.size(); ++kept) {
            FakeEngine engine{FakeEngine::say(whole.substr(0, kept))};
            auto facts = inspect(engine);
            ASSERT_FALSE(facts) << kept;
            ASSERT_EQ(facts.error().remedy, Remedy::back_off) << facts.error().what;
        }
    }
}

TEST(EngineClient, SaysWhatToDoAboutARefusal) {
    expect_error(FakeEngine::say(answer("404 Not Found", R"({"message":"No such container: x"})")), Remedy::re_resolve,
                 "404 No such container: x");
    expect_error(FakeEngine::say(answer("409 Conflict", R"({"message":"dead"})")), Remedy::re_resolve, "409 dead");
    expect_error(FakeEngine::say(answer("500 Internal Server Error", R"({"message":"a\u001bb"})")), Remedy::back_off,
                 "500 a\\x1bb");
    expect_error(FakeEngine::say(answer("501 Not Implemented", "")), Remedy::stop, "501 Not Implemented");
    expect_error(FakeEngine::say(answer("403 Forbidden", "no\n")), Remedy::stop, "403 no");
    expect_error(FakeEngine::say("HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n{"), Remedy::re_resolve,
                 "404 Not Found");
    expect_error(FakeEngine::hang_after("HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n{"), Remedy::re_resolve,
                 "404 Not Found", brief);
    expect_error(FakeEngine::say(answer("302 Found", "")), Remedy::stop, "302 Found");
}

TEST(EngineClient, BacksOffFromAnEngineThatIsNotThere) {
    Caller missing{"/nonexistent/docker.sock"};
    auto list = missing.run(missing.client->list());
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().remedy, Remedy::back_off);
    EXPECT_EQ(list.error().what,
              "engine GET /containers/json: connect to unix:/nonexistent/docker.sock: No such file or directory");
    Caller refused{"tcp://127.0.0.1:17600"};
    auto other = refused.run(refused.client->list());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().remedy, Remedy::back_off);
}

TEST(EngineClient, OneHangingContainerHoldsUpNoOther) {
    FakeEngine engine{[](int fd, const std::string& request) {
        if (request.find("/containers/aaa") != request.npos) return FakeEngine::wait_until_gone(fd);
        FakeEngine::send_all(fd, answer("200 OK", "[]"));
    }};
    Caller caller{engine.path(), 3s};
    std::optional<Result<ContainerFacts>> hanging;
    boost::asio::co_spawn(caller.io, caller.client->inspect(an_id, keep_all),
                          [&](std::exception_ptr, Result<ContainerFacts> facts) { hanging = std::move(facts); });
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(caller.run(caller.client->list()));
    EXPECT_FALSE(hanging);
    caller.io.run();
    ASSERT_TRUE(hanging);
    EXPECT_EQ(hanging->error().remedy, Remedy::back_off);
}

TEST(EngineClient, EndsACallAtOnceWhenItIsCancelled) {
    FakeEngine engine{FakeEngine::hang_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")};
    Caller caller{engine.path(), 60s};
    auto stream = caller.run(caller.client->logs(an_id, {.follow = true}));
    ASSERT_TRUE(stream) << stream.error().what;
    boost::asio::cancellation_signal cancel;
    std::optional<Error> error;
    bool ended = false;
    auto done = [&](std::exception_ptr, Result<std::string_view> bytes) {
        ended = true;
        if (!bytes) error = bytes.error();
    };
    boost::asio::co_spawn(caller.io, (*stream)->next(), boost::asio::bind_cancellation_slot(cancel.slot(), done));
    caller.io.restart();
    caller.io.poll();
    EXPECT_FALSE(ended);
    auto begin = std::chrono::steady_clock::now();
    cancel.emit(boost::asio::cancellation_type::terminal);
    caller.io.run();
    EXPECT_TRUE(ended);
    ASSERT_TRUE(error);
    EXPECT_TRUE(net::is_cancelled(*error)) << error->what;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, patience);
}

TEST(EngineClient, MayBeDroppedInTheMiddleOfACall) {
    FakeEngine engine{FakeEngine::hang_after("")};
    boost::asio::io_context io;
    Endpoint endpoint{.address = engine.path(), .call_timeout = 60s};
    auto client = std::move(make_client(io.get_executor(), endpoint).value());
    boost::asio::co_spawn(io, client->list(), [](std::exception_ptr, Result<ContainerList>) {});
    io.run_for(50ms);
    // The context goes first and takes the coroutine with it.
}

TEST(EngineClient, AStreamThatBrokeOffIsNoEnd) {
    std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    FakeEngine engine{FakeEngine::say(head + "3\r\nabc\r\n")};
    Caller caller{engine.path()};
    auto stream = caller.run(caller.client->logs(an_id, {}));
    ASSERT_TRUE(stream) << stream.error().what;
    EXPECT_EQ(caller.run((*stream)->next()).value(), "abc");
    auto next = caller.run((*stream)->next());
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().remedy, Remedy::back_off);
    EXPECT_THAT(next.error().what, HasSubstr("broke off"));
}

TEST(EngineClient, AStreamWaitsLongerThanACallMay) {
    FakeEngine engine{[](int fd, const std::string&) {
        FakeEngine::send_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        std::this_thread::sleep_for(1500ms);
        FakeEngine::send_all(fd, "3\r\nabc\r\n0\r\n\r\n");
    }};
    Caller caller{engine.path(), 1s};
    auto stream = caller.run(caller.client->logs(an_id, {.follow = true}));
    ASSERT_TRUE(stream) << stream.error().what;
    EXPECT_EQ(caller.run((*stream)->next()).value(), "abc");
    EXPECT_EQ(caller.run((*stream)->next()).value(), "");
}

TEST(EngineClient, EventsMayBeCutAnywhereAndOneThatIsNoneIsPassedOver) {
    auto event = [](std::string action, std::string id) {
        return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id + "\"}}\n";
    };
    auto text = event("create", an_id) + event("start", "../x") + event("die", an_id);
    for (std::size_t size = 1; size < 40; size += 3) {
        FakeEngine engine{FakeEngine::say(chunked(text, size))};
        Caller caller{engine.path()};
        auto events = caller.run(caller.client->events(std::nullopt));
        ASSERT_TRUE(events) << events.error().what;
        EXPECT_EQ(caller.run((*events)->next())->action, Event::Action::create);
        EXPECT_EQ(caller.run((*events)->next()).error().remedy, Remedy::quarantine);
        EXPECT_EQ(caller.run((*events)->next())->action, Event::Action::die);
        auto end = caller.run((*events)->next());
        ASSERT_FALSE(end);
        EXPECT_EQ(end.error().remedy, Remedy::back_off);
    }
}

TEST(EngineClient, EventsThatAreNoJsonAnyMoreEndTheStream) {
    FakeEngine engine{FakeEngine::say(chunked("nonsense", 10'000))};
    Caller caller{engine.path()};
    auto events = caller.run(caller.client->events(std::nullopt));
    ASSERT_TRUE(events) << events.error().what;
    for (int i = 0; i < 2; ++i) {
        auto event = caller.run((*events)->next());
        ASSERT_FALSE(event);
        EXPECT_EQ(event.error().remedy, Remedy::back_off) << event.error().what;
    }
}

// Of as many labels as make it so long.
std::string an_event(std::string action, std::size_t labels_bytes, std::string more = "") {
    std::string labels;
    while (labels.size() < labels_bytes)
        labels += "\"l" + std::to_string(labels.size()) + "\":\"" + std::string(100'000, 'x') + "\",";
    return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + an_id + R"(","Attributes":{)" +
           labels + R"("name":"x"}},)" + more + R"("timeNano":7})" + "\n";
}

TEST(EngineClient, AnEventWithFiveMegabytesOfLabelsHidesNoOtherAndIsReadWithoutThem) {
    auto text = an_event("create", 0) + an_event("start", 5'000'000) + an_event("die", 0);
    FakeEngine engine{FakeEngine::say(chunked(text, 10'000))};
    Caller caller{engine.path()};
    auto events = caller.run(caller.client->events(std::nullopt));
    ASSERT_TRUE(events) << events.error().what;
    for (auto action : {Event::Action::create, Event::Action::start, Event::Action::die}) {
        auto event = caller.run((*events)->next());
        ASSERT_TRUE(event) << event.error().what;
        EXPECT_EQ(event->action, action);
        EXPECT_EQ(event->id, an_id);
        EXPECT_EQ(event->time, Timestamp{Nanoseconds{7}});
        EXPECT_EQ(event->shortened, action == Event::Action::start);
    }
    auto past = caller.run(caller.client->past_events(Timestamp{}));
    ASSERT_TRUE(past) << past.error().what;
    EXPECT_EQ(past->size(), 3U);
}

TEST(EngineClient, AnEventThatIsTooLongWithoutItsLabelsIsPassedOver) {
    auto long_text = R"("from":")" + std::string(5'000'000, 'x') + R"(",)";
    auto text = an_event("create", 0) + an_event("start", 0, long_text) + an_event("die", 0);
    FakeEngine engine{FakeEngine::say(chunked(text, 10'000))};
    Caller caller{engine.path()};
    auto events = caller.run(caller.client->events(std::nullopt));
    ASSERT_TRUE(events) << events.error().what;
    EXPECT_EQ(caller.run((*events)->next())->action, Event::Action::create);
    EXPECT_EQ(caller.run((*events)->next()).error().remedy, Remedy::quarantine);
    EXPECT_EQ(caller.run((*events)->next())->action, Event::Action::die);
    auto past = caller.run(caller.client->past_events(Timestamp{}));
    ASSERT_TRUE(past) << past.error().what;
    EXPECT_EQ(past->size(), 2U);
}

// A list that is longer than all that may be held of it.
TEST(EngineClient, ContainersWithLongLabelsAndCommandsHideNoOtherOfTheList) {
    constexpr int containers = 100;
    auto id_of = [](int i) { return (std::to_string(1000 + i) + std::string(64, 'a')).substr(0, 64); };
    FakeEngine engine{[&](int fd, const std::string&) {
        std::string long_text(1'000'000, 'x');
        FakeEngine::send_all(fd, "HTTP/1.1 200 OK\r\n\r\n[");
        for (int i = 0; i < containers; ++i)
            FakeEngine::send_all(fd, (i > 0 ? ",{\"Id\":\"" : "{\"Id\":\"") + id_of(i) + R"(","Command":")" +
                                         long_text + R"(","Labels":{"a":")" + long_text + R"("},"State":"running"})");
        FakeEngine::send_all(fd, "]\n");
    }};
    Caller caller{engine.path()};
    auto list = caller.run(caller.client->list());
    ASSERT_TRUE(list) << list.error().what;
    EXPECT_TRUE(list->whole);
    ASSERT_EQ(list->containers.size(), static_cast<std::size_t>(containers));
    for (int i = 0; i < containers; ++i) {
        EXPECT_EQ(list->containers[static_cast<std::size_t>(i)].id, id_of(i));
        EXPECT_EQ(list->containers[static_cast<std::size_t>(i)].state, "running");
    }
}

TEST(EngineClient, AListWithAnEntryThatIsNoneSaysThatItIsNotWhole) {
    auto entry = R"({"Id":")" + an_id + R"(","State":"exited"})";
    FakeEngine engine{FakeEngine::say(answer("200 OK", "[{\"Id\":\"x\"}," + entry + "]"))};
    Caller caller{engine.path()};
    auto list = caller.run(caller.client->list());
    ASSERT_TRUE(list) << list.error().what;
    EXPECT_FALSE(list->whole);
    ASSERT_EQ(list->containers.size(), 1U);
    EXPECT_EQ(list->containers[0].state, "exited");
}

TEST(EngineClient, AListThatIsCutOffIsNone) {
    for (std::string text :
         {std::string{}, std::string{"["}, R"([{"Id":")" + an_id + "\"}", std::string{"{}"}, std::string{"[1]"}}) {
        FakeEngine engine{FakeEngine::say(answer("200 OK", text))};
        Caller caller{engine.path()};
        EXPECT_FALSE(caller.run(caller.client->list())) << text;
    }
    for (std::string text : {"[]\n", "null\n"}) {
        FakeEngine engine{FakeEngine::say(answer("200 OK", text))};
        Caller caller{engine.path()};
        auto list = caller.run(caller.client->list());
        ASSERT_TRUE(list) << text;
        EXPECT_TRUE(list->whole && list->containers.empty());
    }
}

TEST(EngineClient, AttachTakesTheConnectionOver) {
    std::string seen;
    FakeEngine engine{[&](int fd, const std::string& request) {
        seen = request;
        FakeEngine::send_all(fd, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nHTTP/1.1 raw");
        std::this_thread::sleep_for(50ms);
        FakeEngine::send_all(fd, " bytes");
    }};
    Caller caller{engine.path()};
    auto stream = caller.run(caller.client->attach(an_id));
    ASSERT_TRUE(stream) << stream.error().what;
    std::string all;
    for (;;) {
        auto bytes = caller.run((*stream)->next());
        ASSERT_TRUE(bytes) << bytes.error().what;
        if (bytes->empty()) break;
        all += *bytes;
    }
    EXPECT_EQ(all, "HTTP/1.1 raw bytes");
    EXPECT_THAT(seen, HasSubstr("POST /containers/" + an_id + "/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\n"));
    EXPECT_THAT(seen, testing::Not(HasSubstr("stdin")));
}

// An engine that answers /version with these API versions.
FakeEngine::Behave engine_with(std::string newest, std::string oldest) {
    return [=](int fd, const std::string& request) {
        if (request.starts_with("GET /version ")) {
            FakeEngine::send_all(fd, answer("200 OK", R"({"Version":"1","ApiVersion":")" + newest +
                                                          R"(","MinAPIVersion":")" + oldest + "\"}"));
        } else {
            FakeEngine::send_all(
                fd, answer("404 Not Found", R"({"message":")" + request.substr(0, request.find(' ', 5)) + "\"}"));
        }
    };
}

TEST(EngineClient, SettlesOnTheNewestVersionThatBothSpeak) {
    for (auto [newest, oldest, expected] : {std::tuple{"1.41", "1.12", "/v1.41/"},
                                            {"1.24", "", "/v1.24/"},
                                            {"1.51", "1.44", "/v1.51/"},
                                            {"1.99", "1.44", "/v1.56/"},
                                            {"1.99", "1.60", "/v1.60/"},
                                            {"2.0", "2.0", "/v2.0/"}}) {
        FakeEngine engine{engine_with(newest, oldest)};
        Caller caller{engine.path()};
        auto info = caller.run(caller.client->negotiate());
        ASSERT_TRUE(info) << info.error().what;
        EXPECT_EQ(info->root_dir, "") << "/info was refused";
        EXPECT_EQ("/v" + info->spoken_api_version + "/", expected);
        EXPECT_EQ(info->newer, oldest == std::string{"1.60"} || oldest == std::string{"2.0"});
        EXPECT_THAT(caller.run(caller.client->list()).error().what, HasSubstr(std::string{"GET "} + expected));
    }
}

TEST(EngineClient, StopsAtAnEngineThatIsTooOld) {
    for (auto [newest, oldest] : {std::pair{"1.23", "1.12"}, {"1.23", ""}, {"0.9", ""}}) {
        FakeEngine engine{engine_with(newest, oldest)};
        Caller caller{engine.path()};
        auto info = caller.run(caller.client->negotiate());
        ASSERT_FALSE(info);
        EXPECT_EQ(info.error().remedy, Remedy::stop) << info.error().what;
        EXPECT_THAT(info.error().what, HasSubstr("Boatswain 1.24 to 1.56"));
    }
    for (std::string odd : {"", "one", "1", "1.", ".41", "1.41.2", "1.-4", "99999999999.1"}) {
        FakeEngine engine{engine_with(odd, "")};
        Caller caller{engine.path()};
        EXPECT_FALSE(caller.run(caller.client->negotiate())) << odd;
    }
}

TEST(EngineClient, NamesAnEndpointThatIsNone) {
    boost::asio::io_context io;
    for (auto [address, words] : {std::pair{"", "expected unix:/path or host:port"},
                                  {"docker.sock", "expected"},
                                  {"tcp://x", "expected"},
                                  {"tcp://x:0", "port"},
                                  {"tcp://x:70000", "port"},
                                  {"unix://relative", "starts with /"}}) {
        Endpoint endpoint{.address = address};
        auto client = make_client(io.get_executor(), endpoint);
        ASSERT_FALSE(client) << address;
        EXPECT_EQ(client.error().remedy, Remedy::stop);
        EXPECT_THAT(client.error().what, HasSubstr(words));
    }
    Endpoint no_ca{.address = "tcp://127.0.0.1:2376", .ca_file = "/nonexistent/ca.pem"};
    EXPECT_THAT(make_client(io.get_executor(), no_ca).error().what, HasSubstr("/nonexistent/ca.pem"));
    Endpoint tls_on_unix{.address = "/x", .ca_file = "/nonexistent/ca.pem"};
    EXPECT_THAT(make_client(io.get_executor(), tls_on_unix).error().what, HasSubstr("no TLS over a unix socket"));
}

}  // namespace
}  // namespace boatswain::engine
