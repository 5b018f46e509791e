#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <map>
#include <memory>

#include "base/json_reader.h"
#include "export/exporter.h"
#include "export/manifest.h"
#include "export/part_writer.h"
#include "query/filter_source.h"
#include "query/store_for_test.h"

namespace boatswain::exporting {
namespace {

using namespace query::testing;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Timestamp ten = at("2026-11-23T10:00:00Z");

// Stops working after so many files, as a process that is killed does.
class DyingStore final : public store::Store {
  public:
    MemoryStore inner;
    std::uint64_t files_left = UINT64_MAX;

    Result<store::PutOutcome> put(std::string_view, std::string_view, std::string_view) override {
        return fail(Remedy::stop, "not for exports");
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        if (files_left == 0) return fail(Remedy::stop, "killed");
        --files_left;
        return inner.replace(key, bytes, sha256);
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override { return inner.read(key, range); }
    Result<std::string> read(std::string_view key) override { return inner.read(key); }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        return inner.list(prefix, delimited, next);
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "memory"; }
};

struct Silent final : query::Observer {
    void damaged(const Error& error) override { damages.push_back(error.what); }
    std::vector<std::string> damages;
};

class Export : public ::testing::Test {
  protected:
    void add(const segment::ObjectKey& key, const std::vector<TestFrame>& frames) {
        query::testing::add(store_, key, frames, acme_);
    }
    Result<Exported> run(ExportQuestion question = {}) {
        query::Budget budget;
        logql::Ground ground{.store = store_,
                             .identities = {&acme_, 1},
                             .tenant = {},
                             .limits = {.budget = budget},
                             .observer = silent_};
        if (question.text.empty()) question.text = "all";
        if (!question.selection) question.selection = query::all_of({});
        return run_export(ground, question, target_, [](const Exported&) {});
    }
    // Of all files, as zstd and a shell would give it.
    std::string rows() {
        std::string all;
        for (const auto& [key, bytes] : target_.inner.objects)
            if (key.ends_with(".ndjson.zst")) all += text_of(bytes);
        return all;
    }
    static std::string text_of(const std::string& zst) {
        std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context{ZSTD_createDCtx(), &ZSTD_freeDCtx};
        std::string text;
        std::string room(ZSTD_DStreamOutSize(), '\0');
        ZSTD_inBuffer in{.src = zst.data(), .size = zst.size(), .pos = 0};
        std::size_t left = 1;
        while (left != 0) {
            ZSTD_outBuffer out{.dst = room.data(), .size = room.size(), .pos = 0};
            left = ZSTD_decompressStream(context.get(), &out, &in);
            if (ZSTD_isError(left) || (out.pos == 0 && in.pos == in.size && left != 0))
                throw std::runtime_error("zstd");
            text.append(room, 0, out.pos);
        }
        return text;
    }
    std::vector<std::string> messages() {
        std::vector<std::string> found;
        auto text = rows();
        for (std::string_view rest = text; !rest.empty();) {
            auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(line.size() + 1);
            json::parser parser;
            std::optional<json::object> row = json::parse_object(parser, line, "a row").value();
            found.push_back(json::text_of(row, json::field(row, "gap") ? "gap" : "message"));
        }
        return found;
    }

