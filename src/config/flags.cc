#include "config/flags.h"

#include <CLI/CLI.hpp>
#include <array>
#include <deque>

#include "base/bytes.h"
#include "base/suggest.h"
#include "base/url_text.h"
#include "config/command_help.h"
#include "config/settings.h"
#include "config/words.h"

namespace boatswain::config {
namespace {

constexpr std::string_view hint = "\nTry: boatswaind help\n";

Answer refuse(std::string_view what) {
    return {.text = "boatswaind: " + std::string{what} + std::string{hint}, .exit_code = 2, .to_stderr = true};
}

// Where one flag's occurrences are gathered while CLI11 parses.
struct Gathered {
    const Setting* setting;
    std::vector<std::string> values;
};

// CLI11 splits a value in brackets at its commas, where we mean a TOML array; a mark in front keeps it whole.
constexpr char whole = '\x01';

struct Subcommand {
    CLI::App* app = nullptr;
    std::string config;
    std::deque<Gathered> flags;

    void add_to(CLI::App& parent, const std::string& name) {
        app = parent.add_subcommand(name);
        app->set_help_flag();
        app->allow_extras();
        app->add_option("-c,--config", config)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
        for (const auto& setting : settings()) {
            auto& gathered = flags.emplace_back(Gathered{&setting, {}});
            auto* option =
                app->add_option(setting.flag(), gathered.values)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
            option->allow_extra_args(false);
            option->expected(setting.is_switch ? 0 : 1, 1)->default_str("true");
        }
    }

    // What `check`, `agent` or `guard` means, once parsed.
    std::variant<Order, Answer> order(Command command) const {
        for (const auto& extra : app->remaining()) return refuse(unknown(extra));
        Order order{.command = command};
        if (app->count("--config") > 0) order.config = Path{config};
        for (const auto& [setting, values] : flags)
            for (const auto& value : values) {
                auto text = value.starts_with(whole) ? value.substr(1) : value;
                order.overrides.emplace_back(setting->name, text.empty() && setting->is_switch ? "true" : text);
            }
        return order;
    }

    std::string unknown(std::string_view extra) const {
        if (!extra.starts_with('-')) return "unexpected argument \"" + printable(url_for_people(extra), 80) + "\"";
        auto name = extra.substr(0, extra.find('='));
        std::vector<std::string> names{"--config", "--help", "--version"};
        for (const auto& setting : settings()) names.push_back(setting.flag());
        std::vector<std::string_view> known(names.begin(), names.end());
        auto near = closest(name, known);
        return "unknown flag \"" + printable(name, 80) + "\"" +
               (near ? ": did you mean \"" + std::string{*near} + "\"?" : "");
    }
};

std::variant<Order, Answer> parse(std::vector<std::string> arguments) {
    CLI::App app;
    app.set_help_flag();
    Subcommand agent, check, driver, guard;
    agent.add_to(app, "agent");
    check.add_to(app, "check");
    driver.add_to(app, "driver");
    guard.add_to(app, "guard");
    std::ranges::reverse(arguments);  // CLI11 takes a vector from its end
    app.parse(std::move(arguments));
    if (agent.app->parsed()) return agent.order(Command::agent);
    if (driver.app->parsed()) return driver.order(Command::driver);
    if (guard.app->parsed()) return guard.order(Command::guard);
    return check.order(Command::check);
}

bool asks_for(const std::vector<std::string>& arguments, std::string_view long_flag, std::string_view short_flag) {
    return is_among(long_flag, arguments) || is_among(short_flag, arguments);
}

// `help`, `help COMMAND`, `COMMAND --help`. Nothing where no help is asked for, or for what is no command.
std::optional<std::string> help_for(const std::vector<std::string>& arguments) {
    auto first = std::string_view{arguments[0]};
    bool names_none = first == "help" || first == "--help" || first == "-h";
    if (!names_none && !asks_for(arguments, "--help", "-h")) return std::nullopt;
    if (names_none && arguments.size() == 1) return help_text();
    std::string_view command = names_none ? std::string_view{arguments[1]} : first;
    if (auto help = help_of_command(command)) return help;
    bool other = command == "help" || command == "version" || command == "completion" || command == "--version";
    return other || command.starts_with('-') ? std::optional{help_text()} : std::nullopt;
}

std::variant<Order, Answer> run(std::vector<std::string> arguments) {
    static constexpr std::array<std::string_view, 7> commands{"agent", "check",   "driver",    "guard",
                                                              "help",  "version", "completion"};
    if (arguments.empty())
        return refuse("what shall I do? The commands are agent, check, driver, guard, help, version and completion");
    if (auto help = help_for(arguments)) return Answer{.text = std::move(*help)};
    if (arguments[0] == "--man") return Answer{.text = man_page()};
    if (asks_for(arguments, "--version", "-V") || arguments[0] == "version")
        return Answer{.text = "boatswaind " + std::string{version()} + "\n"};
    const auto& command = arguments[0] == "help" && arguments.size() > 1 ? arguments[1] : arguments[0];
    if (!is_among(command, commands)) {
        auto near = closest(command, commands);
        return refuse("unknown command \"" + printable(url_for_people(command), 80) + "\"" +
                      (near ? ": did you mean \"" + std::string{*near} + "\"?" : ""));
    }
    if (arguments[0] == "completion") {
        auto script = arguments.size() == 2 ? completion_script(arguments[1]) : std::nullopt;
        if (!script) return refuse("completion is for bash, zsh or fish: boatswaind completion bash");
        return Answer{.text = std::move(*script)};
    }
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        auto& argument = arguments[i];
        auto equals = argument.starts_with("--") ? argument.find('=') : std::string::npos;
        if (argument.starts_with('['))
            argument.insert(0, 1, whole);
        else if (equals != std::string::npos && equals + 1 < argument.size() && argument[equals + 1] == '[')
            argument.insert(equals + 1, 1, whole);
    }
    return parse(std::move(arguments));
}

}  // namespace

