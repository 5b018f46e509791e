#include <algorithm>

#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

// Times, messages and gaps of all files, sorted, by zstd and Python.
const std::string rows_of_files =
    "for part in $(find files -name '*.ndjson.zst' | sort); do zstd -dcq $part; done | python3 -c '\n"
    "import base64, json, sys\n"
    "for row in sorted((json.loads(line) for line in sys.stdin), key=lambda row: row[\"time\"]):\n"
    "    exact = base64.b64decode(row[\"bytes_base64\"]).hex() if \"bytes_base64\" in row else \"\"\n"
    "    print(row[\"time\"], row[\"app\"], row.get(\"stream\", \"gap\"), row.get(\"message\", row.get(\"gap\")), "
    "exact)'";

TEST_F(Tool, ExportWritesFilesThatOtherProgramsRead) {
    put_example();
    put(key("acme", ten, 9), {{source("acme", "odd", "odd-1"), {{ten, "\xff"}}}}, acme_);
    auto ran = run("boatswain export --store dir:store -i acme.key --tenant acme --out files");
    EXPECT_THAT(ran.out, MatchesRegex("5 lines and 1 gap of 2 hours in 2 files, [0-9]+ B, to dir:files\n"));
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(run("cd files && find . -type f | sort").out,
              "./tenant=acme/date=2026-11-23/hour=10/_boatswain.json\n"
              "./tenant=acme/date=2026-11-23/hour=10/part-00001.ndjson.zst\n"
              "./tenant=acme/date=2026-11-23/hour=12/_boatswain.json\n"
              "./tenant=acme/date=2026-11-23/hour=12/part-00001.ndjson.zst\n");
    EXPECT_EQ(run(rows_of_files).out,
              "2026-11-23T10:00:00.000000000Z shop/cart stdout started \n"
              "2026-11-23T10:00:00.000000000Z odd stdout \xef\xbf\xbd ff\n"
              "2026-11-23T10:00:01.000000000Z shop/db stdout ready \n"
              "2026-11-23T10:00:02.000000000Z shop/cart stderr no stock of article 7 \n"
              "2026-11-23T10:00:03.000000000Z shop/db gap rotated-away \n"
              "2026-11-23T12:00:00.000000000Z shop/cart stdout stopped \n");
    auto again = run("boatswain export --store dir:store -i acme.key --tenant acme --out files");
    EXPECT_THAT(again.out, StartsWith("0 lines and 0 gaps of 0 hours in 0 files"));
    EXPECT_EQ(again.err, "note: 2 hours were exported before\n");
}

TEST_F(Tool, ExportNarrowsByQueryAndWritesCsv) {
    put_example();
    auto ran =
        run("boatswain export '{app=\"shop/cart\"} |= \"st\"' --stream stdout --store dir:store -i acme.key "
            "--out files --format csv --until '2026-11-23 11:00'");
    EXPECT_THAT(ran.out, StartsWith("1 line and 0 gaps of 1 hour in 1 file"));
    EXPECT_THAT(
        run("python3 -c 'import csv; [print(r[\"message\"], r[\"labels\"]) for r in csv.DictReader(open(\"files/"
            "tenant=acme/date=2026-11-23/hour=10/part-00001.csv\"))]'")
            .out,
        MatchesRegex(R"(started \{"app":"shop/cart",.*"tenant":"acme"\})"
                     "\n"));
}

TEST_F(Tool, ExportSaysWhatItCannotDo) {
    put_example();
    auto refused = [&](const std::string& options) { return run("boatswain export -i acme.key " + options).err; };
    EXPECT_THAT(refused("--store dir:store"), HasSubstr("--out is required"));
    EXPECT_THAT(refused("--store dir:store --out store"), HasSubstr("--out is the store itself"));
    EXPECT_THAT(refused("--store dir:store --out files 'rate({app=\"x\"}[5m])'"),
                HasSubstr("this query gives numbers"));
    EXPECT_EQ(run("boatswain export -i acme.key --store dir:store --out files --app shop/cart").code, 0);
    EXPECT_THAT(refused("--store dir:store --out files"), HasSubstr("Export to another place, or write over it"));
    write("store/" + key("acme", ten, 5).str(), "broken");
    auto ran = run("boatswain export -i acme.key --store dir:store --out files --again");
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.out, StartsWith("4 lines and 1 gap"));
    EXPECT_THAT(ran.err, HasSubstr("0000000005.age: "));
}

// Killed again and again, at any moment: the files are those of one run, and no line is there twice.
TEST_F(Tool, ExportGoesOnAfterAKill) {
    constexpr int hours = 15;
    auto web = source("acme", "web", "web-1");
    for (int i = 0; i < hours; ++i) {
        auto hour = ten + std::chrono::hours{i};
        put(key("acme", hour, static_cast<std::uint64_t>(i) + 1),
            {{web, {{hour, std::to_string(i)}, {hour + std::chrono::minutes{70}, "next hour"}}}}, acme_);
    }
    auto killed =
        run("for part in 1 5 11; do\n  '" + tool_path +
            "' export --store dir:store -i acme.key --out files > /dev/null 2>&1 & tool=$!\n"
            "  until [ $(find files -name 'part-*' 2> /dev/null | wc -l) -ge $part ]; do kill -0 $tool "
            "2> /dev/null || break; done\n  kill -9 $tool 2> /dev/null\n  wait $tool\ndone 2> /dev/null; true");
    EXPECT_EQ(run("boatswain export --store dir:store -i acme.key --out files").code, 0) << killed.err;
    auto rows = run(rows_of_files).out;
    EXPECT_EQ(std::ranges::count(rows, '\n'), 2 * hours) << rows;
    // A source's own order goes before that of its times.
    auto lines =
        run("boatswain logs --store dir:store -i acme.key | sed 's/^\\(.*\\)Z web /\\1000000Z web stdout /; s/$/ /' | "
            "sort");
    EXPECT_EQ(rows, lines.out);
}

}  // namespace
}  // namespace boatswain::tool