    open::Identity acme_ = open::Identity::generate();
    MemoryStore store_;
    DyingStore target_;
    Silent silent_;
};

TEST_F(Export, WritesEachHourOfEachTenantApart) {
    auto web = source("acme", "shop/web", "web-1");
    add(key("acme", ten, 1), {{web, {{ten, "a"}, {ten + hours{1}, "b"}}}});
    add(key("acme", ten + hours{40}, 2), {{web, {{ten + hours{40}, "c"}}}});
    add(key("globex", ten, 1), {{source("globex", "x", "x-1"), {{ten, "d"}}}});
    auto done = run();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->hours, 4U);
    EXPECT_EQ(done->lines, 4U);
    std::vector<std::string> names;
    for (const auto& [name, bytes] : target_.inner.objects)
        if (!name.ends_with(manifest_name)) names.push_back(name);
    EXPECT_THAT(names, ElementsAre("tenant=acme/date=2026-11-23/hour=10/part-00001.ndjson.zst",
                                   "tenant=acme/date=2026-11-23/hour=11/part-00001.ndjson.zst",
                                   "tenant=acme/date=2026-11-25/hour=02/part-00001.ndjson.zst",
                                   "tenant=globex/date=2026-11-23/hour=10/part-00001.ndjson.zst"));
    EXPECT_EQ(text_of(target_.inner.objects[names[0]]),
              R"({"time":"2026-11-23T10:00:00.000000000Z","host":"node-1","app":"shop/web","source":"web-1-id",)"
              R"("name":"web-1","stream":"stdout","partial":false,"message":"a"})"
              "\n");
}

TEST_F(Export, KeepsBytesThatAreNoTextAndGaps) {
    TestEntry gap{.time = ten + seconds{1}, .bytes = "rotated-away", .gap = true, .gap_length = hours{2}};
    add(key("acme", ten, 1), {{source("acme", "a", "a-1"), {{ten, "\xff,\"x"}, gap, {ten + hours{1}, "y"}}}});
    ASSERT_TRUE(run());
    EXPECT_THAT(messages(), ElementsAre("\xef\xbf\xbd,\"x", "rotated-away", "y")) << "the gap is there once";
    EXPECT_THAT(rows(), AllOf(HasSubstr(R"("bytes_base64":"/ywieA==")"),
                              HasSubstr(R"("gap_until":"2026-11-23T12:00:01.000000000Z","gap_lines_min":3)")));
    target_.inner.objects.clear();
    ASSERT_TRUE(run({.format = RowFormat::csv}));
    EXPECT_EQ(target_.inner.objects["tenant=acme/date=2026-11-23/hour=10/part-00001.csv"],
              "time,host,app,component,instance,source,name,stream,partial,message,bytes_base64,gap,gap_until,"
              "gap_lines_min,gap_bytes_min\n"
              "2026-11-23T10:00:00.000000000Z,node-1,a,,,a-1-id,a-1,stdout,false,\"\\xff,\"\"x\",/ywieA==,,,,\n"
              "2026-11-23T10:00:01.000000000Z,node-1,a,,,a-1-id,a-1,,,,,rotated-away,2026-11-23T12:00:01.000000000Z,3,"
              "0\n");
}

TEST_F(Export, WritesWhatAQueryLeaves) {
    add(key("acme", ten, 1), {{source("acme", "a", "a-1"), {{ten, R"({"level":"warn"})"}, {ten, "{}"}}}});
    auto parsed = logql::parse_query(R"({app="a"} | json | level="warn" | line_format "!")").value();
    auto done = run({.query = std::get<logql::LogQuery>(std::move(parsed)), .with_labels = true});
    ASSERT_TRUE(done);
    EXPECT_EQ(done->lines, 1U);
    EXPECT_THAT(rows(), AllOf(HasSubstr(R"("message":"!","labels":{)"), HasSubstr(R"("level":"warn")")));
}

TEST_F(Export, GoesOnWhereItWasEnded) {
    auto web = source("acme", "shop/web", "web-1");
    for (int i = 0; i < 5; ++i) add(key("acme", ten + hours{i}, i + 1), {{web, {{ten + hours{i}, std::to_string(i)}}}});
    for (std::uint64_t files = 0; files < 10; ++files) {
        target_.inner.objects.clear();
        target_.files_left = files;
        EXPECT_FALSE(run());
        target_.files_left = UINT64_MAX;
        auto rest = run();
        ASSERT_TRUE(rest);
        EXPECT_EQ(rest->hours_kept, files / 2) << files;
        EXPECT_THAT(messages(), ElementsAre("0", "1", "2", "3", "4")) << files;
    }
    auto again = run();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->hours, 0U);
    EXPECT_EQ(again->hours_kept, 5U);
}

// A kill leaves parts that no manifest names; what is written over them may be less.
TEST_F(Export, EmptiesPartsOfARunThatWasEnded) {
    auto web = source("acme", "shop/web", "web-1");
    add(key("acme", ten, 1), {{web, {{ten, "a"}}}});
    auto folder = std::string{"tenant=acme/date=2026-11-23/hour=10/"};
    target_.inner.objects[folder + part_name(RowFormat::ndjson, 2)] = "of a run that had more";
    ASSERT_TRUE(run());
    EXPECT_THAT(messages(), ElementsAre("a"));
}

TEST_F(Export, AddsWhatCameLaterAndKeepsWhatTheStoreDeleted) {
    auto web = source("acme", "shop/web", "web-1");
    add(key("acme", ten, 1), {{web, {{ten, "early"}}}});
    ASSERT_TRUE(run());
    store_.objects.clear();
    add(key("acme", ten, 1, "node-2"), {{web, {{ten, "late"}}}});
    auto done = run();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->lines, 1U);
    EXPECT_THAT(messages(), ElementsAre("early", "late"));
    ASSERT_TRUE(run({.again = true}));
    EXPECT_THAT(messages(), ElementsAre("late")) << "all of it is written again";
}

