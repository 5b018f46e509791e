#include "config/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/settings.h"

namespace boatswain::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

std::variant<Order, Answer> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "boatswaind");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Order order(std::vector<const char*> arguments) {
    auto parsed = parse(std::move(arguments));
    if (auto* answer = std::get_if<Answer>(&parsed)) ADD_FAILURE() << answer->text;
    auto* found = std::get_if<Order>(&parsed);
    return found != nullptr ? *found : Order{};
}

Answer answer(std::vector<const char*> arguments) {
    auto parsed = parse(std::move(arguments));
    auto* found = std::get_if<Answer>(&parsed);
    EXPECT_NE(found, nullptr) << "taken as an order";
    return found != nullptr ? *found : Answer{};
}

TEST(CommandLine, KnowsAgentAndCheckAndTheirConfigurationFile) {
    EXPECT_EQ(order({"agent"}).command, Command::agent);
    EXPECT_EQ(order({"agent"}).config, std::nullopt);
    EXPECT_EQ(order({"check", "--config", "/x.toml"}).command, Command::check);
    EXPECT_EQ(order({"check", "--config", "/x.toml"}).config, "/x.toml");
    EXPECT_EQ(order({"agent", "--config=/x.toml"}).config, "/x.toml");
    EXPECT_EQ(order({"agent", "-c", "/x.toml"}).config, "/x.toml");
}

TEST(CommandLine, TakesEverySettingAsAFlagInBothForms) {
    for (const auto& setting : settings()) {
        auto flag = setting.flag();
        EXPECT_THAT(order({"agent", flag.c_str(), "some-value"}).overrides,
                    ElementsAre(Pair(setting.name, "some-value")))
            << flag;
        auto joined = flag + "=some=value";
        EXPECT_THAT(order({"check", joined.c_str()}).overrides, ElementsAre(Pair(setting.name, "some=value")))
            << joined;
    }
}

TEST(CommandLine, TakesASwitchAloneAsTrue) {
    EXPECT_THAT(order({"agent", "--docker-attach"}).overrides, ElementsAre(Pair("docker.attach", "true")));
    EXPECT_THAT(order({"agent", "--docker-attach=false"}).overrides, ElementsAre(Pair("docker.attach", "false")));
    EXPECT_THAT(order({"agent", "--docker-attach", "--log-level", "debug"}).overrides,
                ElementsAre(Pair("docker.attach", "true"), Pair("log.level", "debug")));
}

TEST(CommandLine, KeepsListsInOrderAndWhole) {
    EXPECT_THAT(order({"agent", "--tenancy-tenant", "env:A", "--tenancy-tenant", R"(["x,y", "z"])",
                       "--tenancy-tenant=[\"w\"]", "--tenancy-tenant", "name ~ /a{1,2} b/"})
                    .overrides,
                ElementsAre(Pair("tenancy.tenant", "env:A"), Pair("tenancy.tenant", R"(["x,y", "z"])"),
                            Pair("tenancy.tenant", "[\"w\"]"), Pair("tenancy.tenant", "name ~ /a{1,2} b/")));
    EXPECT_THAT(order({"agent", "--listen", "[::1]:9435"}).overrides, ElementsAre(Pair("listen", "[::1]:9435")));
}

TEST(CommandLine, LoadsWhatItParsed) {
    auto parsed = order({"agent", "--listen", "[::1]:0", "--docker-attach", "--tenancy-tenant", R"(["a,b"])",
                         "--tenancy-tenant", "c,d"});
    auto config = load("", "", parsed.overrides, {});
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_EQ(config->listen, "[::1]:0");
    EXPECT_TRUE(config->docker.attach);
    EXPECT_THAT(config->tenancy.tenant, ElementsAre("a,b", "c", "d"));
}

