// The commands and options of the command line, as CLI11 knows them, before what was given is checked against each other
// (arguments.h).
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "boatswain/commands.h"
#include "boatswain/fleet_arguments.h"
#include "boatswain/serving_arguments.h"

namespace boatswain::tool {

// The options as CLI11 fills them, before they are checked against each other.
struct CommandsGiven {
    KeysNew keys_new;
    KeysShow keys_show;
    KeysDerive keys_derive;
    Ls ls;
    Logs logs;
    Query query;
    Export exported;
    Stats stats;
    RollupCommand rollup;
    LabelsCommand labels;
    Inspect inspect;
    Verify verify;
    Why why;
    Status status;
    SpoolList spool_list;
    Flush flush;
    SpoolRetry spool_retry;
    SpoolAcknowledge spool_acknowledge;
    Completion completion;
    FleetGiven fleet;
    ServingGiven serving;
    std::string stream;
    std::string format = "text", file_format = "ndjson";
    std::optional<std::string> since, until;
    std::optional<std::uint64_t> after, before, around;
    std::vector<std::string> help_of;
    std::string step;
    std::string memory;
    bool oversized = false;
    std::string time_zone = "utc";
    bool no_pager = false;
};

struct Commands {
    CLI::App tool{"Reads what Boatswain stored: every container's output, sealed for its tenant.", "boatswain"};
    CLI::App *keys, *keys_new, *keys_show, *keys_derive, *ls, *logs, *query, *exported, *stats, *labels, *rollup,
        *inspect, *verify, *why, *status, *flush, *spool, *spool_list, *spool_retry, *spool_acknowledge, *completion,
        *version, *help;
    FleetCommands fleet;
    ServingCommands serving;
};

// Of `boatswain rollup`, where nothing is said.
inline constexpr std::chrono::hours rollup_since_default{48};

// `given` is filled as a command line is parsed, and outlives what is returned.
std::unique_ptr<Commands> make_commands(CommandsGiven& given);

// What may be given for an option ("--stream") or an argument ("SHELL"), where that is a few words.
std::vector<std::string> choices_of(const std::string& option);

}  // namespace boatswain::tool