std::variant<Order, Answer> parse_command_line(int argc, const char* const* argv) {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    try {
        return run(std::move(arguments));
    } catch (const CLI::Error& error) {  // CLI11 reports by exception; it ends here
        return refuse(printable(without_url_secrets(error.what()), 300));
    }
}

std::string_view version() { return BOATSWAIN_VERSION; }

std::string help_text() {
    std::string out =
        "boatswaind reads what the containers of this host print, seals it for the tenant it belongs to, and stores "
        "it.\n"
        "\n"
        "  boatswaind agent [--config FILE] [--SETTING VALUE]...   run\n"
        "  boatswaind check [--config FILE] [--SETTING VALUE]...   validate, and print the effective configuration\n"
        "  boatswaind driver [--config FILE] [--SETTING VALUE]...  be the engine's log driver, beside an agent that "
        "reads\n"
        "  boatswaind guard [--config FILE] [--SETTING VALUE]...   own the engine's socket, and serve a safe part of "
        "it\n"
        "  boatswaind completion bash|zsh|fish                     print a script for the shell\n"
        "  boatswaind help [COMMAND]                               more, and examples; also: COMMAND --help\n"
        "  boatswaind version                                      also: --version, -V\n"
        "\n"
        "Examples\n"
        "  boatswaind agent --config /etc/boatswain/boatswain.toml\n"
        "  boatswaind agent --store-url 's3://logs/prod?region=eu-central-1' --tenancy-tenant label:team "
        "--tenancy-tenant compose\n"
        "  BOATSWAIN_LOG_LEVEL=debug boatswaind check\n"
        "  boatswaind guard --guard-redact environment --guard-allow-uid boatswain\n"
        "\n"
        "Every setting is a key of the file, a variable and a flag; the later wins:\n"
        "  [batch]  flush_after = \"60s\"    BOATSWAIN_BATCH_FLUSH_AFTER=60s    --batch-flush-after 60s\n"
        "Without --config the file is what BOATSWAIN_CONFIG names, else /etc/boatswain/boatswain.toml if it is there.\n"
        "A flag of a list may be given several times; a variable takes [\"a\", \"b\"], or a,b.\n"
        "\n"
        "Flags\n"
        "  -c, --config FILE\n"
        "      the configuration file (TOML)\n";
    return out + flags_text("");
}

namespace {

std::string all_flags(std::string_view separator) {
    std::string out = "--config";
    for (const auto& setting : settings()) out += std::string{separator} + setting.flag();
    return out;
}

std::string bash_script() {
    return "_boatswaind() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W 'agent check driver guard completion help version' -- \"$word\"))\n"
           "    elif [ \"${COMP_WORDS[1]}\" = completion ]; then\n"
           "        COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\"))\n"
           "    elif [[ $word == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W '" +
           all_flags(" ") +
           "' -- \"$word\"))\n"
           "    elif [[ $before == --config || $before == -c || $before == *-file || $before == *-dir ]]; then\n"
           "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "    fi\n"
           "}\n"
           "complete -F _boatswaind boatswaind\n";
}

std::string zsh_script() {
    return "#compdef boatswaind\n"
           "_boatswaind() {\n"
           "    if (( CURRENT == 2 )); then\n"
           "        compadd agent check driver guard completion help version\n"
           "    elif [[ $words[2] == completion ]]; then\n"
           "        compadd bash zsh fish\n"
           "    elif [[ $PREFIX == -* ]]; then\n"
           "        compadd -- " +
           all_flags(" ") +
           "\n"
           "    else\n"
           "        _files\n"
           "    fi\n"
           "}\n"
           // As a file of $fpath it is run to complete; sourced, it is registered.
           "if [[ $funcstack[1] == _boatswaind ]]; then\n"
           "    _boatswaind \"$@\"\n"
           "else\n"
           "    compdef _boatswaind boatswaind\n"
           "fi\n";
}

std::string fish_script() {
    std::string out =
        "complete -c boatswaind -f\n"
        "complete -c boatswaind -n __fish_use_subcommand -a 'agent check driver guard completion help version'\n"
        "complete -c boatswaind -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
        "complete -c boatswaind -n '__fish_seen_subcommand_from agent check driver guard' -s c -l config -r -F\n";
    for (const auto& setting : settings()) {
        std::string help;
        for (char c : setting.help) help += c == '\'' ? std::string{"\\'"} : std::string{c};
        out += "complete -c boatswaind -n '__fish_seen_subcommand_from agent check driver guard' -l " +
               setting.flag().substr(2) + (setting.is_switch ? "" : " -r") + " -d '" + help + "'\n";
    }
    return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell) {
    if (shell == "bash") return bash_script();
    if (shell == "zsh") return zsh_script();
    if (shell == "fish") return fish_script();
    return std::nullopt;
}

}  // namespace boatswain::config
