// What the tool can be asked to do: one struct and one function a command. arguments.h makes the structs of the command
// line; each function is in the file of its command. They return the exit code.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "boatswain/fleet_commands.h"
#include "boatswain/output.h"
#include "boatswain/serving_commands.h"
#include "query/budget.h"
#include "query/context.h"
#include "query/range.h"
#include "record/line.h"

namespace boatswain::tool {

inline constexpr int exit_ok = 0;
inline constexpr int exit_error = 1;
inline constexpr int exit_nothing_found = 1;  // logs --grep and --regex: as grep says it
inline constexpr int exit_usage = 2;
inline constexpr int exit_unreachable = 3;  // why and status: no agent answers
inline constexpr int exit_over_budget = 4;  // the question needs more memory than it may take

// A new key pair: TENANT.key, which opens, and TENANT.pub, which only seals.
struct KeysNew {
    std::string tenant;
    std::string directory;
};
// The recipients that belong to a file of identities or recipients.
struct KeysShow {
    std::string file;
};
// The identity that a container's secret stands for.
struct KeysDerive {
    std::string tenant;
    std::optional<std::string> secret_file;  // standard input otherwise
    bool keep_newline = false;
};

// How lines are shown to people.
struct Shown {
    bool local_times = false;
    bool pager = true;  // where PAGER names one
};

// What answering may take, and what it believes.
struct Allowance {
    std::uint64_t memory = query::budget_bytes_default;
    bool oversized = false;  // read objects that are larger than agents write, too

    open::Bounds bounds() const { return oversized ? open::Bounds::of_the_format() : open::Bounds{}; }
};

struct Ls {
    std::string store;
    std::vector<std::string> identities;
    std::optional<std::string> tenant;
    query::TimeRange range;
    bool segments = false;  // segments even where sources could be shown
    bool sizes = false;
    bool json = false;
    Allowance allowance;
};

enum class LogFormatChoice { text, json, raw, csv };

struct Logs {
    std::string store;
    std::vector<std::string> identities;
    std::optional<std::string> tenant;
    std::vector<std::string> apps;
    std::vector<std::string> containers;
    std::string space, pod;  // of Kubernetes; empty: any
    bool previous = false;   // of each container the run before its last one
    bool follow = false;     // what comes, too
    std::optional<Stream> stream;

    bool asks_for_pods() const { return !space.empty() || !pod.empty(); }
    std::optional<std::string> grep;   // bytes that a line has
    std::optional<std::string> regex;  // what a part of a line matches
    query::ContextSize context;        // lines around those
    query::TimeRange range;
    std::optional<std::uint64_t> limit;
    std::optional<std::uint64_t> tail;
    LogFormatChoice format = LogFormatChoice::text;
    Shown shown;
    Allowance allowance;
};

// What a LogQL query selects.
struct Query {
    std::string logql;
    std::string store;
    std::vector<std::string> identities;
    std::optional<std::string> tenant;
    query::TimeRange range;
    std::optional<std::uint64_t> limit;  // of lines, the first
    std::optional<std::uint64_t> tail;   // of lines, the last
    std::string cursor;                  // what a page that a limit ended gave, or @FILE; empty: the first page
    std::optional<Nanoseconds> step;     // of numbers
    LogFormatChoice format = LogFormatChoice::text;
    bool check = false;   // parse it, and no more
    bool follow = false;  // what comes, too
    Shown shown;
    Allowance allowance;
};

// Lines as files, for other programs.
struct Export {
    std::optional<std::string> logql;  // which lines; nothing: all of the selection
    std::string out;                   // a directory, or the URL of a store
    std::string store;
    std::vector<std::string> identities;
    std::optional<std::string> tenant;
    std::vector<std::string> apps;
    std::vector<std::string> containers;
    std::optional<Stream> stream;
    query::TimeRange range;
    bool csv = false;
    bool again = false;  // also what is exported
    Allowance allowance;
};

// What footers alone answer.
struct FooterQuestion {
    std::string store;
    std::vector<std::string> identities;
    std::optional<std::string> tenant;
    std::vector<std::string> apps;
    query::TimeRange range;
    bool json = false;
    Allowance allowance;
};
// How much each app printed on each day.
struct Stats {
    FooterQuestion of;
};
// The labels of LogQL's selectors, or the values of one.
struct LabelsCommand {
    FooterQuestion of;
    std::optional<std::string> name;
};

// Makes roll-ups of days, so that questions need fewer requests.
struct RollupCommand {
    FooterQuestion of;
    bool footers_only = false;  // no filters for questions about a text
    bool again = false;         // of hours that did not change, too
};

struct Inspect {
    std::string object;  // a key in the store, or a file
    std::optional<std::string> store;
    std::vector<std::string> identities;
    bool json = false;
};

// Whether everything that was sealed is there and as it was sealed.
struct Verify {
    std::string store;
    std::vector<std::string> identities;  // none: only what is outside of the ciphertext is proven
    std::optional<std::string> tenant;
    std::optional<std::string> host;
    query::TimeRange range;
    bool rollups = false;  // compare roll-ups, too
    bool json = false;
    Allowance allowance;
};

// What the running agent does with a container, and why; without one, with all.
struct Why {
    std::string container;  // name, id or the start of an id; may be empty
    std::string socket;
    bool json = false;
};

// How the running agent stands.
struct Status {
    std::string socket;
    bool json = false;
};

// Has the running agent seal what it has read.
struct Flush {
    std::string socket;
};

// What the running agent has set aside, and which keys it found taken; and what to do about them.
struct SpoolList {
    std::string socket;
    bool json = false;
};
struct SpoolRetry {
    std::string socket;
};
struct SpoolAcknowledge {
    std::string socket;
};

struct Completion {
    std::string shell;  // "bash", "zsh" or "fish"
};
// Names that a shell offers: of those that printed last.
struct Values {
    std::string kind;  // "tenant", "app" or "container"
    std::string store, tenant;
    std::vector<std::string> identities;
};

using Request =
    std::variant<KeysNew, KeysShow, KeysDerive, Ls, Logs, Query, Export, Stats, LabelsCommand, RollupCommand, Inspect,
                 Verify, Why, Status, Flush, SpoolList, SpoolRetry, SpoolAcknowledge, Completion, Values, FleetSync,
                 FleetStatus, FleetKeyNew, FleetKeyDerive, Serve, TokenNew, TokenSign, TokenList, TokenRevoke>;

// The last so many lines are held in memory.
inline constexpr std::uint64_t tail_max = 1'000'000;
inline constexpr std::uint64_t query_tail_max = 100'000;

int run(const KeysNew& request, Console& console);
int run(const KeysShow& request, Console& console);
int run(const KeysDerive& request, Console& console);
int run(const Ls& request, Console& console);
int run(const Logs& request, Console& console);
int run(const Query& request, Console& console);
int run(const Export& request, Console& console);
int run(const Stats& request, Console& console);
int run(const LabelsCommand& request, Console& console);
int run(const RollupCommand& request, Console& console);
int run(const Inspect& request, Console& console);
int run(const Verify& request, Console& console);
int run(const Why& request, Console& console);
int run(const Status& request, Console& console);
int run(const SpoolList& request, Console& console);
int run(const Flush& request, Console& console);
int run(const SpoolRetry& request, Console& console);
int run(const SpoolAcknowledge& request, Console& console);
int run(const Completion& request, Console& console);
int run(const Values& request, Console& console);

}  // namespace boatswain::tool
