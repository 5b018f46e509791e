// The tool as people run it: the executable, its output, its errors and its exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "query/chain_for_test.h"
#include "query/test_store.h"
#include "segment/recipient.h"
#include "tenancy/derive.h"

namespace boatswain::tool {
namespace {

using namespace query::testing;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

struct Ran {
    std::string out, err;
    int code = -1;
};

const Timestamp ten = at("2026-11-23T10:00:00Z");

std::string every_byte_but_newline() {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte)
        if (byte != '\n') bytes += static_cast<char>(byte);
    return bytes;
}

class Tool : public ::testing::Test {
  protected:
    Tool() {
        std::string pattern = std::filesystem::temp_directory_path() / "boatswain-tool-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        ::unsetenv("BOATSWAIN_STORE");
        ::unsetenv("BOATSWAIN_IDENTITY");
        write("acme.key", acme_.str() + "\n");
        write("globex.key", globex_.str() + "\n");
    }
    ~Tool() override { std::filesystem::remove_all(directory_); }

    // Runs a shell command in the test's directory; "boatswain" is the tool.
    Ran run(const std::string& command) {
        auto script = "cd '" + directory_.string() + "' && boatswain() { '" BOATSWAIN_TOOL "' \"$@\"; }; " + command;
        write("script", script);
        auto line = "bash '" + (directory_ / "script").string() + "' > '" + (directory_ / "out").string() + "' 2> '" +
                    (directory_ / "err").string() + "' < /dev/null";
        int status = std::system(line.c_str());
        return {read("out"), read("err"), WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)};
    }
    Ran logs(const std::string& options) { return run("boatswain logs --store dir:store " + options); }

    void write(const std::string& name, std::string_view bytes) {
        std::filesystem::create_directories((directory_ / name).parent_path());
        ASSERT_TRUE(write_file_durably(directory_ / name, bytes));
    }
    std::string read(const std::string& name) { return read_file(directory_ / name, 64U << 20).value(); }
    void put(const segment::ObjectKey& name, const std::vector<TestFrame>& frames, const open::Identity& identity) {
        write("store/" + name.str(), sealed(name, frames, identity));
    }
    // Two apps of acme, one of globex.
    void put_example() {
        auto cart = source("acme", "shop/cart", "cart-1", std::string(64, 'c'));
        auto db = source("acme", "shop/db", "db-1", std::string(64, 'd'));
        put(key("acme", ten, 1),
            {{cart, {{ten, "started"}, {ten + seconds{2}, "no stock of article 7", Stream::err}}},
             {db, {{ten + seconds{1}, "ready"}, {.time = ten + seconds{3}, .bytes = "rotated-away", .gap = true}}}},
            acme_);
        put(key("acme", ten + seconds{7200}, 2), {{cart, {{ten + seconds{7200}, "stopped"}}}}, acme_);
        put(key("globex", ten, 1), {{source("globex", "web", "web-1"), {{ten, "hello"}}}}, globex_);
    }

    std::filesystem::path directory_;
    open::Identity acme_ = open::Identity::generate();
    open::Identity globex_ = open::Identity::generate();
};

// ---- logs

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

