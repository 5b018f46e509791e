// What `boatswaind COMMAND --help` says of each command that runs or checks something.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain::config {

struct CommandHelp {
    std::string_view name;
    std::string_view summary;   // one line, without a full stop
    std::string_view about;     // paragraphs
    std::string_view examples;  // one a line
    std::string_view settings;  // sections that it reads, "," between; empty: all
    std::string_view page;      // of the documentation
    std::string_view ends;      // exit codes
};

inline constexpr std::size_t commands_count = 4;
const std::array<CommandHelp, commands_count>& command_helps();

// With the flags of the settings that it reads; nothing for another command.
std::optional<std::string> help_of_command(std::string_view name);

// The flags of settings whose section is one of `sections` (all, where it is empty), as help shows them.
std::string flags_text(std::string_view sections);

}  // namespace boatswain::config
