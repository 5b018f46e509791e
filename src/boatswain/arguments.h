// The command line: what is asked for, help, and the words that shells complete.
//
// --store and --identity may also come from the environment: BOATSWAIN_STORE, and BOATSWAIN_IDENTITY with ':' between
// files; --socket from BOATSWAIN_SOCKET. What is written on the command line wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "boatswain/commands.h"

namespace boatswain::tool {

struct Arguments {
    std::optional<Request> request;
    // Without a request: help or version for standard output (exit_ok), or what is wrong for standard error
    // (exit_usage).
    std::string text;
    int exit_code = exit_ok;
};

Arguments parse_arguments(int argc, const char* const* argv, Timestamp now);

// For shell completion.
struct OptionWords {
    std::string name;         // "--store"
    std::string description;  // its first line
    bool takes_value = false;
    std::vector<std::string> choices;  // of its value, where they are few
};
struct CommandWords {
    std::string path;  // "keys new"; empty for the tool itself
    std::string description;
    std::vector<std::string> commands;  // that may follow
    std::vector<OptionWords> options;
    std::vector<std::string> choices;  // of its argument, where they are few
};
std::vector<CommandWords> command_words();

}  // namespace boatswain::tool