TEST_F(Tool, LogsKeepsControlCharactersAwayFromATerminalOnly) {
    put(key("acme", ten, 1), {{source("acme", "app\x1b[31m", "app-1"), {{ten, "a\tb\x1b]0;owned\x07"}}}}, acme_);
    EXPECT_THAT(logs("-i acme.key").out, AllOf(HasSubstr("a\tb\x1b]0;owned\x07"), HasSubstr("app\\x1b[31m")));
    auto shown = run("script -qec \"'" BOATSWAIN_TOOL "' logs --store dir:store -i acme.key\" /dev/null");
    EXPECT_THAT(shown.out, HasSubstr("a\tb\\x1b]0;owned\\x07"));
    EXPECT_THAT(shown.out, HasSubstr("\x1b[3")) << "coloured on a terminal";
    auto plain = run("NO_COLOR=1 script -qec \"'" BOATSWAIN_TOOL "' logs --store dir:store -i acme.key\" /dev/null");
    // Progress, which a slow machine sees, moves the cursor; nothing else does anything.
    EXPECT_THAT(plain.out, AllOf(HasSubstr("app\\x1b[31m"), Not(HasSubstr("\x1b[3")), Not(HasSubstr("\x1b]"))));
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

TEST_F(Tool, LogsSaysWhenThereIsNothing) {
    put_example();
    auto ran = logs("-i acme.key --tenant nobody");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(
        ran.err,
        "note: there is no segment of tenant \"nobody\" in this stretch of time; `boatswain ls` shows what there is\n");
}

// ---- ls

TEST_F(Tool, LsSaysWhenThereIsNothing) {
    auto ran = run("boatswain ls --store dir:store");
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, "note: there is no segment in dir:store\n");
    EXPECT_EQ(ran.code, 0);
}

TEST_F(Tool, LsShowsTenantsWithoutAnyKey) {
    put_example();
    write("store/v1/README", "not ours");
    auto ran = run("boatswain ls --store dir:store");
    EXPECT_EQ(ran.out,
              "TENANT  FIRST HOUR     LAST HOUR      HOURS\n"
              "acme    2026-11-23T10  2026-11-23T12      2\n"
              "globex  2026-11-23T10  2026-11-23T10      1\n");
    EXPECT_EQ(ran.err, "note: 1 name in the store is not Boatswain's\n");
    EXPECT_THAT(
        run("boatswain ls --store dir:store --sizes --json").out,
        MatchesRegex(
            R"re(\{"tenant":"acme","first_hour":"2026-11-23T10","last_hour":"2026-11-23T12","hours":2,"segments":2,"bytes":[0-9]+\}
\{"tenant":"globex",.*"segments":1,.*\}
)re"));
}

TEST_F(Tool, LsShowsATenantsSegmentsWithoutAKeyAndItsSourcesWithOne) {
    put_example();
    auto segments = run("boatswain ls --store dir:store --tenant acme");
    EXPECT_THAT(segments.out, HasSubstr("2026-11-23T12  node-1  e1            2"));
    EXPECT_THAT(segments.out, HasSubstr(key("acme", ten, 1).str()));
    auto sources = run("boatswain ls --store dir:store --tenant acme -i acme.key");
    EXPECT_EQ(sources.out,
              "APP        COMPONENT  INSTANCE  CONTAINER     NAME    HOST    LINES  SIZE  GAPS  FIRST                  "
              "   LAST\n"
              "shop/cart                       cccccccccccc  cart-1  node-1      3  35 B     0  "
              "2026-11-23T10:00:00.000Z  2026-11-23T12:00:00.000Z\n"
              "shop/db                         dddddddddddd  db-1    node-1      1   5 B     1  "
              "2026-11-23T10:00:01.000Z  2026-11-23T10:00:03.000Z\n");
    EXPECT_EQ(sources.code, 0);
    EXPECT_THAT(run("boatswain ls --store dir:store --tenant acme -i acme.key --since 2026-11-23T11:30:00Z --json").out,
                AllOf(HasSubstr(R"("app":"shop/cart")"), HasSubstr(R"("lines":1,"message_bytes":7)"),
                      Not(HasSubstr("shop/db"))));
    EXPECT_EQ(run("boatswain ls --store dir:store --tenant acme -i globex.key").code, 1);
}

// ---- inspect

TEST_F(Tool, InspectShowsWhatAnybodyCanSeeWithoutAKey) {
    put_example();
    auto ran = run("boatswain inspect --store dir:store " + key("acme", ten, 1).str());
    EXPECT_THAT(ran.out, AllOf(HasSubstr("recipients  1\n"), HasSubstr("tenant      acme\n"),
                               HasSubstr("sequence    1\n"), Not(HasSubstr("cart"))));
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(run("boatswain inspect store/" + key("acme", ten, 1).str()).code, 0);
}

TEST_F(Tool, InspectShowsTheFooterAndNeverALine) {
    put_example();
    auto name = key("acme", ten, 1).str();
    auto ran = run("boatswain inspect -i acme.key --store dir:store " + name);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("previous    none: the first of its chain\n"),
                               HasSubstr("3 lines and 1 gap in 2 frames, of 2 sources"), HasSubstr("shop/cart"),
                               HasSubstr("json-file"), HasSubstr("2026-11-23T10:00:03.000000000Z")));
    EXPECT_THAT(ran.out, Not(HasSubstr("article 7")));
    EXPECT_EQ(run("cp store/" + name +
                  " copy.age && boatswain inspect -i acme.key --json copy.age | python3 -c \""
                  "import json,sys; o=json.load(sys.stdin); print(o['recipients'], o['footer']['tenant'], "
                  "len(o['footer']['frames']), 'key' in o)\"")
                  .out,
              "1 acme 2 False\n");
}

