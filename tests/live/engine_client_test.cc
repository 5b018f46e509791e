// The engine's client against a real Docker engine (with_engine.sh starts it).
#include "engine/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "base/file.h"
#include "engine/logs_line.h"
#include "engine/multiplexed.h"

namespace boatswain::engine {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

// Runs the tool `docker` as a user would; returns what it prints, without the last newline.
std::string docker(const std::string& arguments) {
    std::string out;
    FILE* pipe = ::popen(("docker " + arguments + " 2>/dev/null").c_str(), "r");
    char buffer[4096];
    while (auto size = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, size);
    ::pclose(pipe);
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

bool every_word(std::string_view) { return true; }
const WordFilter keep_everything{
    .environment = every_word, .label = every_word, .more_labels = every_word, .mount = every_word};

class EngineClient : public testing::Test {
  protected:
    EngineClient() {
        const char* socket = std::getenv("BOATSWAIN_TEST_ENGINE_SOCKET");
        if (!socket) throw std::runtime_error("run by tests/live/with_engine.sh");
        Endpoint endpoint{.address = socket};
        client_ = std::move(make_client(io_.get_executor(), endpoint).value());
    }
    ~EngineClient() override {
        for (const auto& id : made_) docker("rm -f " + id);
    }

    // Runs one call to its end; the stuck test is ended by gtest's own time limit, the call by its own.
    template <class T>
    Result<T> run(Task<T> task) {
        std::optional<Result<T>> result;
        boost::asio::co_spawn(io_, std::move(task), [&](std::exception_ptr failure, Result<T> value) {
            if (failure) std::rethrow_exception(failure);
            result = std::move(value);
        });
        io_.restart();
        while (!result) io_.run_one();
        return std::move(*result);
    }

    // Starts a container that is removed after the test; returns its id.
    std::string start(const std::string& arguments) {
        auto id = docker("run -d " + arguments);
        made_.push_back(id);
        return id;
    }

    std::string read_all(ByteStream& stream) {
        std::string all;
        for (;;) {
            auto bytes = run(stream.next());
            EXPECT_TRUE(bytes) << bytes.error().what;
            if (!bytes || bytes->empty()) return all;
            all += *bytes;
        }
    }

    // What the frames of one stream hold.
    static std::string payload(std::string_view framed, Stream wanted) {
        std::string text;
        MultiplexedParser parser;
        auto fed = parser.feed(framed, [&](Stream stream, std::string_view bytes, bool) {
            if (stream == wanted) text += bytes;
        });
        EXPECT_TRUE(fed) << fed.error().what;
        EXPECT_TRUE(parser.at_frame_start());
        return text;
    }

    // GET /logs' text without the times.
    static std::string without_times(const std::string& text) {
        std::string out;
        std::size_t at = 0;
        while (at < text.size()) {
            auto end = text.find('\n', at);
            end = end == text.npos ? text.size() : end + 1;
            auto line = text.substr(at, end - at);
            EXPECT_TRUE(parse_time(line.substr(0, time_text_size))) << line;
            out += line.substr(time_text_size + 1);
            at = end;
        }
        return out;
    }

    boost::asio::io_context io_;
    std::unique_ptr<Client> client_;
    std::vector<std::string> made_;
};

TEST_F(EngineClient, SettlesOnAVersionAndLearnsTheDataRoot) {
    auto info = run(client_->negotiate());
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_THAT(info->version, Not(testing::IsEmpty()));
    EXPECT_EQ(info->root_dir, std::getenv("BOATSWAIN_TEST_ENGINE_ROOT"));
    EXPECT_EQ(info->default_log_driver, "json-file");
}

TEST_F(EngineClient, ListsRunningAndExitedAndCreatedContainers) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto running = start("bw/busybox sleep 100");
    auto exited = start("bw/busybox true");
    docker("wait " + exited);
    auto created = docker("create bw/busybox");
    made_.push_back(created);
    auto list = run(client_->list());
    ASSERT_TRUE(list) << list.error().what;
    auto state_of = [&](const std::string& id) {
        for (const auto& one : list->containers)
            if (one.id == id) return one.state;
        return std::string{"missing"};
    };
    EXPECT_EQ(state_of(running), "running");
    EXPECT_EQ(state_of(exited), "exited");
    EXPECT_EQ(state_of(created), "created");
}

TEST_F(EngineClient, InspectsAContainerAndKeepsOnlyTheWantedEnvironment) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto id = start(
        "--name odd -e TENANT=acme -e 'M=a=b\nc' -e SECRET=s -l name=evil -l image=evil --log-opt max-size=10k "
        "-v /tmp:/data:ro --rm bw/busybox sleep 100");
    auto facts = run(client_->inspect(
        id, WordFilter{.environment = [](std::string_view key) { return key == "TENANT" || key == "M"; },
                       .label = [](std::string_view) { return true; },
                       .more_labels = {},
                       .mount = [](std::string_view) { return true; }}));
    ASSERT_TRUE(facts) << facts.error().what;
    EXPECT_EQ(facts->id, id);
    EXPECT_EQ(facts->name, "odd");
    EXPECT_EQ(facts->image, "bw/busybox");
    EXPECT_TRUE(facts->running);
    EXPECT_TRUE(facts->auto_remove);
    EXPECT_TRUE(facts->started_at);
    EXPECT_FALSE(facts->finished_at);
    EXPECT_EQ(facts->log_driver, "json-file");
    EXPECT_THAT(facts->log_options, Contains(Pair("max-size", "10k")));
    EXPECT_EQ(facts->log_path,
              std::string{std::getenv("BOATSWAIN_TEST_ENGINE_ROOT")} + "/containers/" + id + "/" + id + "-json.log");
    EXPECT_THAT(facts->environment, ElementsAre(Pair("M", "a=b\nc"), Pair("TENANT", "acme")));
    EXPECT_THAT(facts->mounts, ElementsAre(Pair("/tmp", "/data")));
}

