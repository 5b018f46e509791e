#include "intake/cri_file/cri_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace boatswain::intake {
namespace {

struct Scanned {
    LogRecord record;
    std::string message;
};

std::optional<Scanned> scan(CriLineScanner& scanner, std::string_view line) {
    Scanned scanned;
    scanned.message.resize(line.size() + RecordScanner::slack);
    if (!scanner.scan(line, scanned.message.data(), scanned.record)) return std::nullopt;
    scanned.message.resize(scanned.record.message_bytes);
    return scanned;
}
std::optional<Scanned> scan(std::string_view line) {
    CriLineScanner scanner;
    return scan(scanner, line);
}

TEST(CriLine, HasTimeStreamTagAndMessage) {
    auto found = scan("2026-11-29T11:27:17.963756285Z stderr F GET / 200");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->record.time, *parse_time("2026-11-29T11:27:17.963756285Z"));
    EXPECT_EQ(found->record.stream, Stream::err);
    EXPECT_TRUE(found->record.newline);
    EXPECT_EQ(found->message, "GET / 200");
}

TEST(CriLine, TimesMayLackZerosOrHaveAZone) {
    for (const auto* time :
         {"2026-11-29T11:27:17Z", "2026-11-29T11:27:17.9Z", "2026-11-29T11:27:17.91297295Z",
          "2026-11-29T11:27:17.796730654+00:00", "2026-11-29T13:27:17.796730654+02:00", "2026-11-29T11:27:17+00:00"}) {
        CriLineScanner scanner;
        for (int times = 0; times < 2; ++times) {
            auto found = scan(scanner, std::string{time} + " stdout F x");
            ASSERT_TRUE(found) << time;
            EXPECT_EQ(found->record.time, *parse_time(time)) << time;
        }
    }
}

TEST(CriLine, APieceEndsNoLine) {
    auto found = scan("2026-11-29T11:27:17.963756285Z stdout P half a li");
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->record.newline);
    EXPECT_TRUE(scan("2026-11-29T11:27:17.963756285Z stdout F:tag ne")->record.newline) << "the first tag counts";
}

TEST(CriLine, MessagesAreExact) {
    using namespace std::literals;
    for (auto message : {""sv, " "sv, "  two blanks"sv, "\r"sv, "\0\xff"sv, "2026-11-29T11:27:17Z stdout F x"sv}) {
        auto found = scan("2026-11-29T11:27:17.9Z stdout F " + std::string{message});
        ASSERT_TRUE(found) << message;
        EXPECT_EQ(found->message, message);
    }
    EXPECT_EQ(scan("2026-11-29T11:27:17.9Z stdout F")->message, "") << "no blank behind the tag";
}

TEST(CriLine, AnythingElseIsMalformed) {
    for (const auto* line :
         {"", "hello", "2026-11-29T11:27:17.9Z", "2026-11-29T11:27:17.9Z stdout", "2026-11-29T11:27:17.9Z stdin F x",
          "2026-11-29T11:27:17.9Z stdout Q x", "2026-11-29T11:27:17.9Z stdout  F x",
          "2026-11-29 11:27:17.9Z stdout F x", "2026-11-29T11:27:17.Z stdout F x", "2026-11-29T11:27:61Z stdout F x",
          "2026-11-29T11:27:17.1234567890Z stdout F x", "2026-13-29T11:27:17Z stdout F x",
          R"({"log":"x\n","stream":"stdout","time":"2026-11-29T11:27:17.9Z"})"})
        EXPECT_FALSE(scan(line)) << line;
}

TEST(CriForm, ARecordBehindZerosIsFound) {
    std::string line(5, '\0');
    EXPECT_EQ(cri_form.find_record(line + "2026-11-29T11:27:17.9Z stdout F x"), 5U);
    EXPECT_EQ(cri_form.find_record("2026"), std::string_view::npos);
}

TEST(CriForm, OnlyAWholeRecordTellsItsTime) {
    constexpr std::string_view record = "2026-11-29T11:27:17.9Z stdout F x";
    EXPECT_EQ(cri_form.scan_back(record, true), parse_time("2026-11-29T11:27:17.9Z"));
    EXPECT_FALSE(cri_form.scan_back(record, false)) << "it may be a tenant's own text";
}

}  // namespace
}  // namespace boatswain::intake