TEST(CommandLine, SaysWhatItDoesNotUnderstandAndWhatWasMeant) {
    struct Case {
        std::vector<const char*> arguments;
        std::string text;
    };
    for (const auto& [arguments, text] : std::vector<Case>{
             {{}, "what shall I do? The commands are agent, check, driver, guard, help, version and completion"},
             {{"agnet"}, R"(unknown command "agnet": did you mean "agent"?)"},
             {{"sail"}, R"(unknown command "sail")"},
             {{"agent", "--batch-flush-aftr", "1s"},
              R"(unknown flag "--batch-flush-aftr": did you mean "--batch-flush-after"?)"},
             {{"agent", "--batch-flush-aftr=1s"},
              R"(unknown flag "--batch-flush-aftr": did you mean "--batch-flush-after"?)"},
             {{"agent", "--confg", "x"}, R"(unknown flag "--confg": did you mean "--config"?)"},
             {{"gaurd", "--help"}, R"(unknown command "gaurd": did you mean "guard"?)"},
             {{"help", "drivr"}, R"(unknown command "drivr": did you mean "driver"?)"},
             {{"guard", "--guard-lissen", "x"}, R"(unknown flag "--guard-lissen": did you mean "--guard-listen"?)"},
             {{"check", "boatswain.toml"}, R"(unexpected argument "boatswain.toml")"},
             {{"completion"}, "completion is for bash, zsh or fish: boatswaind completion bash"},
             {{"completion", "tcsh"}, "completion is for bash, zsh or fish: boatswaind completion bash"},
         }) {
        auto said = answer(arguments);
        EXPECT_EQ(said.text, "boatswaind: " + text + "\nTry: boatswaind help\n");
        EXPECT_EQ(said.exit_code, 2);
        EXPECT_TRUE(said.to_stderr);
    }
    EXPECT_EQ(answer({"agent", "--config"}).exit_code, 2);
    EXPECT_EQ(answer({"agent", "--log-level"}).exit_code, 2);
    EXPECT_EQ(answer({"agent", "\x1b[31m"}).text.find('\x1b'), std::string::npos);
}

TEST(CommandLine, PrintsHelpThatNamesEverySettingItsDefaultAndExamples) {
    auto help = answer({"help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_FALSE(help.to_stderr);
    for (const auto& setting : settings()) {
        EXPECT_THAT(help.text, HasSubstr("  " + setting.flag()));
        EXPECT_THAT(help.text, HasSubstr("default: " + setting.toml(Config{})));
    }
    EXPECT_THAT(help.text, HasSubstr("Examples\n  boatswaind agent --config /etc/boatswain/boatswain.toml\n"));
    for (auto arguments : std::vector<std::vector<const char*>>{{"--help"}, {"-h"}, {"version", "--help"}})
        EXPECT_EQ(answer(arguments).text, help.text);
    EXPECT_THAT(help.text, HasSubstr("--version"));
}

TEST(CommandLine, EachCommandHasAHelpOfItsOwnWithExamplesAndItsFlags) {
    for (const auto* command : {"agent", "check", "driver", "guard"}) {
        auto help = answer({command, "--help"});
        EXPECT_EQ(help.exit_code, 0);
        EXPECT_FALSE(help.to_stderr);
        EXPECT_THAT(help.text, StartsWith(std::string{"boatswaind "} + command + ": "));
        EXPECT_THAT(help.text, HasSubstr(std::string{"\nExamples\n  boatswaind "} + command));
        EXPECT_THAT(help.text, HasSubstr("\nExit code: 0 "));
        EXPECT_EQ(answer({"help", command}).text, help.text);
        EXPECT_EQ(answer({command, "--log-level", "debug", "-h"}).text, help.text);
    }
    auto guard = answer({"guard", "--help"}).text;
    EXPECT_THAT(guard, HasSubstr("--guard-allow-uid"));
    EXPECT_THAT(guard, testing::Not(HasSubstr("--batch-flush-after"))) << "nothing that it does not read";
    EXPECT_THAT(answer({"driver", "--help"}).text, HasSubstr("--driver-hold-total"));
    EXPECT_THAT(man_page(), HasSubstr("boatswaind check \\-\\-tenancy\\-keyring"));
}

TEST(CommandLine, PrintsItsVersion) {
    EXPECT_THAT(answer({"version"}).text, testing::MatchesRegex("boatswaind [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    EXPECT_EQ(answer({"--version"}).text, answer({"version"}).text);
}

TEST(Completion, NamesEveryFlagForEachShell) {
    for (const auto* shell : {"bash", "zsh", "fish"}) {
        auto script = answer({"completion", shell});
        EXPECT_EQ(script.exit_code, 0);
        for (const auto& setting : settings()) EXPECT_THAT(script.text, HasSubstr(setting.flag().substr(2))) << shell;
    }
}

TEST(Completion, WorksInBash) {
    auto script = std::filesystem::temp_directory_path() / ("boatswain-completion-test." + std::to_string(::getpid()));
    std::ofstream{script} << *completion_script("bash");
    auto complete = "bash -c 'source " + script.string() +
                    " && COMP_WORDS=(boatswaind agent --batch-flush-b) COMP_CWORD=2 && _boatswaind && [ "
                    "\"${COMPREPLY[*]}\" = --batch-flush-bytes ]'";
    EXPECT_EQ(std::system(complete.c_str()), 0);
    std::filesystem::remove(script);
}

}  // namespace
}  // namespace boatswain::config
