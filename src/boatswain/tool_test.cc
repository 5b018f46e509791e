#include "boatswain/tool_for_test.h"

namespace boatswain::tool {

const std::string tool_path = BOATSWAIN_TOOL;

namespace {

TEST_F(Tool, EveryCommandHasHelpWithAnExample) {
    for (auto command : {"",
                         "flush",
                         "spool",
                         "spool list",
                         "spool retry",
                         "spool acknowledge",
                         "keys",
                         "keys new",
                         "keys show",
                         "keys derive",
                         "ls",
                         "logs",
                         "query",
                         "export",
                         "stats",
                         "labels",
                         "inspect",
                         "verify",
                         "completion",
                         "version",
                         "help",
                         "fleet",
                         "fleet sync",
                         "fleet status",
                         "fleet key",
                         "fleet key new",
                         "fleet key derive",
                         "serve",
                         "token",
                         "token new",
                         "token list",
                         "token revoke"}) {
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
    EXPECT_EQ(complete("boatswain logs --output ''"), "text json raw csv\n");
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

TEST_F(Tool, WhyAndStatusSayWhatToCheckWhenNoAgentAnswers) {
    for (const std::string command :
         {"why", "why web-1", "why --json", "status", "flush", "spool list", "spool retry", "spool acknowledge"}) {
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