TEST_F(Tool, InspectNamesWhatIsWrong) {
    put_example();
    auto name = key("acme", ten, 1).str();
    auto expect_error = [&](const std::string& command, const std::string& what) {
        auto ran = run(command);
        EXPECT_EQ(ran.code, 1) << command;
        EXPECT_THAT(ran.err, HasSubstr(what)) << command;
    };
    expect_error("boatswain inspect -i globex.key store/" + name, "no identity given opens this object");
    expect_error("boatswain inspect nowhere.age", "nowhere.age: there is no such file");
    expect_error("echo hello > hello.age; boatswain inspect hello.age", "hello.age: this is not a segment");
    expect_error("head -c 100 store/" + name + " > cut.age; boatswain inspect cut.age",
                 "cut.age: this is not a segment");
    expect_error("boatswain inspect --store dir:store v1/tenant=acme/none", "none");
    expect_error("boatswain inspect --store dir:store ../../etc/passwd0", "neither a file nor the name of an object");
    auto other = key("globex", ten, 5).str();
    expect_error("mkdir -p store/" + other + " && rmdir store/" + other + " && cp store/" + name + " store/" + other +
                     " && boatswain inspect -i acme.key --store dir:store " + other,
                 "refused: its footer says tenant \"acme\" where its name says \"globex\"");
}

TEST_F(Tool, KeysDeriveAsksATerminalWithoutShowingTheAnswer) {
    auto ran =
        run("(until grep -q 'not shown' terminal; do sleep 0.1; done; echo 'correct horse battery') 2> /dev/null | "
            "script -qfec \"'" BOATSWAIN_TOOL
            "' keys derive acme > derived.key\" terminal; boatswain keys show derived.key");
    EXPECT_THAT(ran.out, HasSubstr("The secret of acme (it is not shown): "));
    EXPECT_THAT(ran.out, Not(HasSubstr("correct horse")));
    EXPECT_THAT(ran.out, HasSubstr(tenancy::derive_recipient(tenant("acme"), "correct horse battery")->str()));
}

// ---- keys

