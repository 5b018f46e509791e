// completion: scripts made from the same words as the command line itself, so that they cannot lag behind it.
#include <fmt/format.h>

#include <algorithm>

#include "boatswain/arguments.h"
#include "boatswain/commands.h"

namespace boatswain::tool {

namespace {

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string option_names(const CommandWords& command) {
    std::vector<std::string> names;
    for (const auto& option : command.options) names.push_back(option.name);
    return join(names);
}

// Single-quoted for any of the three shells.
std::string quoted(std::string text) {
    for (std::size_t at = text.find('\''); at != text.npos; at = text.find('\'', at + 4)) text.replace(at, 1, "'\\''");
    return "'" + text + "'";
}

// The words that may follow each path, as cases of a shell's `case`: "keys new) ...". bash and zsh read them alike.
std::string cases(const std::vector<CommandWords>& words) {
    std::string text;
    for (const auto& command : words) {
        auto next = command.commands.empty() ? command.choices : command.commands;
        text += fmt::format("        {}) words={} options={} ;;\n", quoted(command.path), quoted(join(next)),
                            quoted(option_names(command)));
    }
    return text;
}

// What the tool itself is asked for (values.h).
std::string kind_of_value(const OptionWords& option) {
    for (const std::string kind : {"tenant", "app", "container"})
        if (option.takes_value && option.name == "--" + kind) return kind;
    return {};
}

// Cases for the values of options: choices, names that the store knows, or files for options that take any other value.
std::string value_cases(const std::vector<CommandWords>& words, std::string_view offer_choices,
                        std::string_view offer_names, std::string_view offer_files) {
    std::string text;
    std::vector<std::string> seen;
    for (const auto& command : words)
        for (const auto& option : command.options) {
            if (!option.takes_value || std::ranges::find(seen, option.name) != seen.end()) continue;
            seen.push_back(option.name);
            auto offered = !option.choices.empty() ? fmt::format(fmt::runtime(offer_choices), join(option.choices))
                           : !kind_of_value(option).empty()
                               ? fmt::format(fmt::runtime(offer_names), kind_of_value(option))
                               : std::string{offer_files};
            text += fmt::format("        {}) {}; return ;;\n", option.name, offered);
        }
    return text;
}

// Every word that is a command's, so that paths hold no option values.
std::string path_cases(const std::vector<CommandWords>& words) {
    std::string text;
    for (const auto& command : words)
        if (!command.path.empty()) text += (text.empty() ? "" : "|") + quoted(command.path);
    return text;
}

std::string bash_script(const std::vector<CommandWords>& words) {
    return fmt::format(R"(# bash completion for boatswain: source <(boatswain completion bash)
_boatswain() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" path="" words="" options="" i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "${{path:+$path }}${{COMP_WORDS[i]}}" in
        {}) path="${{path:+$path }}${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$previous" in
{}    esac
    case "$path" in
{}    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [[ -n $words ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}}
complete -o filenames -F _boatswain boatswain
)",
                       path_cases(words),
                       value_cases(words, "COMPREPLY=($(compgen -W '{}' -- \"$current\"))",
                                   "COMPREPLY=($(compgen -W \"$(boatswain --values {} "
                                   "\"${{COMP_WORDS[@]:0:COMP_CWORD}}\" 2>/dev/null)\" -- \"$current\"))",
                                   "COMPREPLY=($(compgen -f -- \"$current\"))"),
                       cases(words));
}

std::string zsh_script(const std::vector<CommandWords>& words) {
    return fmt::format(R"(#compdef boatswain
# zsh completion for boatswain: save it as _boatswain in a directory of $fpath
_boatswain_words() {{
    local current="${{words[CURRENT]}}" previous="${{words[CURRENT-1]}}" place="" i
    local -a given
    given=("${{(@)words}}")
    for ((i = 2; i < CURRENT; i++)); do
        case "${{place:+$place }}${{given[i]}}" in
        {}) place="${{place:+$place }}${{given[i]}}" ;;
        esac
    done
    case "$previous" in
{}    esac
    _boatswain_offer "$place" "$current"
}}
_boatswain_offer() {{
    local words="" options=""
    case "$1" in
{}    esac
    if [[ $2 == -* ]]; then
        compadd -- ${{=options}}
    elif [[ -n $words ]]; then
        compadd -- ${{=words}}
    else
        _files
    fi
}}
if [[ $funcstack[1] == _boatswain ]]; then
    _boatswain_words "$@"
else
    compdef _boatswain_words boatswain
fi
)",
                       path_cases(words),
                       value_cases(words, "compadd -- {}",
                                   "compadd -- ${{(f)\"$(boatswain --values {} \"${{(@Q)given[1,CURRENT-1]}}\" "
                                   "2>/dev/null)\"}}",
                                   "_files"),
                       cases(words));
}

std::string fish_condition(const CommandWords& command) {
    if (command.path.empty()) return "__fish_use_subcommand";
    std::string text;
    std::string_view rest = command.path;
    while (!rest.empty()) {
        auto word = rest.substr(0, rest.find(' '));
        text += fmt::format("{}__fish_seen_subcommand_from {}", text.empty() ? "" : "; and ", word);
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    if (!command.commands.empty()) text += "; and not __fish_seen_subcommand_from " + join(command.commands);
    return text;
}

std::string fish_script(const std::vector<CommandWords>& words) {
    std::string text = "# fish completion for boatswain: save it as ~/.config/fish/completions/boatswain.fish\n";
    auto described = [&](const std::string& path) {
        auto found = std::ranges::find(words, path, &CommandWords::path);
        return found == words.end() ? std::string{} : found->description;
    };
    for (const auto& command : words) {
        auto condition = quoted(fish_condition(command));
        for (const auto& next : command.commands)
            text += fmt::format("complete -c boatswain -f -n {} -a {} -d {}\n", condition, next,
                                quoted(described(command.path.empty() ? next : command.path + " " + next)));
        if (!command.choices.empty())
            text += fmt::format("complete -c boatswain -f -n {} -a {}\n", condition, quoted(join(command.choices)));
        for (const auto& option : command.options) {
            text += fmt::format("complete -c boatswain -n {} -l {} -d {}", condition, option.name.substr(2),
                                quoted(option.description));
            if (!option.choices.empty())
                text += fmt::format(" -x -a {}", quoted(join(option.choices)));
            else if (auto kind = kind_of_value(option); !kind.empty())
                text += fmt::format(" -x -a {}",
                                    quoted("(boatswain --values " + kind + " (commandline -opc) 2>/dev/null)"));
            else if (option.takes_value)
                text += " -r";
            text += "\n";
        }
    }
    return text;
}

}  // namespace

int run(const Completion& request, Console& console) {
    auto words = command_words();
    console.out.write(request.shell == "bash"  ? bash_script(words)
                      : request.shell == "zsh" ? zsh_script(words)
                                               : fish_script(words));
    return exit_ok;
}

}  // namespace boatswain::tool