TEST_F(EngineClient, ReadsTheSameFactsFromTheContainersDirectory) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto id = start("--name disk -e TENANT=acme -l app=x --log-opt max-size=10k -v /tmp:/data -t bw/busybox sleep 100");
    auto asked = run(client_->inspect(id, keep_everything));
    ASSERT_TRUE(asked) << asked.error().what;
    Path directory = Path{std::getenv("BOATSWAIN_TEST_ENGINE_ROOT")} / "containers" / id;
    auto found = parse_config_v2(read_file(directory / "config.v2.json", 1 << 20).value(),
                                 read_file(directory / "hostconfig.json", 1 << 20).value(), keep_everything);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->id, asked->id);
    EXPECT_EQ(found->name, asked->name);
    EXPECT_EQ(found->image, asked->image);
    EXPECT_EQ(found->created, asked->created);
    EXPECT_EQ(found->started_at, asked->started_at);
    EXPECT_EQ(found->tty, asked->tty);
    EXPECT_EQ(found->log_driver, asked->log_driver);
    EXPECT_EQ(found->log_options, asked->log_options);
    EXPECT_EQ(found->log_path, asked->log_path);
    EXPECT_EQ(found->labels, asked->labels);
    EXPECT_EQ(found->environment, asked->environment);
    EXPECT_EQ(found->mounts, asked->mounts);
}

TEST_F(EngineClient, TellsOfContainersAsTheyComeAndGo) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto events = run(client_->events(std::nullopt));
    ASSERT_TRUE(events) << events.error().what;
    auto id = docker("run -d --rm -l name=evil bw/busybox sh -c 'exit 3'");
    std::vector<Event::Action> seen;
    std::optional<int> exit_code;
    while (seen.empty() || seen.back() != Event::Action::destroy) {
        auto event = run((*events)->next());
        ASSERT_TRUE(event) << event.error().what;
        if (event->id != id) continue;
        seen.push_back(event->action);
        if (event->action == Event::Action::die) exit_code = event->exit_code;
    }
    using enum Event::Action;
    EXPECT_THAT(seen, ElementsAre(create, Event::Action::start, die, destroy));
    EXPECT_EQ(exit_code, 3);
}