TEST_F(Tool, KeysNewMakesAPairThatOnlyItsOwnerReads) {
    auto ran = run("boatswain keys new initech --out keys");
    ASSERT_EQ(ran.code, 0) << ran.err;
    struct stat status{};
    ASSERT_EQ(::stat((directory_ / "keys/initech.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    auto identities = open::read_identity_file(directory_ / "keys/initech.key");
    ASSERT_TRUE(identities);
    auto recipient = identities->front().recipient();
    EXPECT_EQ(segment::parse_recipients(read("keys/initech.pub"))->front(), recipient);
    EXPECT_THAT(ran.out, AllOf(StartsWith(recipient.str() + "\n"), HasSubstr("keep it off the hosts"),
                               Not(HasSubstr("AGE-SECRET"))));
    EXPECT_EQ(run("boatswain keys show keys/initech.key").out, recipient.str() + "\n");
    EXPECT_EQ(run("boatswain keys show keys/initech.pub").out, recipient.str() + "\n");
    if (std::system("command -v age-keygen > /dev/null") == 0) {
        EXPECT_EQ(run("age-keygen -y keys/initech.key").out, recipient.str() + "\n");
    }
}

TEST_F(Tool, KeysNewNeverOverwrites) {
    ASSERT_EQ(run("boatswain keys new initech").code, 0);
    auto before = read("initech.key");
    auto again = run("boatswain keys new initech");
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.err, HasSubstr("initech.key is already there"));
    EXPECT_EQ(read("initech.key"), before);
    EXPECT_EQ(run("rm initech.key; boatswain keys new initech").code, 1) << "the .pub is there";
    EXPECT_FALSE(std::filesystem::exists(directory_ / "initech.key"));
}

TEST_F(Tool, KeysNewTakesOnlyNamesOfTenants) {
    for (auto name : {"'../evil'", "''", "'a/b'", "$'a\\nb'", "_hidden", ".x"})
        EXPECT_EQ(run(std::string{"boatswain keys new "} + name).code, 1) << name;
    for (auto name : {"_unassigned", "_break-glass", "'Ünïcode & co'"})
        EXPECT_EQ(run(std::string{"boatswain keys new "} + name).code, 0) << name;
}

TEST_F(Tool, KeysDeriveGivesTheKeyThatTheHostSealsFor) {
    auto recipient = tenancy::derive_recipient(tenant("acme"), "correct horse battery");
    ASSERT_TRUE(recipient);
    write("secret", "correct horse battery\n");
    auto from_file =
        run("boatswain keys derive acme --secret-file secret > derived.key; boatswain keys show derived.key");
    EXPECT_EQ(from_file.out, recipient->str() + "\n");
    auto from_input =
        run("printf 'correct horse battery' | boatswain keys derive acme | tail -n 1 > derived.key; boatswain keys "
            "show derived.key");
    EXPECT_EQ(from_input.out, recipient->str() + "\n");
    auto exact =
        run("boatswain keys derive acme --keep-newline --secret-file secret > derived.key; boatswain keys show "
            "derived.key");
    EXPECT_EQ(exact.out, tenancy::derive_recipient(tenant("acme"), "correct horse battery\n")->str() + "\n");
}

TEST_F(Tool, KeysDeriveRefusesASecretThatIsTooShortOrTooLongWithoutRepeatingIt) {
    auto brief = run("echo s3cr3t | boatswain keys derive acme");
    EXPECT_EQ(brief.code, 1);
    EXPECT_THAT(brief.err, Not(HasSubstr("s3cr3t")));
    EXPECT_EQ(run("head -c 100000 /dev/zero | tr '\\0' x | boatswain keys derive acme").code, 1);
    EXPECT_EQ(run("boatswain keys derive acme hunter2hunter2").code, 2) << "a secret is never an argument";
}

TEST_F(Tool, KeysShowNamesAFileWithoutKeys) {
    write("empty.pub", "# nothing\n");
    EXPECT_THAT(run("boatswain keys show empty.pub").err, HasSubstr("empty.pub"));
    EXPECT_EQ(run("boatswain keys show empty.pub").code, 1);
    EXPECT_EQ(run("boatswain keys show missing.pub").code, 1);
}

// ---- verify

// A chain of three segments of acme, and one segment of globex, as files.
class ToolVerify : public Tool {
  protected:
    void put_chains(const std::function<void(MemoryStore&, const std::vector<std::string>&)>& change = {}) {
        MemoryStore store;
        ChainForTest acme{store, acme_, "acme", "node-7", "20261123T043400Z-9f3a"};
        acme.seal({{.source = "web"}, {.source = "db"}}, ten);
        acme.seal({{.source = "web", .gap = true}}, ten + std::chrono::hours{1});
        acme.seal({{.source = "web", .end = true}, {.source = "db"}}, ten + std::chrono::hours{1});
        ChainForTest globex{store, globex_, "globex", "node-7", "20261123T043400Z-9f3a"};
        globex.seal({{.source = "api"}}, ten);
        if (change) change(store, acme.names);
        for (const auto& [name, bytes] : store.objects) write("store/" + name, bytes);
    }
    Ran verify(const std::string& options) { return run("boatswain verify --store dir:store " + options); }
};

TEST_F(ToolVerify, ShowsWhatIsProvenAndWhatIsNot) {
    put_chains();
    auto ran = verify("--identity acme.key --tenant acme");
    EXPECT_THAT(
        ran.out,
        MatchesRegex(
            "TENANT  HOST    EPOCH                  SEQUENCE  SEGMENTS  OPENED  LINES  SOURCES  ENDED  GAPS  RESULT\n"
            "acme    node-7  20261123T043400Z-9f3a       1-3         3       3     10        2      1     1  whole\n"
            "\n1 gap named in the tenants' own logs:\n"
            "TENANT  APP  NAME  REASON        LINES  BYTES  FROM                      TO\n"
            "acme    app  web   rotated-away    >=3   >=40  2026-11-23T11:00:00.000Z  2026-11-23T11:00:00.000Z\n"
            "\nacme on node-7 \\(20261123T043400Z-9f3a\\) ends at 3, SHA-256 [0-9a-f]+\n"
            "What a host sealed after that, and has not stored or lost, only the host can say.\n"
            "1 source has no closing record: still there, or not read to the end.\n"));
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.code, 0);
}

TEST_F(ToolVerify, WithoutAKeyProvesNumbersAndLinksOfAllTenants) {
    put_chains();
    auto ran = verify("");
    EXPECT_THAT(ran.out, HasSubstr("acme    node-7  20261123T043400Z-9f3a       1-3         3"));
    EXPECT_THAT(ran.out, HasSubstr("linked\nglobex"));
    EXPECT_THAT(ran.out, HasSubstr("4 segments were seen from outside alone: number, name and hash, not lines.\n"));
    EXPECT_EQ(ran.code, 0);
}

TEST_F(ToolVerify, NamesWhatIsWrongAndExitsWith1) {
    put_chains([](MemoryStore& store, const auto& names) { store.objects.erase(names[1]); });
    for (const auto* options : {"", "-i acme.key"}) {
        auto ran = verify(options);
        EXPECT_THAT(
            ran.out,
            HasSubstr("\n1 problem:\n  missing: tenant \"acme\", host \"node-7\", epoch \"20261123T043400Z-9f3a\": 1 "
                      "segment missing, number 2, between v1/tenant=acme/"));
        EXPECT_THAT(ran.out, HasSubstr("1 problem\nglobex"));
        EXPECT_EQ(ran.code, 1);
    }
    EXPECT_THAT(verify("-i acme.key").out, HasSubstr("At least 2 lines of sources that go on are missing.\n"));
}

TEST_F(ToolVerify, PrintsJsonForPrograms) {
    put_chains([](MemoryStore& store, const auto& names) { store.objects[names[0]].back() ^= 1; });
    auto ran = verify("-i acme.key --tenant acme --json");
    EXPECT_THAT(
        ran.out,
        StartsWith(
            R"({"proven":false,"chains":[{"tenant":"acme","host":"node-7","epoch":"20261123T043400Z-9f3a","first":1,"last":3,)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("faults":{"missing":0,"repeated":0,"damaged":1,"renamed":0,"broken-link":1,)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("gaps_by_reason":{"rotated-away":{"gaps":1,"lines_min":3,"bytes_min":40}})"));
    EXPECT_EQ(ran.code, 1);
    write("json", ran.out);
    EXPECT_EQ(run("python3 -m json.tool < json > pretty").code, 0);
    auto whole = verify("-i globex.key --tenant globex --json");
    EXPECT_THAT(whole.out, StartsWith(R"({"proven":true,)"));
    EXPECT_EQ(whole.code, 0);
}

TEST_F(ToolVerify, IsNotContentWithNothing) {
    EXPECT_EQ(verify("").code, 1);
    put_chains();
    auto nobody = verify("--tenant nobody");
    EXPECT_EQ(nobody.err,
              "boatswain: nothing was proven: there is no such segment; `boatswain ls` shows what there is\n");
    EXPECT_EQ(nobody.code, 1);
    auto wrong_key = verify("-i globex.key --tenant acme");
    EXPECT_EQ(wrong_key.err, "boatswain: no line was proven: none of the segments is sealed for the identity given\n");
    EXPECT_EQ(wrong_key.code, 1);
    EXPECT_THAT(verify("-i globex.key --tenant acme --json").out, StartsWith(R"({"proven":false,)"));
    EXPECT_EQ(run("boatswain verify").code, 2);
    EXPECT_EQ(verify("--since yesterdayish").code, 2);
}

TEST_F(ToolVerify, SaysWhereTheStretchBeginsAndEnds) {
    put_chains();
    auto early = verify("--tenant acme --until '2026-11-23 10:30'"),
         late = verify("--tenant acme --since '2026-11-23 12:30'");
    EXPECT_THAT(early.out, HasSubstr("ends at 1 of 3 in the store, SHA-256 "));
    EXPECT_THAT(late.out, HasSubstr("begins at 2: what comes before is outside of the stretch\n"));
    EXPECT_EQ(late.code, 0);
    EXPECT_EQ(run("rm -r store/v1/tenant=acme/hour=2026-11-23T10").code, 0);
    EXPECT_THAT(verify("--tenant acme").out, HasSubstr("begins at 2: what came before was deleted, or is lost\n"));
}

// ---- help, version, completion

TEST_F(Tool, EveryCommandHasHelpWithAnExample) {
    for (auto command :
         {"", "keys", "keys new", "keys show", "keys derive", "ls", "logs", "inspect", "verify", "completion",
          "version", "help", "fleet", "fleet sync", "fleet status", "fleet key", "fleet key new", "fleet key derive"}) {
        auto ran = run(std::string{"boatswain "} + command + " --help");
        EXPECT_EQ(ran.code, 0) << command;
        auto path = std::string{"boatswain"} + (*command == 0 ? "" : " ") + command;
        EXPECT_THAT(ran.out, AllOf(HasSubstr("Example"), HasSubstr("Usage: " + path + " ["))) << command;
        EXPECT_EQ(ran.err, "") << command;
        EXPECT_EQ(run(std::string{"boatswain help "} + command).out, ran.out) << command;
    }
    EXPECT_THAT(run("boatswain version").out, MatchesRegex("boatswain [0-9.]+\n"));
    EXPECT_EQ(run("boatswain --version").out, run("boatswain version").out);
    EXPECT_EQ(run("boatswain").code, 2);
}

TEST_F(Tool, FleetSyncSaysWhatIsMissingOrWrongOnTheCommandLine) {
    auto refuses = [&](const std::string& options, const std::string& because) {
        auto ran = run("boatswain fleet sync " + options);
        EXPECT_EQ(ran.code, 2) << options;
        EXPECT_THAT(ran.err, AllOf(HasSubstr(because), HasSubstr("Try: boatswain fleet sync --help"))) << options;
    };
    refuses("", "which Marathon?");
    refuses("--marathon http://127.0.0.1:1", "which app?");
    std::string place = "--marathon http://127.0.0.1:1 --app /a ";
    refuses("--marathon http://me:secret@127.0.0.1:1 --app /a", "holds no name and password");
    refuses("--marathon 127.0.0.1:1 --app /a", "is not an address");
    refuses("--marathon http://127.0.0.1:1 --app /A", "is not the id of a Marathon app");
    refuses(place + "--hold soon", "--hold: \"soon\" is not a time");
    refuses(place + "--interval 1ms", "--interval: at least 100ms");
    refuses(place + "--drop-max 250%", "--drop-max: \"250%\" is not a share");
    auto ran = run("boatswain fleet sync --once " + place);
    EXPECT_EQ(ran.code, 2) << "nobody answers";
    EXPECT_THAT(ran.err, HasSubstr("Marathon at http://127.0.0.1:1: "));
}

TEST_F(Tool, BashCompletesCommandsOptionsAndChoices) {
    auto complete = [&](const std::string& words) {
        return run("source <(boatswain completion bash); COMP_WORDS=(" + words +
                   "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _boatswain; echo \"${COMPREPLY[*]}\"")
            .out;
    };
    EXPECT_EQ(complete("boatswain lo"), "logs\n");
    EXPECT_EQ(complete("boatswain keys ''"), "new show derive\n");
    EXPECT_EQ(complete("boatswain logs --output ''"), "text json raw\n");
    EXPECT_EQ(complete("boatswain logs --store dir:keys --st"), "--store --stream\n");
    EXPECT_EQ(complete("boatswain keys new --o"), "--out\n");
    EXPECT_EQ(complete("boatswain completion ''"), "bash zsh fish\n");
    EXPECT_EQ(complete("boatswain logs --identity acme"), "acme.key\n");
    EXPECT_EQ(complete("boatswain ls --json --si"), "--since --sizes\n") << "a flag takes no value";
    EXPECT_EQ(run("boatswain completion bash | bash -n").code, 0);
}

TEST_F(Tool, TheOtherShellsTakeTheirScripts) {
    for (auto shell : {"zsh", "fish"}) {
        EXPECT_EQ(run(std::string{"boatswain completion "} + shell).code, 0);
        if (std::system((std::string{"command -v "} + shell + " > /dev/null").c_str()) != 0) continue;
        auto ran = run(std::string{"boatswain completion "} + shell + " > words; " + shell + " -n words");
        EXPECT_EQ(ran.code, 0) << shell << ": " << ran.err;
    }
    EXPECT_EQ(run("boatswain completion tcsh").code, 2);
}

// ---- why, status

TEST_F(Tool, WhyAndStatusSayWhatToCheckWhenNoAgentAnswers) {
    for (const std::string command : {"why", "why web-1", "why --json", "status"}) {
        auto ran = run("boatswain " + command + " --socket nosuch.sock");
        EXPECT_EQ(ran.code, 3) << command;
        EXPECT_THAT(ran.err, AllOf(StartsWith("boatswain: no agent listens at nosuch.sock"),
                                   HasSubstr("Is boatswaind running?")));
        EXPECT_EQ(ran.out, "");
    }
    EXPECT_THAT(run("BOATSWAIN_SOCKET=other.sock boatswain why").err, HasSubstr("no agent listens at other.sock"));
    auto stale =
        run("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"stale.sock\")'; boatswain status --socket "
            "stale.sock");
    EXPECT_THAT(stale.err, HasSubstr("left over from one that has ended"));
    EXPECT_EQ(stale.code, 3);
}

TEST_F(Tool, WhyRefusesTheAnswerOfSomethingThatIsNoAgent) {
    auto ran = run(R"(python3 -c '
import socket, threading
s = socket.socket(socket.AF_UNIX); s.bind("odd.sock"); s.listen()
print(flush=True)
c = s.accept()[0]; c.recv(4096); c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"); c.close()
' > ready & while ! test -s ready; do sleep 0.05; done; boatswain why x --socket odd.sock)");
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.err, HasSubstr("not understood"));
}

}  // namespace
}  // namespace boatswain::tool
