#include <sstream>

#include "boatswain/tool_for_test.h"
#include "query/forge_for_test.h"

namespace boatswain::tool {
namespace {

TEST_F(Tool, LogsPrintsTimeAppAndMessageInTheOrderOfTime) {
    put_example();
    auto ran = logs("--identity acme.key --tenant acme");
    EXPECT_EQ(ran.out,
              "2026-11-23T10:00:00.000Z shop/cart started\n"
              "2026-11-23T10:00:01.000Z shop/db ready\n"
              "2026-11-23T10:00:02.000Z shop/cart [stderr] no stock of article 7\n"
              "2026-11-23T10:00:03.000Z shop/db --- gap: rotated-away from 2026-11-23T10:00:03.000000000Z to "
              "2026-11-23T10:00:03.000000000Z, at least 3 lines\n"
              "2026-11-23T12:00:00.000Z shop/cart stopped\n");
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.code, 0);
}

TEST_F(Tool, LogsNarrowsByAppContainerStreamAndTime) {
    put_example();
    auto messages = [&](const std::string& options) {
        return logs("-i acme.key --tenant acme --output raw " + options).out;
    };
    EXPECT_EQ(messages("--app shop/db"), "ready\n");
    EXPECT_EQ(messages("--app shop/db --app shop/cart --limit 2"), "started\nready\n");
    EXPECT_EQ(messages("--container cart-1 --until '2026-11-23 11:00'"), "started\nno stock of article 7\n");
    EXPECT_EQ(messages("--container dddddd"), "ready\n");
    EXPECT_EQ(messages("--stream stderr"), "no stock of article 7\n");
    EXPECT_EQ(messages("--since 2026-11-23T10:00:01Z --until 2026-11-23T10:00:02Z"), "ready\n");
    EXPECT_EQ(messages("--tail 1"), "stopped\n");
    EXPECT_EQ(messages("--app shop/cart --tail 2"), "no stock of article 7\nstopped\n");
    EXPECT_EQ(messages("--app shop/cart --tail 50"), "started\nno stock of article 7\nstopped\n");
    EXPECT_EQ(messages("--until '2026-11-23 10:30' --stream stdout --app shop/cart --tail 1"), "started\n");
}

TEST_F(Tool, LogsPrintsBytesExactlyAsTheyWerePrinted) {
    auto all = every_byte_but_newline();
    put(key("acme", ten, 1),
        {{source("acme", "app", "app-1"),
          {{ten, all},
           {ten + seconds{1}, ""},
           {ten + seconds{2}, "half", Stream::out, true},
           {ten + seconds{3}, "whole"},
           {ten + seconds{4}, "last", Stream::out, true}}}},
        acme_);
    EXPECT_EQ(logs("-i acme.key --output raw").out, all + "\n\nhalfwhole\nlast");
}

TEST_F(Tool, LogsPrintsJsonThatKeepsBytesThatAreNoText) {
    put(key("acme", ten, 1),
        {{source("acme", "a\"pp", "app-1"), {{ten, "fine \"\t\x01"}, {ten + seconds{1}, "\xff!", Stream::err, true}}}},
        acme_);
    auto ran = logs("-i acme.key --output json");
    EXPECT_EQ(
        ran.out,
        R"({"time":"2026-11-23T10:00:00.000000000Z","tenant":"acme","app":"a\"pp","component":"","instance":"","container":"app-1-id","name":"app-1","stream":"stdout","partial":false,"message":"fine \"\t\u0001"})"
        "\n"
        R"({"time":"2026-11-23T10:00:01.000000000Z","tenant":"acme","app":"a\"pp","component":"","instance":"","container":"app-1-id","name":"app-1","stream":"stderr","partial":true,"message":")"
        "\xef\xbf\xbd"
        R"(!","message_base64":"/yE="})"
        "\n");
    EXPECT_EQ(run("boatswain logs --store dir:store -i acme.key --output json | python3 -c 'import json,sys; "
                  "[json.loads(l) for l in sys.stdin]'")
                  .code,
              0);
}

