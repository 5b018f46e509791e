// For tests: a json-file log, written as the engine writes it, and what was sealed of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intake/json_file/docker_log_for_test.h"
#include "intake/json_file/reading_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake {

class LogFileReaderTest : public ::testing::Test {
  protected:
    Timestamp next() { return now += Nanoseconds{1000}; }
    void print(DockerLog& log, std::string_view message, Stream stream = Stream::out) {
        log.print(stream, next(), message);
    }
    Reading read(const DockerLog& log) { return {rig, log.path(), identity.recipient()}; }

    // What was sealed so far: "hello", "P hello" for a partial line, "gap:REASON".
    std::vector<std::string> sealed() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all()) {
            auto segment = open::read_segment(object.bytes, identity);
            for (const auto& line : segment.lines[Reading::id]) {
                found_.push_back(open::shown(line));
            }
        }
        return found_;
    }

    open::Identity identity = open::Identity::generate();
    batch::testing::Rig rig;
    Path directory = rig.directory / "containers/c0ffee";
    Timestamp now = *parse_time("2026-11-23T10:00:00Z");

  private:
    std::vector<std::string> found_;
};

}  // namespace boatswain::intake
