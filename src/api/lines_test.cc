// Our own routes: records, pages, files, lines around one, containers.
#include <simdjson.h>

#include "api/api_for_test.h"
#include "query/backward.h"
#include "query/cursor.h"

namespace boatswain::api {
namespace {

using namespace api::testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class LinesTest : public ApiTest {
  protected:
    void SetUp() override {
        ApiTest::SetUp();
        add(store, key("acme", ten, 3),
            {{.source = source("acme", "shop/job", "job-1"),
              .entries = {{ten + seconds{10}, "one"}, {ten + seconds{11}, "two"}, {ten + seconds{12}, "three"}},
              .first_ordinal = 5,
              .end = End{.time = ten + seconds{13}, .reason = end_removed, .exit_code = 3, .lines = 8}}},
            acme);
    }
    static std::string in_range(const std::string& path) {
        return "/boatswain/api/v1/" + path + (path.contains('?') ? "&" : "?") +
               "start=2026-11-23T09:00:00Z&end=2026-11-23T11:00:00Z";
    }
    std::string lines(const std::string& query, const std::string& more = {}) {
        return unchunked(get(in_range("lines?query=" + percent_encode(query) + more), of_acme));
    }
    // The body, of an answer in chunks.
    static std::string unchunked(const std::string& answer) {
        if (!answer.contains("Transfer-Encoding: chunked")) return answer;
        std::string body, left = body_of(answer);
        while (!left.empty()) {
            auto size = std::stoul(left, nullptr, 16);
            left.erase(0, left.find("\r\n") + 2);
            if (size == 0) return body;
            body += left.substr(0, size);
            left.erase(0, size + 2);
        }
        return body + "<broken off>";
    }
};

TEST_F(LinesTest, GivesRecordsWithExactBytesGapsAndEnds) {
    auto records = lines(R"({app=~"shop/[dj].*"})", "&direction=forward");
    EXPECT_THAT(
        records,
        AllOf(HasSubstr(R"({"kind":"line","time":"2026-11-23T10:00:01.000000000Z","source":"db-1-id","ordinal":0,)"
                        R"("stream":"stdout","level":"unknown","labels":{"app":"shop/db","container":"db-1",)"),
              HasSubstr(R"("fields":{"container_id":"db-1-id","image":"busybox"},"message_base64":"cmVhZHkg/w=="})"),
              HasSubstr(R"({"kind":"gap","time":"2026-11-23T10:00:03.000000000Z","source":"db-1-id","ordinal":1,)"
                        R"("from":"2026-11-23T10:00:03.000000000Z","to":"2026-11-23T10:00:03.000000000Z",)"
                        R"("reason":"rotated-away","lines_min":3,"bytes_min":0,)"),
              HasSubstr(R"("ordinal":7,"stream":"stdout")"), HasSubstr("\"message\":\"three\"}\n"),
              HasSubstr(R"({"kind":"end","time":"2026-11-23T10:00:13.000000000Z","source":"job-1-id","ordinal":8,)"
                        R"("reason":"removed","exit_code":3,"lines":8,"labels":{)"),
              HasSubstr("\n{\"kind\":\"done\",\"lines\":4,\"complete\":true,\"read_bytes\":"), EndsWith("}\n")));
    EXPECT_LT(records.find("\"one\""), records.find("\"two\""));
    auto latest = lines(R"({app="shop/job"})", "&limit=2");
    EXPECT_LT(latest.find("\"end\""), latest.find("\"three\""));
    EXPECT_THAT(latest, AllOf(Not(HasSubstr("\"one\"")), HasSubstr("\"complete\":false,\"cursor\":\"")));
}

TEST_F(LinesTest, PagesGiveEachLineOnceInBothDirections) {
    // Two sources at the same times, and one whose clock steps back.
    std::vector<TestEntry> same, back;
    for (int i = 0; i < 40; ++i) {
        same.push_back({ten + minutes{1} + seconds{i / 10}, "s" + std::to_string(i)});
        back.push_back({ten + minutes{1} + seconds{i < 20 ? i : i - 15}, "b" + std::to_string(i)});
    }
    add(store, key("acme", ten, 4), {{source("acme", "a", "a-1"), same}, {source("acme", "a", "a-2"), same}}, acme);
    add(store, key("acme", ten, 5), {{source("acme", "a", "a-3"), back}}, acme);
    for (const char* direction : {"forward", "backward"})
        for (const char* limit : {"7", "50", "120"}) {
            std::multiset<std::string> found;
            std::string cursor;
            int pages = 0;
            do {
                auto page = lines(R"({app="a"})", "&direction=" + std::string{direction} + "&limit=" + limit +
                                                      (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)));
                simdjson::dom::parser parser;
                cursor.clear();
                simdjson::padded_string text{page};
                for (auto record : parser.parse_many(text)) {
                    std::string_view kind;
                    ASSERT_EQ(record["kind"].get(kind), simdjson::SUCCESS) << page;
                    if (kind == "line")
                        found.insert(std::string{record["source"].get_string().value()} + " " +
                                     std::string{record["message"].get_string().value()});
                    std::string_view next;
                    if (kind == "done" && record["cursor"].get(next) == simdjson::SUCCESS) cursor = next;
                }
                ASSERT_LT(++pages, 200);
            } while (!cursor.empty());
            EXPECT_EQ(found.size(), 120U) << direction << limit;
            EXPECT_EQ((std::set<std::string>{found.begin(), found.end()}.size()), 120U) << direction << limit;
        }
}

TEST_F(LinesTest, RefusesACursorThatNoPageGave) {
    for (const char* cursor : {"x", "1995428001000000000", "1;a:1:1;01234567"})
        EXPECT_THAT(lines(R"({app="a"})", "&cursor=" + percent_encode(cursor)), HasSubstr("invalid cursor")) << cursor;
    // Of a line that is not in the range.
    query::Cursor later{false, R"({app="a"})"};
    auto who = source("acme", "a", "a-1");
    open::TextEntry text{.kind = open::TextEntry::Kind::line,
                         .line = {.time = ten + std::chrono::hours{1000}, .bytes = "x"}};
    auto named = key("acme", ten, 1);
    later.add({.segment = named, .source = who, .text = text});
    EXPECT_THAT(lines(R"({app="a"})", "&direction=forward&cursor=" + percent_encode(later.str())),
                HasSubstr("the cursor lies outside of the range"));
    EXPECT_THAT(lines(R"({app="b"})", "&direction=forward&cursor=" + percent_encode(later.str())),
                HasSubstr("is of another question"));
}

TEST_F(LinesTest, ShowsTheLinesAroundOne) {
    auto around = lines(R"({app=~".+"})", "&around=job-1-id:6&lines=1");
    EXPECT_THAT(around, AllOf(HasSubstr("\"one\""), HasSubstr("\"hit\":true,\"labels\""), HasSubstr("\"three\""),
                              HasSubstr("\"kind\":\"end\""), HasSubstr("\"lines\":0,\"complete\":true")));
    EXPECT_LT(around.find("\"one\""), around.find("\"hit\":true"));
    EXPECT_LT(around.find("\"hit\":true"), around.find("\"three\""));
    EXPECT_THAT(lines(R"({app=~".+"})", "&around=cart-1-id:0&lines=1"),
                AllOf(HasSubstr("started"), HasSubstr("no stock"), Not(HasSubstr("\"one\""))));
    for (const char* wrong : {"job-1-id:9", "job-1-id", ":1", "job-1-id:x", "web-1-id:0"})
        EXPECT_THAT(lines(R"({app=~".+"})", "&around=" + std::string{wrong}), StartsWith("HTTP/1.1 400 ")) << wrong;
}

TEST_F(LinesTest, GivesFilesToKeep) {
    auto file = [&](const std::string& format) {
        return get(in_range("lines?query=" + percent_encode(R"({app=~"shop/.*"})") + "&format=" + format), of_acme);
    };
    auto csv = file("csv");
    EXPECT_THAT(csv, HasSubstr("Content-Type: text/csv; charset=utf-8\r\n"));
    EXPECT_THAT(csv,
                HasSubstr("Content-Disposition: attachment; filename=\"logs-2026-11-23T090000.000000000Z.csv\"\r\n"));
    EXPECT_THAT(unchunked(csv),
                AllOf(StartsWith("kind,time,app,component,instance,container,source,ordinal,stream,level,message\r\n"
                                 "line,2026-11-23T10:00:00.000000000Z,shop/cart,,,cart-1,cart-1-id,0,stdout,info,"
                                 "\"level=info msg=\"\"started <b>\"\"\"\r\n"),
                      HasSubstr("gap,2026-11-23T10:00:03.000000000Z,shop/db,"), HasSubstr(",ready \\xff\r\n")));
    EXPECT_THAT(unchunked(file("json")),
                AllOf(StartsWith("[\n{\"kind\":\"line\""), HasSubstr("\"},\n{\"kind\":\"gap\""), EndsWith("}\n]\n")));
    EXPECT_THAT(unchunked(file("text")),
                AllOf(HasSubstr("2026-11-23T10:00:02.000000000Z shop/cart [stderr] level=error msg=\"no stock\"\n"),
                      HasSubstr(" shop/job --- end: removed, exit code 3\n")));
    EXPECT_EQ(unchunked(file("raw")),
              "level=info msg=\"started <b>\"\nready \xff\nlevel=error msg=\"no stock\"\none\ntwo\nthree\n");
    EXPECT_THAT(file("pdf"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(file("ndjson&download=true"), HasSubstr("Content-Disposition: attachment; filename=\"logs-"));
}

TEST_F(LinesTest, WritesNoFormulaIntoAFileForSpreadsheets) {
    add(store, key("acme", ten, 6), {{source("acme", "f", "f-1"), {{ten, "=HYPERLINK(\"x\")"}, {ten, "-1\r\nx"}}}},
        acme);
    EXPECT_THAT(lines(R"({app="f"})", "&format=csv"),
                AllOf(HasSubstr(",\"'=HYPERLINK(\"\"x\"\")\"\r\n"), HasSubstr(",'-1")));
}

TEST_F(LinesTest, EndsAFileInTheMiddleWhenItCannotBeWhole) {
    // Those of the first hour are on their way before the bound is met.
    for (std::uint64_t hour = 0; hour < 2; ++hour) {
        std::vector<TestEntry> entries;
        std::mt19937 random{static_cast<std::uint32_t>(hour)};
        auto at = ten - minutes{30} + minutes{45} * hour;
        for (int n = 0; n < 3000; ++n) {
            std::string line;
            for (int c = 0; c < 64; ++c) line += static_cast<char>('a' + random() % 26);
            entries.push_back({at + Nanoseconds{n}, line});
        }
        add(store, key("acme", at, 10 + hour), {{source("acme", "big", "big-1"), entries}}, acme);
    }
    limits.bytes_max = 200'000;
    EXPECT_THAT(lines(R"({app="big"})", "&format=raw"), EndsWith("<broken off>"));
    auto records = lines(R"({app="big"})", "&direction=forward&limit=100000");
    EXPECT_THAT(records, AllOf(HasSubstr("{\"kind\":\"error\",\"error\":\"the query would read too many bytes"),
                               Not(HasSubstr("<broken off>")), Not(HasSubstr("\"done\""))));
    limits.bytes_max = 100;
    TearDown();
    EXPECT_THAT(lines(R"({app="big"})"), StartsWith("HTTP/1.1 400 ")) << "nothing was on its way";
}

TEST_F(LinesTest, ListsContainersThatAreGoneToo) {
    auto all = body_of(get(in_range("containers"), of_acme));
    EXPECT_THAT(
        all,
        AllOf(StartsWith(R"({"status":"success","data":[{"source":"cart-1-id","app":"shop/cart",)"),
              HasSubstr(R"({"source":"job-1-id","app":"shop/job","component":"","instance":"","container":"job-1",)"
                        R"("image":"busybox","labels":{"app":"shop/job",)"),
              HasSubstr(R"("first":"2026-11-23T10:00:10.000000000Z","last":"2026-11-23T10:00:13.000000000Z",)"
                        R"("lines":3,"bytes":11,"gaps":0,"end":{"time":"2026-11-23T10:00:13.000000000Z",)"
                        R"("reason":"removed","exit_code":3}})"),
              Not(HasSubstr("web-1"))));
    EXPECT_THAT(get(in_range("containers?query=%7Bapp%3D%22shop%2Fdb%22%7D"), of_acme),
                AllOf(HasSubstr("db-1"), Not(HasSubstr("cart-1"))));
}

TEST_F(LinesTest, KeepsAReaderToItsTenantAndApps) {
    for (const char* path :
         {"lines?query=%7Bhost%3D~%22.%2B%22%7D", "containers", "lines?query=%7Btenant%3D%22globex%22%7D",
          "lines?query=%7Bhost%3D~%22.%2B%22%7D&format=csv"}) {
        auto answer = get(in_range(path), of_acme, "X-Scope-OrgID: globex\r\n");
        EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("globex")), Not(HasSubstr("web-1"))))
            << path;
        EXPECT_THAT(get(in_range(path), "x"), StartsWith("HTTP/1.1 401 "));
    }
    auto narrow = token("acme", {"shop/db"});
    for (const char* path : {"lines?query=%7Bhost%3D~%22.%2B%22%7D", "containers",
                             "lines?query=%7Bhost%3D~%22.%2B%22%7D&around=cart-1-id:0"})
        EXPECT_THAT(get(in_range(path), narrow), Not(HasSubstr("cart-1"))) << path;
}

}  // namespace
}  // namespace boatswain::api