TEST_F(Export, GoesOnWhereWritingAgainWasEnded) {
    auto web = source("acme", "shop/web", "web-1");
    for (std::uint64_t files = 0; files < 4; ++files) {
        store_.objects.clear();
        target_.inner.objects.clear();
        add(key("acme", ten, 1), {{web, {{ten, "early"}}}});
        ASSERT_TRUE(run());
        add(key("acme", ten, 2), {{web, {{ten, "late"}}}});
        ASSERT_TRUE(run());
        target_.files_left = files;
        EXPECT_FALSE(run({.again = true})) << files;
        target_.files_left = UINT64_MAX;
        ASSERT_TRUE(run());
        EXPECT_THAT(messages(), ElementsAre("early", "late")) << "killed after " << files;
    }
}

TEST_F(Export, RefusesToMixQuestions) {
    add(key("acme", ten, 1), {{source("acme", "a", "a-1"), {{ten, "x"}}}});
    ASSERT_TRUE(run({.text = "one"}));
    auto other = run({.text = "another"});
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().what, AllOf(HasSubstr("hour=10/_boatswain.json is of the export of one"),
                                          HasSubstr("this is one of another"), HasSubstr("--again")));
    EXPECT_TRUE(run({.text = "another", .again = true}));
    target_.inner.objects["tenant=acme/date=2026-11-23/hour=10/_boatswain.json"] = "{}";
    EXPECT_FALSE(run({.text = "another"})) << "somebody else's file";
}

TEST_F(Export, TakesWholeHoursOfARange) {
    auto web = source("acme", "shop/web", "web-1");
    for (int i = 0; i < 4; ++i) add(key("acme", ten + hours{i}, i + 1), {{web, {{ten + hours{i}, std::to_string(i)}}}});
    ASSERT_TRUE(run({.range = {ten + hours{1} + seconds{1}, ten + hours{2} + seconds{1}}}));
    EXPECT_THAT(messages(), ElementsAre("1", "2"));
}

// One object under a name that only somebody hostile, or a broken clock, gives.
TEST_F(Export, IsNotHeldUpByHoursFarAway) {
    auto web = source("acme", "shop/web", "web-1");
    for (const auto* when : {"1700-01-01T00:00:00Z", "2026-11-23T10:00:00Z", "2261-12-31T22:00:00Z"})
        add(key("acme", at(when), 1), {{web, {{at(when), when}}}});
    auto done = run();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->lines, 3U);
    EXPECT_EQ(done->hours, 3U);
}

TEST_F(Export, CutsLargeHoursIntoParts) {
    std::vector<TestEntry> entries;
    for (int i = 0; i < 20; ++i) entries.push_back({.time = ten + seconds{i}, .bytes = std::string(1'000'000, 'x')});
    for (std::uint64_t i = 0; i < 20; ++i) add(key("acme", ten, i + 1), {{source("acme", "a", "a-1"), {entries[i]}}});
    auto done = run({.format = RowFormat::csv});
    ASSERT_TRUE(done);
    EXPECT_EQ(done->parts, 2U);
    EXPECT_EQ(done->bytes, [&] {
        std::uint64_t sum = 0;
        for (const auto& [name, bytes] : target_.inner.objects) sum += name.ends_with(".csv") ? bytes.size() : 0;
        return sum;
    }());
    for (const auto& [name, bytes] : target_.inner.objects)
        if (name.ends_with(".csv")) EXPECT_TRUE(bytes.starts_with("time,host,")) << name;
}

TEST(Manifest, ReadsWhatItWroteAndNothingElse) {
    Manifest manifest{.question = R"({"a":"b"})",
                      .segments = {digest_of(key("acme", ten, 1)), digest_of(key("acme", ten, 2))},
                      .parts = 2,
                      .lines = 3,
                      .gaps = 4,
                      .bytes = 5,
                      .damaged = 6};
    EXPECT_EQ(parse_manifest(manifest.json()).value(), manifest);
    auto whole = manifest.json();
    EXPECT_FALSE(parse_manifest(whole.substr(0, whole.size() / 2)));
    for (const auto* bad : {"", "[]", "{}", R"({"format":"boatswain-export-2"})", R"({"format":"boatswain-export-1"})"})
        EXPECT_FALSE(parse_manifest(bad)) << bad;
}

}  // namespace
}  // namespace boatswain::exporting
