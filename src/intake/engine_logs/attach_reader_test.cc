#include "intake/engine_logs/attach_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/rig_for_test.h"
#include "intake/engine_logs/served_log_for_test.h"
#include "net/run_for_test.h"
#include "net/task_group.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake {
namespace {

using ::testing::ElementsAre;

constexpr auto id = "c0ffee";

// An engine with one container that is attached to, by one client.
class AttachedEngine final : public ServedLog {
  public:
    explicit AttachedEngine(boost::asio::io_context& io) : ServedLog(io), more_(io.get_executor()) {}

    void print(std::string_view bytes, Stream stream = Stream::out) {
        std::string head{stream == Stream::out ? '\1' : '\2', '\0', '\0', '\0'};
        for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(bytes.size() >> shift);
        say(tty ? std::string{bytes} : head + std::string{bytes});
    }
    void say(std::string_view raw) {
        pending_ += raw;
        waiting_ = false;
        more_.notify();
    }
    void end_stream() {
        ended_ = true;
        more_.notify();
    }
    // The client is attached, and has been given all there is.
    bool idle() const { return attached_ && waiting_; }

    engine::Task<std::unique_ptr<engine::ByteStream>> attach(std::string) override {
        ++attaches;
        if (refuses) co_return fail(Remedy::back_off, "attach: the engine is busy");
        ended_ = false;
        attached_ = true;
        co_return std::make_unique<Attached>(*this);
    }
    engine::Task<engine::ContainerFacts> inspect(std::string, WordFilter) override {
        engine::ContainerFacts facts;
        facts.id = id;
        facts.running = running;
        co_return facts;
    }

    bool tty = false, refuses = false, running = true;
    int attaches = 0;

  private:
    struct Attached final : engine::ByteStream {
        explicit Attached(AttachedEngine& o) : owner(o) {}
        ~Attached() override { owner.attached_ = false; }
        engine::Task<std::string_view> next() override {
            owner.waiting_ = true;
            while (owner.pending_.empty() && !owner.ended_) co_await owner.more_.wait();
            owner.waiting_ = false;
            given = std::exchange(owner.pending_, {});
            co_return std::string_view{given};
        }
        AttachedEngine& owner;
        std::string given;
    };
    net::Event more_;
    std::string pending_;
    bool ended_ = false, attached_ = false, waiting_ = false;
};

class AttachReaderTest : public ::testing::Test {
  protected:
    ~AttachReaderTest() override {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
        reader.reset();
    }
    // The container has just started, as it has for a reader that hears of its start; or it has been running.
    void start(bool was_running = false) {
        life.running = true;
        engine::ContainerFacts facts;
        facts.id = id;
        facts.running = was_running;
        facts.tty = engine.tty;
        facts.auto_remove = auto_remove;
        if (was_running) facts.started_at = rig.clock.now() - std::chrono::hours{1};
        auto feed = rig.batcher->open_feed(batch::testing::source(id), {identity.recipient()}, Checkpoint{}, false);
        reader = std::make_unique<AttachReader>(engine, facts, std::move(feed), life, counters, rig.clock, rig.log);
        tasks.spawn("read", [](AttachReaderTest& test) -> boost::asio::awaitable<void> {
            co_await test.reader->run();
            test.ran = true;
        }(*this));
        if (!engine.refuses) settle();
    }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, condition));
    }
    void settle() {
        run_until([&] { return engine.idle(); });
    }
    void print(std::string_view bytes, Stream stream = Stream::out) {
        engine.print(bytes, stream);
        settle();
    }
    // The container ends and is removed: the reader's run is over.
    void be_removed() {
        engine.running = life.running = false;
        life.removed = true;
        engine.end_stream();
        life.changed.notify();
        run_until([&] { return ran; });
    }
    void close() {
        reader->end_reading();
        reader->close({.time = rig.clock.now(), .reason = end_removed});
    }
    // From here on, until its return is destroyed, no line has room.
    batch::Charge fill() { return {rig.budget, "acme", 2 * rig.budget.bytes_max()}; }

    // Lines and gaps in their order, and whether the source was closed at its end.
    std::vector<std::string> sealed() {
        EXPECT_TRUE(rig.seal_all());
        std::vector<std::string> found;
        for (const auto& object : rig.take_all()) {
            auto segment = open::read_segment(object.bytes, identity);
            for (const auto& line : segment.lines[id])
                found.push_back((line.stream == Stream::err ? "err " : "") + open::shown(line));
            for (const auto& frame : segment.footer.frames)
                if (frame.counts.end) found.push_back("end:" + frame.counts.end->reason);
        }
        return found;
    }

    boost::asio::io_context io;
    batch::testing::Rig rig;
    StreamCounters counters{rig.metrics};
    open::Identity identity = open::Identity::generate();
    AttachedEngine engine{io};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    ContainerState life{io.get_executor()};
    std::unique_ptr<AttachReader> reader;
    bool auto_remove = false, ran = false;
};

