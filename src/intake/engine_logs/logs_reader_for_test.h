// For tests: a LogsReader of one container, whose log the test writes (served_log_for_test.h), through the real batcher
// and spool, stopped and started again at will.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "batch/rig_for_test.h"
#include "intake/engine_logs/logs_reader.h"
#include "intake/engine_logs/served_log_for_test.h"
#include "net/run_for_test.h"
#include "net/task_group.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake {

class LogsReaderTest : public ::testing::Test {
  protected:
    ~LogsReaderTest() override { kill(); }

    void start() {
        auto checkpoint = rig.spool->checkpoint(id).value_or(Checkpoint{});
        const auto* position = std::get_if<TimePosition>(&checkpoint.position);
        auto feed = rig.batcher->open_feed(batch::testing::source(id), {identity.recipient()}, checkpoint, false);
        life = std::make_unique<ContainerState>(io.get_executor());
        life->running = running;
        engine::ContainerFacts facts;
        facts.id = id;
        facts.log_driver = driver;
        reader = std::make_unique<LogsReader>(log, facts, std::move(feed), position ? *position : TimePosition{}, *life,
                                              counters, suspects, rig.clock, rig.log);
        tasks.spawn("read", reader->run());
    }
    // Everything that was not sealed is forgotten, as kill -9 does.
    void kill() {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
        reader.reset();
    }
    void restart() {
        kill();
        rig.restart();
        start();
    }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, condition));
    }
    // Until the reader follows the log and has taken all of it.
    void settle() {
        run_until([&] { return log.idle(); });
        for (int turns = 0; turns < 50; ++turns) io.poll_one();
        run_until([&] { return log.idle(); });
    }
    void read() {
        start();
        settle();
    }
    // As where memory is short: what is pending of long lines is taken as it is.
    void put_down() {
        batch::Charge others{rig.budget, "others", rig.budget.bytes_max()};
        reader->put_down();
    }
    // All that was sealed so far, "P " before a partial line, "gap:REASON".
    std::vector<std::string> sealed() {
        std::vector<std::string> lines;
        for (const auto& line : sealed_lines()) lines.push_back(open::shown(line));
        return lines;
    }
    const std::vector<open::ReadLine>& sealed_lines() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all())
            for (auto& line : open::read_segment(object.bytes, identity).lines[id]) found_.push_back(std::move(line));
        return found_;
    }
    Timestamp next() { return now += Nanoseconds{1000}; }
    void print(int count) {
        for (int i = 0; i < count; ++i) {
            log.print("line " + std::to_string(printed), next(), printed % 3 == 2 ? Stream::err : Stream::out);
            wanted.push_back("line " + std::to_string(printed++));
        }
    }
    double repeated() { return static_cast<double>(counters.repeated.value()); }

    std::string id = "c0ffee";
    boost::asio::io_context io;
    batch::testing::Rig rig;
    StreamCounters counters{rig.metrics};
    std::string saved_suspects;
    Suspects suspects{{}, [this](const std::string& text) { saved_suspects = text; }, rig.clock, rig.metrics, rig.log};
    open::Identity identity = open::Identity::generate();
    ServedLog log{io};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    std::unique_ptr<ContainerState> life;
    std::unique_ptr<LogsReader> reader;
    bool running = true;
    std::string driver = "local";
    Timestamp now = *parse_time("2026-11-23T10:00:00Z");
    int printed = 0;
    std::vector<std::string> wanted;

  private:
    std::vector<open::ReadLine> found_;
};

}  // namespace boatswain::intake