// Into a pipe too: `| less -R` and `| grep` bring it to the terminal all the same.
TEST_F(Tool, LogsKeepsCharactersThatActAwayFromATerminal) {
    put(key("acme", ten, 1), {{source("acme", "app\x1b[31m", "app-1"), {{ten, "a\tb\x1b]0;owned\x07"}}}}, acme_);
    EXPECT_THAT(logs("-i acme.key").out, AllOf(HasSubstr("a\tb\\x1b]0;owned\\x07"), HasSubstr("app\\x1b[31m")));
    EXPECT_EQ(logs("-i acme.key --output raw").out, "a\tb\x1b]0;owned\x07\n");
    auto shown = run("script -qec \"'" BOATSWAIN_TOOL "' logs --store dir:store -i acme.key\" /dev/null");
    EXPECT_THAT(shown.out, HasSubstr("a\tb\\x1b]0;owned\\x07"));
    EXPECT_THAT(shown.out, HasSubstr("\x1b[3")) << "coloured on a terminal";
    auto plain = run("NO_COLOR=1 script -qec \"'" BOATSWAIN_TOOL "' logs --store dir:store -i acme.key\" /dev/null");
    // Progress, which a slow machine sees, moves the cursor; nothing else does anything.
    EXPECT_THAT(plain.out, AllOf(HasSubstr("app\\x1b[31m"), Not(HasSubstr("\x1b[3")), Not(HasSubstr("\x1b]"))));
}

TEST_F(Tool, LogsColoursLinesByTheirLevelOnATerminal) {
    put(key("acme", ten, 1),
        {{source("acme", "app", "app-1"), {{ten, "ERROR no stock"}, {ten, "level=warn x"}, {ten, "fine"}}}}, acme_);
    auto shown = run("script -qec \"'" BOATSWAIN_TOOL "' logs --store dir:store -i acme.key\" /dev/null");
    EXPECT_THAT(shown.out, AllOf(HasSubstr("\x1b[31mERROR no stock\x1b[0m"), HasSubstr("\x1b[33mlevel=warn x\x1b[0m"),
                                 HasSubstr(" fine\r\n")));
    EXPECT_THAT(logs("-i acme.key").out, Not(HasSubstr("\x1b")));
}

TEST_F(Tool, LogsFollowWhatReachesTheStoreAfterTheLastLines) {
    auto hour = std::chrono::floor<std::chrono::hours>(SystemClock{}.now());
    put(key("acme", hour, 1), {{source("acme", "app", "app-1"), {{hour, "one"}, {hour, "two"}}}}, acme_);
    auto later = key("acme", hour, 2);
    put(later, {{source("acme", "other", "app-2"), {{hour, "three"}}}}, acme_);
    auto file = "'store/" + later.str() + "'";
    auto ran = run("mv " + file + " later; { sleep 1; mv later " + file + "; } & timeout 6 '" + tool_path +
                   "' logs --store dir:store -i acme.key --follow --tail 1 --output raw");
    EXPECT_EQ(ran.out, "two\nthree\n");
    EXPECT_EQ(ran.code, 124) << "it goes on until it is ended";
    EXPECT_EQ(logs("-i acme.key --follow --limit 3").code, 2);
    auto queried = run("timeout 3 '" + tool_path +
                       "' query '{app=\"other\"} |= \"three\" | label_format x=app' --store dir:store -i acme.key "
                       "--since 2h --follow --output raw");
    EXPECT_EQ(queried.out, "three\n") << queried.err;
    EXPECT_EQ(query("rate({app=\"x\"}[1m])", "-i acme.key --follow").code, 1);
}

TEST_F(Tool, LogsGoThroughAPagerOnATerminalAlone) {
    put_example();
    auto on_terminal = [&](const std::string& options) {
        return run("export PAGER='sed s/^/page:/'; script -qec \"'" BOATSWAIN_TOOL
                   "' logs --store dir:store -i acme.key " +
                   options + "\" /dev/null")
            .out;
    };
    auto paged = on_terminal("");
    EXPECT_THAT(paged, HasSubstr("page:2026-11-23T10:00:00.000Z "));
    EXPECT_THAT(paged, HasSubstr("page:note: 1 segment was passed over")) << "not drawn over what is read";
    EXPECT_THAT(on_terminal("--no-pager"), Not(HasSubstr("page:")));
    EXPECT_THAT(on_terminal("--output json"), Not(HasSubstr("page:")));
    EXPECT_THAT(run("PAGER='sed s/^/page:/' boatswain logs --store dir:store -i acme.key").out,
                Not(HasSubstr("page:")));
}

