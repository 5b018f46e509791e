// The command line of boatswaind.
//
//   boatswaind agent [--config FILE] [--SETTING VALUE]...
//   boatswaind check [--config FILE] [--SETTING VALUE]...
//   boatswaind driver [--config FILE] [--SETTING VALUE]...
//   boatswaind guard [--config FILE] [--SETTING VALUE]...
//   boatswaind help [COMMAND] | COMMAND --help | version | completion bash|zsh|fish
//
// There is one flag for each setting of the table (config/settings.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/file.h"
#include "config/config.h"

namespace boatswain::config {

enum class Command { agent, check, driver, guard };

// To be carried out: pass `config` and `overrides` to load_file().
struct Order {
    Command command = Command::agent;
    std::optional<Path> config;
    Overrides overrides;
};

// To be printed, and then the program ends.
struct Answer {
    std::string text;   // ends with a newline
    int exit_code = 0;  // 0, or 2 for a command line that is not understood
    bool to_stderr = false;
};

std::variant<Order, Answer> parse_command_line(int argc, const char* const* argv);

std::string help_text();
std::string_view version();
// boatswaind(8), from the help and the table of settings: `boatswaind --man`, an option that help does not show.
std::string man_page();

// A script that completes commands and flags; `shell` is bash, zsh or fish, and nothing is returned for another.
std::optional<std::string> completion_script(std::string_view shell);

}  // namespace boatswain::config