TEST_F(EngineClient, ReplaysEventsFromTheGivenNanosecondOn) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto before = SystemClock{}.now();
    auto id = docker("create bw/busybox");
    made_.push_back(id);
    auto events = run(client_->events(before));
    ASSERT_TRUE(events) << events.error().what;
    auto event = run((*events)->next());
    ASSERT_TRUE(event) << event.error().what;
    EXPECT_EQ(event->id, id);
    EXPECT_EQ(event->action, Event::Action::create);

    auto again = run(client_->events(event->time));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(run((*again)->next())->time, event->time) << "since is inclusive";
}

TEST_F(EngineClient, ReadsTheLogsOfBothStreamsByteForByte) {
    ASSERT_TRUE(run(client_->negotiate()));
    for (std::string driver : {"json-file", "local"}) {
        auto id = start("--log-driver " + driver +
                        " bw/busybox sh -c 'echo one; echo two >&2; printf \"a\\000b\\r\\n\\n\"; printf end'");
        docker("wait " + id);
        auto stream = run(client_->logs(id, {}));
        ASSERT_TRUE(stream) << stream.error().what;
        auto framed = read_all(**stream);
        using namespace std::string_literals;
        EXPECT_EQ(without_times(payload(framed, Stream::out)), "one\na\0b\r\n\nend"s) << driver;
        EXPECT_EQ(without_times(payload(framed, Stream::err)), "two\n") << driver;
        EXPECT_EQ(read_all(**stream), "") << "the end stays the end";
    }
}

TEST_F(EngineClient, FollowsTheLogsUntilTheContainerEnds) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto id = start("bw/busybox sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.2; done'");
    auto stream = run(client_->logs(id, {.follow = true}));
    ASSERT_TRUE(stream) << stream.error().what;
    EXPECT_EQ(without_times(payload(read_all(**stream), Stream::out)), "1\n2\n3\n4\n5\n");
}

TEST_F(EngineClient, ReadsTheLastLinesAndThoseSinceATime) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto id = start("bw/busybox sh -c 'for i in 1 2 3 4 5; do echo $i; done'");
    docker("wait " + id);
    auto last = run(client_->logs(id, {.tail = 2}));
    ASSERT_TRUE(last) << last.error().what;
    auto text = payload(read_all(**last), Stream::out);
    EXPECT_EQ(without_times(text), "4\n5\n");
    auto five = parse_time(text.substr(text.find('\n') + 1, time_text_size));
    ASSERT_TRUE(five);
    auto since = run(client_->logs(id, {.since = five}));
    EXPECT_EQ(without_times(payload(read_all(**since), Stream::out)), "5\n");
    auto after = run(client_->logs(id, {.since = *five + 1ns}));
    EXPECT_EQ(payload(read_all(**after), Stream::out), "");
}

TEST_F(EngineClient, ReadsATerminalsLogsWithoutFrames) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto id = start("-t bw/busybox sh -c 'echo one; echo two >&2'");
    docker("wait " + id);
    auto stream = run(client_->logs(id, {}));
    ASSERT_TRUE(stream) << stream.error().what;
    EXPECT_EQ(without_times(read_all(**stream)), "one\r\ntwo\r\n");
}

TEST_F(EngineClient, AttachesToTheLiveOutput) {
    ASSERT_TRUE(run(client_->negotiate()));
    for (std::string options : {"", "--log-driver none ", "-t --log-driver none "}) {
        auto id = docker("create " + options + "bw/busybox sh -c 'echo one; echo two >&2; sleep 0.3; printf three'");
        made_.push_back(id);
        auto stream = run(client_->attach(id));
        ASSERT_TRUE(stream) << stream.error().what;
        docker("start " + id);
        auto bytes = read_all(**stream);
        if (options.starts_with("-t")) {
            EXPECT_EQ(bytes, "one\r\ntwo\r\nthree");
        } else {
            EXPECT_EQ(payload(bytes, Stream::out), "one\nthree") << options;
            EXPECT_EQ(payload(bytes, Stream::err), "two\n") << options;
        }
    }
}