TEST_F(Tool, LogsShowsTimesOfThisMachineWithTheirOffset) {
    put_example();
    auto ran =
        run("export TZ=TEST-5:30; boatswain logs --store dir:store -i acme.key --time local --limit 1; boatswain "
            "query '{app=\"shop/cart\"}' --since 2026-11-23 --store dir:store -i acme.key --time local --limit 1");
    EXPECT_EQ(ran.out,
              "2026-11-23T15:30:00.000+05:30 shop/cart started\n2026-11-23T15:30:00.000+05:30 shop/cart started\n");
    EXPECT_THAT(run("TZ=TEST5 boatswain logs --store dir:store -i acme.key --time local --limit 1").out,
                StartsWith("2026-11-23T05:00:00.000-05:00 "));
    EXPECT_THAT(run("TZ=TEST5 boatswain logs --store dir:store -i acme.key --limit 1").out,
                StartsWith("2026-11-23T10:00:00.000Z "))
        << "not unless it is asked for";
}

TEST_F(Tool, LogsShowsTextThatTurnsAroundOrHidesAsBytes) {
    put(key("acme", ten, 1),
        {{source("acme", "app", "app-1"), {{ten, "pay \u202E001\u2069 now\u2028next\u0085é\u200B"}}}}, acme_);
    EXPECT_THAT(logs("-i acme.key").out,
                HasSubstr(R"(pay \xe2\x80\xae001\xe2\x81\xa9 now\xe2\x80\xa8next\xc2\x85é\xe2\x80\x8b)"));
    EXPECT_THAT(logs("-i acme.key --output json").out,
                HasSubstr(R"("message":"pay \u202e001\u2069 now\u2028next\u0085é\u200b"})"));
    EXPECT_THAT(logs("-i acme.key --output raw").out, HasSubstr("pay \u202E001\u2069 now\u2028next\u0085é\u200B\n"));
}

// One object under 1 MB that would be 2.6 GB of text, of 40 sources at one time.
TEST_F(Tool, LogsSurvivesABombInTheStore) {
    write("store/" + key("acme", ten, 1).str(), bomb(key("acme", ten, 1), 40, 1, 64U << 20, acme_));
    put(key("acme", ten, 2), {{source("acme", "web", "web-1"), {{ten, "hello"}}}}, acme_);
    // The sanitizer's own memory is a multiple of the tool's; 2.6 GB are far more.
    auto limited = "export ASAN_OPTIONS=hard_rss_limit_mb=700:quarantine_size_mb=16; ";
    for (std::string narrowing : {"", " --limit 100", " --tail 1"}) {
        auto ran = run(limited + ("boatswain logs --store dir:store -i acme.key" + narrowing));
        EXPECT_THAT(ran.out, HasSubstr("hello")) << narrowing;
        EXPECT_THAT(ran.err, AllOf(HasSubstr("0000000001.age: footer: it says that its"),
                                   HasSubstr("--oversized reads it all the same")))
            << narrowing;
        EXPECT_EQ(ran.code, 1) << narrowing;
    }
    auto verified = run(limited + std::string{"boatswain verify --store dir:store -i acme.key"});
    EXPECT_THAT(verified.out, HasSubstr("damaged: "));
    EXPECT_EQ(verified.code, 1);
    auto asked_for = run(limited + std::string{"boatswain logs --store dir:store -i acme.key --oversized --limit 100"});
    EXPECT_EQ(asked_for.code, 0) << asked_for.err;
}