TEST_F(AttachReaderTest, TakesBothStreamsLineByLineToTheEnd) {
    start();
    print("one\ntw");
    print("mistake\n", Stream::err);
    print("o\nthree");
    be_removed();
    close();
    EXPECT_THAT(sealed(), ElementsAre("one", "err mistake", "two", "P three", "end:removed"));
}

TEST_F(AttachReaderTest, TakesATerminalsBytesAsTheyAre) {
    engine.tty = true;
    start();
    print("one\r\n\1\2\n");
    EXPECT_THAT(sealed(), ElementsAre("one\r", "\1\2"));
}

TEST_F(AttachReaderTest, ReadsOnWithoutRoomAndNamesWhatItDroppedInItsPlace) {
    start();
    print("kept\n");
    {
        auto full = fill();
        print("dropped 1\ndropped 2\n");
    }
    print("kept too\n");
    EXPECT_THAT(sealed(), ElementsAre("kept", "gap:attach-overflow", "kept too"));
    EXPECT_EQ(counters.dropped_bytes.value(), 20);
}

TEST_F(AttachReaderTest, NamesWhatItDroppedThoughTheContainerEndsBeforeThereIsRoom) {
    start();
    print("kept\n");
    auto full = fill();
    print("dropped\n");
    be_removed();
    close();
    EXPECT_THAT(sealed(), ElementsAre("kept", "gap:attach-overflow", "end:removed"));
}

TEST_F(AttachReaderTest, NamesWhatItDroppedThoughTheAgentEndsBeforeThereIsRoom) {
    start();
    print("kept\n");
    auto full = fill();
    print("dropped\nunfinished");
    tasks.cancel();
    reader->end_reading();
    EXPECT_THAT(sealed(), ElementsAre("kept", "gap:attach-overflow"));
}

TEST_F(AttachReaderTest, NamesTheTimeInWhichItRanAndNobodyWasAttached) {
    start(true);
    print("after an hour\n");
    EXPECT_THAT(sealed(), ElementsAre("gap:not-attached", "after an hour"));
}

TEST_F(AttachReaderTest, NamesItThoughItWasNeverAttachedAndDoesNotCallItWhole) {
    engine.refuses = true;
    start(true);
    run_until([&] { return engine.attaches > 0; });
    be_removed();
    close();
    EXPECT_THAT(sealed(), ElementsAre("gap:not-attached"));
    EXPECT_EQ(counters.errors.value(), 1);
}

TEST_F(AttachReaderTest, NamesATimeWithoutStreamAfterWhichItIsAttachedAgain) {
    start();
    print("before\nhalf of a li");
    engine.end_stream();
    run_until([&] { return engine.attaches == 2; });
    settle();
    print("after\n");
    EXPECT_THAT(sealed(), ElementsAre("before", "P half of a li", "gap:not-attached", "after"));
}

TEST_F(AttachReaderTest, AttachesAgainWhenItStartsAgainAndNamesNothing) {
    start();
    print("first run\n");
    engine.running = life.running = false;
    engine.end_stream();
    run_until([&] { return engine.attaches == 2; });
    life.running = engine.running = true;
    settle();
    print("second run\n");
    EXPECT_THAT(sealed(), ElementsAre("first run", "second run"));
}

TEST_F(AttachReaderTest, AttachesOnceToAContainerThatRemovesItself) {
    auto_remove = true;
    start();
    print("all of it\n");
    engine.end_stream();
    net::testing::run_for(io, std::chrono::milliseconds{500});
    EXPECT_EQ(engine.attaches, 1);
    be_removed();
    close();
    EXPECT_THAT(sealed(), ElementsAre("all of it", "end:removed"));
}

TEST_F(AttachReaderTest, TakesNothingFromAStreamThatItDoesNotUnderstand) {
    start();
    print("understood\n");
    engine.running = false;
    engine.say("\x7f not a frame");
    run_until([&] { return engine.attaches == 2; });
    EXPECT_THAT(sealed(), ElementsAre("understood"));
    EXPECT_EQ(counters.errors.value(), 1);
    EXPECT_TRUE(reader->trouble());
}

}  // namespace
}  // namespace boatswain::intake
