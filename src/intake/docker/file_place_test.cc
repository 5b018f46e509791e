#include "intake/docker/file_place.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/directory_for_test.h"
#include "intake/engine_logs/logs_place.h"
#include "intake/rotation/log_files.h"

namespace boatswain::intake::docker {
namespace {

using boatswain::testing::TestDirectory;

class FilePlace : public ::testing::Test {
  protected:
    struct Record {
        std::string time, text;
        Stream stream = Stream::out;
    };
    static std::string json(const Record& record) {
        return R"({"log":")" + record.text + R"(\n","stream":")" +
               (record.stream == Stream::out ? "stdout" : "stderr") + R"(","time":")" + record.time + "\"}\n";
    }
    void write(const std::string& suffix, std::size_t from, std::size_t to) {
        std::ofstream file{log_path.string() + suffix};
        for (auto i = from; i < to; ++i) file << json(records[i]);
    }
    // Where reading through the engine stands when it has taken so many.
    TimePosition taken(std::size_t count) const {
        LogsPlace place{{}, true};
        place.search(LogsPlace::How::hasty, std::nullopt, false);
        for (std::size_t i = 0; i < count; ++i) {
            engine::LogsRecord record{.stream = records[i].stream,
                                      .time = *parse_time(records[i].time),
                                      .bytes = records[i].text,
                                      .ended_by_newline = true};
            EXPECT_EQ(place.see(record, false), LogsPlace::Verdict::take);
            place.took(record, false, false, false);
        }
        return place.position();
    }
    std::size_t bytes(std::size_t from, std::size_t to) const {
        std::size_t sum = 0;
        for (auto i = from; i < to; ++i) sum += json(records[i]).size();
        return sum;
    }
    void print(std::size_t count, bool whole_seconds = false) {
        for (std::size_t i = 0; i < count; ++i) {
            auto time = *parse_time("2026-11-29T10:00:00Z") +
                        (whole_seconds ? Nanoseconds{std::chrono::seconds{records.size() / 50}}
                                       : Nanoseconds{1'234'567 * static_cast<std::int64_t>(records.size())});
            records.push_back({.time = to_text(time),
                               .text = whole_seconds ? "again" : "line " + std::to_string(records.size()),
                               .stream = records.size() % 3 == 2 ? Stream::err : Stream::out});
        }
    }

    TestDirectory directory;
    Path log_path = directory.path() / "c0ffee-json.log";
    std::vector<Record> records;
};

TEST_F(FilePlace, IsBehindTheEntryThatWasTakenLast) {
    for (bool whole_seconds : {false, true}) {
        records.clear();
        print(300, whole_seconds);
        write("", 0, records.size());
        for (std::size_t count : {1U, 2U, 49U, 50U, 51U, 123U, 299U, 300U}) {
            auto place = place_in_files(log_path, taken(count), true);
            ASSERT_TRUE(place) << count << whole_seconds;
            EXPECT_EQ(place->out_offset, bytes(0, count)) << count << whole_seconds;
            EXPECT_EQ(place->err_offset, place->out_offset);
        }
    }
}

TEST_F(FilePlace, IsFoundInAFileThatWasRotatedAndAtItsBeginning) {
    print(300);
    write(".1", 0, 200);
    write("", 200, 300);
    auto former = open_log_file(log_path.string() + ".1"), current = open_log_file(log_path);
    ASSERT_TRUE(former && current);
    for (std::size_t count : {150U, 199U, 201U, 250U}) {
        auto place = place_in_files(log_path, taken(count), true);
        ASSERT_TRUE(place) << count;
        EXPECT_EQ(place->inode, (count < 200 ? *former : *current)->inode()) << count;
        EXPECT_EQ(place->out_offset, count < 200 ? bytes(0, count) : bytes(200, count)) << count;
    }
}

TEST_F(FilePlace, IsNotGuessed) {
    print(300);
    auto place = taken(100);
    EXPECT_FALSE(place_in_files(log_path, place, true)) << "no file";
    write("", 200, 300);
    EXPECT_FALSE(place_in_files(log_path, place, true)) << "rotated away";
    write("", 0, 300);
    EXPECT_TRUE(place_in_files(log_path, place, true));
    place.after = 2;
    EXPECT_FALSE(place_in_files(log_path, place, true)) << "in the middle of a long line";
    EXPECT_FALSE(place_in_files(log_path, TimePosition{.out = place.out}, true)) << "times alone";
}

TEST_F(FilePlace, IsFoundFarFromTheEndOfALargeLog) {
    print(20'000);
    write("", 0, records.size());
    auto place = place_in_files(log_path, taken(1'000), true);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->out_offset, bytes(0, 1'000));
}

}  // namespace
}  // namespace boatswain::intake::docker
