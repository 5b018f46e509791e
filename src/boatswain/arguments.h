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

// For shell completion and the man page.
struct OptionWords {
    std::string name;         // "--store"
    std::string description;  // its first line
    bool takes_value = false;
    std::vector<std::string> choices;  // of its value, where they are few
    std::string short_name;            // "-i", or empty
    std::string value;                 // what its value is called: "FILE"
};
struct ArgumentWords {
    std::string name;  // "OBJECT"
    std::string description;
    bool required = false;
};
struct CommandWords {
    std::string path;  // "keys new"; empty for the tool itself
    std::string description;
    std::vector<std::string> commands;  // that may follow
    std::vector<OptionWords> options;
    std::vector<std::string> choices;  // of its argument, where they are few
    std::vector<ArgumentWords> arguments;
    std::string footer;  // what --help says at the end: examples, exit codes
};
std::vector<CommandWords> command_words();

// The man page of the tool, from the same words: `boatswain --man`, an option that help does not show.
std::string man_page();

}  // namespace boatswain::tool