TEST_F(Tool, LogsSaysWhatToDoWhenItIsOverBudget) {
    std::vector<TestEntry> entries;
    for (int i = 0; i < 20; ++i) entries.push_back({.time = ten, .bytes = std::string(900'000, 'x')});
    for (std::uint64_t i = 1; i <= 20; ++i)
        put(key("acme", ten, i), {{source("acme", "web", "web-1"), {entries[i - 1]}}}, acme_);
    auto over = logs("-i acme.key --tail 20 --memory 16MiB");
    EXPECT_EQ(over.code, 4);
    EXPECT_EQ(over.out, "");
    EXPECT_EQ(
        over.err,
        "boatswain: over budget: the last lines need more than half of the 16MiB of memory that this may take; ask "
        "for less with --tenant, --app, --since and --until, or give more with --memory\n");
    EXPECT_EQ(logs("-i acme.key --tail 20 --memory 64MiB").code, 0);
    EXPECT_EQ(logs("-i acme.key --memory 16MiB").code, 0);
    EXPECT_EQ(logs("-i acme.key --memory 1MiB").code, 2);
    EXPECT_THAT(logs("-i acme.key --memory much").err, HasSubstr("is not a size of at least 16MiB, like 1GiB"));
}

// Of an hour with much text the end alone is read at first, as footers tell; what is rare lies further back.
TEST_F(Tool, LogsFindsTheLastLinesOfABusyHour) {
    constexpr int segments = 40, lines = 8;
    for (int i = 0; i < segments; ++i) {
        std::vector<TestEntry> entries;
        for (int n = i * lines; n < (i + 1) * lines; ++n) {
            auto what = n % 100 == 7 ? "rare " : "line ";
            entries.push_back({.time = ten + seconds{n}, .bytes = what + std::to_string(n) + std::string(20'000, '.')});
        }
        auto host = i % 2 == 0 ? "node-1" : "node-2";
        put(key("acme", ten, static_cast<std::uint64_t>(i + 1), host), {{source("acme", "web", host), {entries}}},
            acme_);
    }
    auto numbers = [&](const std::string& options) {
        std::istringstream out{logs("-i acme.key --output raw " + options).out};
        std::vector<int> found;
        std::string word, number;
        while (out >> word >> number) found.push_back(std::stoi(number));
        return found;
    };
    auto all = numbers("");
    ASSERT_EQ(all.size(), std::size_t{segments * lines});
    for (int tail : {1, 3, 17, 100, 319, 320, 999}) {
        auto first = all.size() - std::min(all.size(), static_cast<std::size_t>(tail));
        EXPECT_EQ(numbers("--tail " + std::to_string(tail)),
                  std::vector(all.begin() + static_cast<long>(first), all.end()))
            << tail;
    }
    EXPECT_EQ(numbers("--tail 2 --grep rare"), (std::vector{207, 307}));
    EXPECT_EQ(numbers("--tail 9 --grep rare"), (std::vector{7, 107, 207, 307}));
    EXPECT_EQ(numbers("--tail 2 --until '2026-11-23 10:01'"), (std::vector{58, 59}));
}

TEST_F(Tool, LogsShowsEveryTenantThatTheIdentitiesOpenAndCountsTheOthers) {
    put_example();
    auto ran = logs("-i acme.key --output raw");
    EXPECT_THAT(ran.out, Not(HasSubstr("hello")));
    EXPECT_THAT(ran.err, HasSubstr("note: 1 segment was passed over: sealed for other keys\n"));
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(logs("-i acme.key -i globex.key --output raw").out, HasSubstr("hello"));
    EXPECT_THAT(run("BOATSWAIN_STORE=dir:store BOATSWAIN_IDENTITY=acme.key:globex.key boatswain logs --output raw").out,
                HasSubstr("hello"));
}

TEST_F(Tool, LogsFailsWhenTheIdentityIsNotTheTenants) {
    put_example();
    auto ran = logs("-i globex.key --tenant acme");
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err,
              "boatswain: none of the 2 segments of tenant \"acme\" can be opened: they are not sealed for the "
              "identity given (" +
                  globex_.recipient().str() + "). Give the tenant's key with --identity FILE\n");
    EXPECT_EQ(ran.code, 1);
}

TEST_F(Tool, LogsTellsGapsBesideRawOutputToo) {
    put_example();
    auto ran = logs("-i acme.key --tenant acme --app shop/db --output raw");
    EXPECT_EQ(ran.out, "ready\n");
    EXPECT_THAT(ran.err, StartsWith("shop/db --- gap: rotated-away"));
}

TEST_F(Tool, LogsNamesADamagedObjectAndShowsTheOthers) {
    put_example();
    auto name = key("acme", ten + seconds{60}, 3);
    write("store/" + name.str(), sealed(name, {{source("acme", "x", "x-1"), {{ten, "lost"}}}}, acme_).substr(0, 300));
    auto ran = logs("-i acme.key --tenant acme --output raw --app shop/cart");
    EXPECT_EQ(ran.out, "started\nno stock of article 7\nstopped\n");
    EXPECT_THAT(ran.err, StartsWith("boatswain: " + name.str() + ": "));
    EXPECT_EQ(ran.code, 1);
}

TEST_F(Tool, LogsRefusesASegmentUnderAnotherTenantsName) {
    write("store/" + key("globex", ten, 1).str(),
          sealed(key("acme", ten, 1), {{source("acme", "x", "x-1"), {{ten, "planted"}}}}, globex_));
    auto ran = logs("-i globex.key --tenant globex");
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, HasSubstr("refused: its footer says tenant \"acme\" where its name says \"globex\""));
    EXPECT_EQ(ran.code, 1);
}

TEST_F(Tool, LogsEndsQuietlyWhenTheReaderLeaves) {
    std::vector<TestEntry> many;
    for (int i = 0; i < 50'000; ++i)
        many.push_back({ten + Nanoseconds{i}, "a line that fills the pipe sooner or later"});
    put(key("acme", ten, 1), {{source("acme", "app", "app-1"), many}}, acme_);
    auto ran = run("boatswain logs --store dir:store -i acme.key | head -n 1; echo \"${PIPESTATUS[0]}\"");
    EXPECT_EQ(ran.out, "2026-11-23T10:00:00.000Z app a line that fills the pipe sooner or later\n0\n");
    EXPECT_EQ(ran.err, "");
    auto full = run("boatswain logs --store dir:store -i acme.key > /dev/full");
    EXPECT_EQ(full.err, "boatswain: write the output: No space left on device\n");
    EXPECT_EQ(full.code, 1);
}

TEST_F(Tool, StockAgeAndZstdPrintTheSameLines) {
    ASSERT_EQ(std::system("command -v age zstd > /dev/null"), 0) << "install age and zstd: ./dev deps test";
    auto all = every_byte_but_newline();
    put(key("acme", ten, 1), {{source("acme", "app", "app-1"), {{ten, all}, {ten + seconds{1}, "b"}}}}, acme_);
    auto stock =
        run("age -d -i acme.key store/" + key("acme", ten, 1).str() + " | zstd -dcq | grep -av '^# ' | cut -b 41-");
    EXPECT_EQ(stock.out, all + "\nb\n");
    EXPECT_EQ(stock.out, logs("-i acme.key --output raw").out);
}

TEST_F(Tool, LogsSaysWhatIsMissingOnTheCommandLine) {
    auto expect_usage = [&](const std::string& command, const std::string& what) {
        auto ran = run(command);
        EXPECT_EQ(ran.code, 2) << command;
        EXPECT_THAT(ran.err, AllOf(StartsWith("boatswain: "), HasSubstr(what), HasSubstr("\nTry: boatswain")))
            << command;
        EXPECT_EQ(ran.out, "");
    };
    expect_usage("boatswain logs -i acme.key", "which store? Give --store dir:PATH");
    expect_usage("boatswain logs --store dir:store", "give the tenant's key with --identity FILE");
    expect_usage("boatswain logs --store dir:store -i acme.key --since soon", "\"soon\" is not a time");
    expect_usage("boatswain logs --store dir:store -i acme.key --since 1h --until 2h", "no line can lie between them");
    expect_usage("boatswain logs --store dir:store -i acme.key --stream both", "--stream");
    expect_usage("boatswain logs --store dir:store -i acme.key --tail 1 --limit 1", " excludes --");
    expect_usage("boatswain logs --store dir:store -i acme.key --limit x", "--limit");
    expect_usage("boatswain lgs", "there is no command \"lgs\"; did you mean \"logs\"?");
    expect_usage("boatswain keys nw acme", "there is no command \"nw\"; did you mean \"new\"?");
    expect_usage("boatswain help nonsense", "there is no command \"nonsense\"");
}

TEST_F(Tool, LogsNamesAnIdentityFileThatIsNone) {
    put_example();
    write("wrong.key", "age1notasecret\n");
    auto ran = logs("-i wrong.key");
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, HasSubstr("wrong.key"));
    EXPECT_THAT(logs("-i missing.key").err, HasSubstr("missing.key"));
    EXPECT_THAT(run("boatswain logs --store ftp://x -i acme.key").err, HasSubstr("ftp"));
}

TEST_F(Tool, LogsSaysWhichNamesDidNotPrintAndWhatIsNear) {
    put_example();
    auto notes = [&](const std::string& options) {
        auto ran = logs("-i acme.key --tenant acme " + options);
        EXPECT_EQ(ran.code, 0) << options;
        return ran.err;
    };
    EXPECT_EQ(notes("--container crat-1"),
              "note: no container \"crat-1\" printed in this stretch of time; did you mean \"cart-1\"?\n");
    EXPECT_EQ(notes("--container NOPE"),
              "note: no container \"NOPE\" printed in this stretch of time; there are \"cart-1\", \"db-1\"\n");
    EXPECT_EQ(notes("--app NOPE"),
              "note: no app \"NOPE\" printed in this stretch of time; there are \"shop/cart\", \"shop/db\"\n");
    EXPECT_EQ(notes("--app cart"),
              "note: no app \"cart\" printed in this stretch of time; did you mean \"shop/cart\"?\n");
    EXPECT_EQ(notes("--app shop/cart --app 'shop/db '"),
              "note: no app \"shop/db \" printed in this stretch of time; did you mean \"shop/db\"?\n")
        << "beside one that did";
    EXPECT_THAT(notes("--container NOPE --tail 1"), HasSubstr("no container \"NOPE\""));
    EXPECT_EQ(notes("--container ccc"),
              "note: no container \"ccc\" printed in this stretch of time; there are \"cart-1\", \"db-1\"\n")
        << "too short for an id";
    EXPECT_EQ(notes("--app shop/db --container cart-1"),
              "note: no line of this stretch of time is one that was asked for\n");
    for (const std::string there : {"--app shop/cart", "--container cccc", "--container db-1 --limit 1",
                                    "--app shop/cart --app NOPE --limit 1", "--app shop/cart --tail 1"})
        EXPECT_THAT(notes(there), Not(HasSubstr("note: no "))) << there;
}

// Nobody listens at one endpoint; at the other somebody does, and never answers.
TEST_F(Tool, LogsSaysThatAStoreKeepsItWaiting) {
    auto ran =
        run("export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=secret-of-mine\n"
            "python3 -c 'import socket, time\ns = socket.create_server((\"127.0.0.1\", 0))\n"
            "open(\"port\", \"w\").write(str(s.getsockname()[1]) + \"\\n\")\ntime.sleep(60)' & server=$!\n"
            "until [ -s port ]; do sleep 0.05; done\n"
            "for port in 1 $(cat port); do timeout 60 '" +
            tool_path +
            "' logs --store \"s3://logs/x?endpoint=http://127.0.0.1:$port\" -i acme.key 2> \"said-$port\" &\n"
            "tools=\"$tools $!\"; done\n"
            "for i in $(seq 300); do [ $(cat said-* | grep -c 'trying again') -ge 2 ] && break; sleep 0.1; done\n"
            "kill $server $tools; wait; cat said-1; mv said-1 said; cat said-* >&2\n");
    EXPECT_THAT(ran.out, MatchesRegex("boatswain: trying again, [0-9]+ s so far: list s3://logs/x/v1/[^\n]*: no usable "
                                      "answer from http://127.0.0.1:1: [^\n]*\n(.|\n)*"));
    EXPECT_THAT(ran.err, MatchesRegex("boatswain: trying again, [0-9]+ s so far: list s3://logs/x/v1/[^\n]*: no answer "
                                      "from http://127.0.0.1:[0-9]+ yet\n(.|\n)*"));
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("secret-of-mine")));
}

TEST_F(Tool, LogsSaysWhenThereIsNothing) {
    put_example();
    auto ran = logs("-i acme.key --tenant nobody");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(
        ran.err,
        "note: there is no segment of tenant \"nobody\" in this stretch of time; `boatswain ls` shows what there is\n");
}

}  // namespace
}  // namespace boatswain::tool