TEST_F(EngineClient, NamesWhatTheEngineRefuses) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto missing = run(client_->inspect(std::string(64, 'a'), keep_everything));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().remedy, Remedy::re_resolve);
    EXPECT_THAT(missing.error().what, HasSubstr("404 No such container"));

    auto unreadable = start("--log-driver none bw/busybox sleep 100");
    auto logs = run(client_->logs(unreadable, {.follow = true}));
    ASSERT_FALSE(logs);
    EXPECT_EQ(logs.error().remedy, Remedy::stop);
    EXPECT_THAT(logs.error().what, HasSubstr("does not support reading"));

    auto paused = start("bw/busybox sleep 100");
    docker("pause " + paused);
    auto attach = run(client_->attach(paused));
    docker("unpause " + paused);
    ASSERT_FALSE(attach);
    EXPECT_EQ(attach.error().remedy, Remedy::re_resolve);
    EXPECT_THAT(attach.error().what, HasSubstr("409"));
}

TEST_F(EngineClient, CannotBeLedToAnotherPathByAnId) {
    ASSERT_TRUE(run(client_->negotiate()));
    auto facts = run(client_->inspect("../info?x=", keep_everything));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().remedy, Remedy::quarantine) << facts.error().what;
}

TEST_F(EngineClient, JoinedRecordsAreWhatTheContainerPrinted) {
    ASSERT_TRUE(run(client_->negotiate()));
    std::string printed =
        std::string(100'000, 'x') + "\n\nshort\n" + std::string(16'384, 'y') + "\n" + std::string(40'000, 'z');
    const std::string script =
        "sh -c 'head -c 100000 /dev/zero | tr \"\\000\" x; echo; echo; echo short; head -c 16384 /dev/zero | tr "
        "\"\\000\" y; echo; "
        "head -c 40000 /dev/zero | tr \"\\000\" z'";
    for (bool tty : {false, true}) {
        auto id = start((tty ? "-t bw/busybox " : "bw/busybox ") + script);
        docker("wait " + id);
        auto stream = run(client_->logs(id, {}));
        ASSERT_TRUE(stream) << stream.error().what;
        using enum LogsLineSplitter::Shape;
        LogsLineSplitter splitter{tty ? terminal : frames};
        std::string joined;
        Timestamp last{};
        auto on_record = [&](const LogsRecord& record) {
            EXPECT_GE(record.time, last) << "within a stream times never step back";
            last = record.time;
            joined += record.bytes;
            if (tty && record.ended_by_newline && joined.ends_with('\r')) joined.pop_back();
            if (record.ended_by_newline) joined += '\n';
        };
        auto on_message = [](std::string_view message) { ADD_FAILURE() << message; };
        for (;;) {
            auto bytes = run((*stream)->next());
            ASSERT_TRUE(bytes) << bytes.error().what;
            if (bytes->empty()) break;
            auto fed = splitter.feed(*bytes, on_record, on_message);
            ASSERT_TRUE(fed) << fed.error().what;
        }
        ASSERT_TRUE(splitter.end(on_record, on_message));
        EXPECT_TRUE(joined == printed) << "tty " << tty << ": " << joined.size() << " of " << printed.size()
                                       << " bytes";
    }
}

TEST_F(EngineClient, FollowsManyContainersAtOnce) {
    ASSERT_TRUE(run(client_->negotiate()));
    constexpr std::size_t count = 20;
    std::vector<std::unique_ptr<ByteStream>> streams;
    for (std::size_t i = 0; i < count; ++i) {
        auto id = start("bw/busybox sh -c 'sleep 1; echo " + std::to_string(i) + "'");
        auto stream = run(client_->logs(id, {.follow = true}));
        ASSERT_TRUE(stream) << stream.error().what;
        streams.push_back(std::move(*stream));
    }
    for (std::size_t i = 0; i < count; ++i)
        EXPECT_EQ(without_times(payload(read_all(*streams[i]), Stream::out)), std::to_string(i) + "\n");
}

}  // namespace
}  // namespace boatswain::engine
