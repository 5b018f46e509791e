#include "boatswain/arguments.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "base/suggest.h"
#include "base/url_text.h"
#include "boatswain/agent_client.h"
#include "boatswain/command_options.h"
#include "boatswain/values.h"

namespace boatswain::tool {

namespace {

// "boatswain keys" for `keys new`; empty for the tool itself.
std::string path_above(const CLI::App& command) {
    const auto* parent = command.get_parent();
    if (parent == nullptr) return {};
    auto above = path_above(*parent);
    return above + (above.empty() ? "" : " ") + parent->get_name();
}

Arguments usage(const CLI::App& command, std::string_view what) {
    auto above = path_above(command);
    auto path = above + (above.empty() ? "" : " ") + command.get_name();
    return {.text = "boatswain: " + std::string{what} + "\nTry: " + path + " --help\n", .exit_code = exit_usage};
}

std::vector<const CLI::App*> all_below(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App& deepest(const CLI::App& from) {
    auto parsed = from.get_subcommands();
    return parsed.empty() ? from : deepest(*parsed.front());
}

Arguments unknown(const CLI::App& above, const std::string& name) {
    std::vector<std::string> names;
    std::vector<std::string_view> candidates;
    for (const auto* command : all_below(above)) names.push_back(command->get_name());
    for (const auto& known : names) candidates.push_back(known);
    auto meant = closest(name, candidates);
    return usage(above, "there is no command \"" + printable(name, 40) + "\"" +
                            (meant ? "; did you mean \"" + std::string{*meant} + "\"?" : ""));
}

// The first word of the command line that stands where a command must, and is none.
std::optional<Arguments> misspelt(const CLI::App& tool, int argc, const char* const* argv) {
    const auto* command = &tool;
    for (int i = 1; i < argc && !all_below(*command).empty(); ++i) {
        std::string word = argv[i];
        if (word.starts_with("-")) return std::nullopt;
        auto below = all_below(*command);
        auto named = std::ranges::find(below, word, [](const CLI::App* app) { return app->get_name(); });
        if (named == below.end()) return unknown(*command, word);
        command = *named;
    }
    return std::nullopt;
}

Arguments explain(const std::vector<std::string>& path) {
    // Commands that nothing was parsed with: CLI11 would explain the one that was given instead.
    CommandsGiven unused;
    auto commands = make_commands(unused);
    const auto* command = &commands->tool;
    for (const auto& name : path) {
        auto named = command->get_subcommands([&](const CLI::App* below) { return below->get_name() == name; });
        if (named.empty()) return unknown(*command, name);
        command = named.front();
    }
    return {.text = command->help(path_above(*command)), .exit_code = exit_ok};
}

// What --store and --identity leave open, the environment says.
void add_environment(std::string& store, std::vector<std::string>& identities) {
    if (const char* url = std::getenv("BOATSWAIN_STORE"); url != nullptr && store.empty()) store = url;
    const char* files = std::getenv("BOATSWAIN_IDENTITY");
    if (files == nullptr || !identities.empty()) return;
    std::string_view rest = files;
    while (!rest.empty()) {
        auto file = rest.substr(0, rest.find(':'));
        if (!file.empty()) identities.emplace_back(file);
        rest.remove_prefix(std::min(rest.size(), file.size() + 1));
    }
}

// The socket that was given, or that the environment names, or the default one.
std::string socket_of(const std::string& given) {
    if (!given.empty()) return given;
    const char* named = std::getenv("BOATSWAIN_SOCKET");
    return named != nullptr && *named != '\0' ? named : agent_socket_default;
}

constexpr const char* no_store =
    "which store? Give --store dir:PATH or --store s3://BUCKET/PREFIX, or set BOATSWAIN_STORE";
constexpr const char* no_identity =
    "lines are sealed: give the tenant's key with --identity FILE, or set BOATSWAIN_IDENTITY";

// One of `fleet`; nothing when it is another command.
std::optional<Arguments> fleet_request(const Commands& commands, const CommandsGiven& given, const CLI::App& command) {
    const auto& fleet = commands.fleet;
    auto completed = [&](auto result) {
        return result ? Arguments{.request = std::move(*result)} : usage(command, result.error().what);
    };
    if (&command == fleet.sync) return completed(complete_sync(given.fleet.sync));
    if (&command == fleet.status) return completed(complete_status(given.fleet.status));
    if (&command == fleet.key_new) return Arguments{.request = given.fleet.key_new};
    if (&command == fleet.key_derive) return Arguments{.request = given.fleet.key_derive};
    return std::nullopt;
}

// `serve`, or one of `token`; nothing when it is another command.
std::optional<Arguments> serving_request(const Commands& commands, const CommandsGiven& given,
                                         const CLI::App& command) {
    const auto& serving = commands.serving;
    auto completed = [&](auto result) {
        return result ? Arguments{.request = std::move(*result)} : usage(command, result.error().what);
    };
    if (&command == serving.serve) return completed(complete_serve(given.serving));
    if (&command == serving.token_new) return completed(complete_token(given.serving));
    if (&command == serving.token_sign) return completed(complete_sign(given.serving));
    if (&command == serving.token_list) return Arguments{.request = given.serving.token_list};
    if (&command == serving.token_revoke) return Arguments{.request = given.serving.token_revoke};
    return std::nullopt;
}

Result<Allowance> allowance_of(const CommandsGiven& given) {
    Allowance allowance{.oversized = given.oversized};
    if (given.memory.empty()) return allowance;
    auto size = parse_size(given.memory);
    if (!size || *size < query::budget_bytes_min)
        return fail(Remedy::stop, "--memory: \"" + printable(given.memory, 40) + "\" is not a size of at least " +
                                      size_to_text(query::budget_bytes_min) + ", like 1GiB");
    allowance.memory = *size;
    return allowance;
}

std::string_view view(const std::string& text) { return text; }

LogFormatChoice format_of(const CommandsGiven& given) {
    if (given.format == "raw") return LogFormatChoice::raw;
    if (given.format == "csv") return LogFormatChoice::csv;
    return given.format == "json" ? LogFormatChoice::json : LogFormatChoice::text;
}

Shown shown_of(const CommandsGiven& given) {
    return {.local_times = given.time_zone == "local", .pager = !given.no_pager};
}

// What stats and labels share.
Result<void> complete_question(FooterQuestion& question, const query::TimeRange& range, const Allowance& allowance) {
    add_environment(question.store, question.identities);
    if (question.store.empty()) return fail(Remedy::stop, no_store);
    if (question.identities.empty()) return fail(Remedy::stop, no_identity);
    question.range = range;
    question.allowance = allowance;
    return {};
}

Arguments logs_request(const CLI::App& command, CommandsGiven& given, const query::TimeRange& range,
                       const Allowance& allowance) {
    auto& logs = given.logs;
    add_environment(logs.store, logs.identities);
    if (logs.store.empty()) return usage(command, no_store);
    if (logs.identities.empty()) return usage(command, no_identity);
    if (logs.previous && !logs.asks_for_pods() && logs.containers.empty())
        return usage(command, "--previous needs --container, --pod or --namespace: which one's earlier run?");
    logs.range = range;
    logs.allowance = allowance;
    logs.context = {.before = given.before.value_or(given.around.value_or(0)),
                    .after = given.after.value_or(given.around.value_or(0))};
    bool has_context = given.after || given.before || given.around;
    if (logs.follow && (given.until || logs.limit || logs.previous || has_context))
        return usage(command, "--follow goes on and on: it is not for --until, --limit, --previous, -A, -B or -C");
    if (has_context && !logs.grep && !logs.regex)
        return usage(command,
                     "-A, -B and -C give lines around those that --grep or --regex finds: give one of the two");
    if (!given.stream.empty()) logs.stream = given.stream == "stdout" ? Stream::out : Stream::err;
    logs.format = format_of(given);
    logs.shown = shown_of(given);
    return {.request = logs};
}

Arguments export_request(const CLI::App& command, CommandsGiven& given, const query::TimeRange& range,
                         const Allowance& allowance) {
    auto& exported = given.exported;
    add_environment(exported.store, exported.identities);
    if (exported.store.empty()) return usage(command, no_store);
    if (exported.identities.empty()) return usage(command, no_identity);
    if (exported.out == exported.store || "dir:" + exported.out == exported.store)
        return usage(command, "--out is the store itself: files in clear have no place there");
    exported.range = range;
    exported.allowance = allowance;
    exported.csv = given.file_format == "csv";
    if (!given.stream.empty()) exported.stream = given.stream == "stdout" ? Stream::out : Stream::err;
    return {.request = exported};
}

Arguments query_request(const CLI::App& command, CommandsGiven& given, const query::TimeRange& range,
                        const Allowance& allowance) {
    auto& query = given.query;
    query.range = range;
    query.allowance = allowance;
    query.format = format_of(given);
    query.shown = shown_of(given);
    if (!given.step.empty()) {
        query.step = parse_duration(given.step);
        if (!query.step || *query.step <= Nanoseconds{0})
            return usage(command, "--step: \"" + printable(given.step, 40) + "\" is not a duration like 1m");
    }
    if (query.follow && (given.until || query.limit || !query.cursor.empty() || !given.step.empty()))
        return usage(command, "--follow goes on and on: it is not for --until, --limit, --cursor or --step");
    if (query.check) return {.request = query};
    add_environment(query.store, query.identities);
    if (query.store.empty()) return usage(command, no_store);
    if (query.identities.empty()) return usage(command, no_identity);
    return {.request = query};
}

Arguments request_of(const Commands& commands, CommandsGiven& given, Timestamp now) {
    const auto& command = deepest(commands.tool);
    auto range = query::parse_range(given.since.transform(view), given.until.transform(view), now);
    if (!range) return usage(command, range.error().what);
    auto allowance = allowance_of(given);
    if (!allowance) return usage(command, allowance.error().what);

    if (auto fleet = fleet_request(commands, given, command)) return *fleet;
    if (auto serving = serving_request(commands, given, command)) return *serving;
    if (&command == commands.keys_new) return {.request = given.keys_new};
    if (&command == commands.keys_show) return {.request = given.keys_show};
    if (&command == commands.keys_derive) return {.request = given.keys_derive};
    if (&command == commands.why) {
        given.why.socket = socket_of(given.why.socket);
        return {.request = given.why};
    }
    if (&command == commands.status) {
        given.status.socket = socket_of(given.status.socket);
        return {.request = given.status};
    }
    if (&command == commands.spool_list) {
        given.spool_list.socket = socket_of(given.spool_list.socket);
        return {.request = given.spool_list};
    }
    if (&command == commands.flush) return {.request = Flush{socket_of(given.flush.socket)}};
    if (&command == commands.spool_retry) return {.request = SpoolRetry{socket_of(given.spool_retry.socket)}};
    if (&command == commands.spool_acknowledge)
        return {.request = SpoolAcknowledge{socket_of(given.spool_acknowledge.socket)}};
    if (&command == commands.completion) return {.request = given.completion};
    if (&command == commands.version) return {.text = std::string{"boatswain "} + BOATSWAIN_VERSION + "\n"};
    if (&command == commands.help) return explain(given.help_of);
    if (&command == commands.ls) {
        add_environment(given.ls.store, given.ls.identities);
        if (given.ls.store.empty()) return usage(command, no_store);
        given.ls.range = *range;
        given.ls.allowance = *allowance;
        return {.request = given.ls};
    }
    if (&command == commands.logs) return logs_request(command, given, *range, *allowance);
    if (&command == commands.stats) {
        auto complete = complete_question(given.stats.of, *range, *allowance);
        return complete ? Arguments{.request = given.stats} : usage(command, complete.error().what);
    }
    if (&command == commands.rollup) {
        if (range->since == Timestamp::min()) range->since = now - rollup_since_default;
        auto complete = complete_question(given.rollup.of, *range, *allowance);
        return complete ? Arguments{.request = given.rollup} : usage(command, complete.error().what);
    }
    if (&command == commands.labels) {
        auto complete = complete_question(given.labels.of, *range, *allowance);
        return complete ? Arguments{.request = given.labels} : usage(command, complete.error().what);
    }
    if (&command == commands.exported) return export_request(command, given, *range, *allowance);
    if (&command == commands.query) return query_request(command, given, *range, *allowance);
    if (&command == commands.verify) {
        add_environment(given.verify.store, given.verify.identities);
        if (given.verify.store.empty()) return usage(command, no_store);
        if (given.verify.rollups && given.verify.identities.empty()) return usage(command, no_identity);
        given.verify.range = *range;
        given.verify.allowance = *allowance;
        return {.request = given.verify};
    }
    std::string store = given.inspect.store.value_or("");
    add_environment(store, given.inspect.identities);
    if (!store.empty()) given.inspect.store = store;
    return {.request = given.inspect};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// A word that was not expected may be an URL, with or without a scheme.
std::string for_people(std::string_view message) {
    std::string shown;
    while (!message.empty()) {
        auto word = message.substr(0, message.find(' '));
        message.remove_prefix(std::min(message.size(), word.size() + 1));
        shown += (shown.empty() ? "" : " ") + url_for_people(word);
    }
    return shown;
}

void gather_words(const CLI::App& command, const std::string& path, std::vector<CommandWords>& words) {
    CommandWords own{
        .path = path, .description = first_line(command.get_description()), .footer = command.get_footer()};
    for (const auto* option : command.get_options()) {
        if (option->get_positional()) {
            own.choices = choices_of(option->get_name(true));
            own.arguments.push_back({.name = option->get_name(true),
                                     .description = first_line(option->get_description()),
                                     .required = option->get_required()});
            continue;
        }
        auto name = "--" + option->get_lnames().front();
        bool takes_value = option->get_expected_max() > 0 && option->get_type_size() > 0;
        own.options.push_back(
            {.name = name,
             .description = first_line(option->get_description()),
             .takes_value = takes_value,
             .choices = choices_of(name),
             .short_name = option->get_snames().empty() ? std::string{} : "-" + option->get_snames().front(),
             .value =
                 takes_value ? option->get_type_name().substr(0, option->get_type_name().find(':')) : std::string{}});
    }
    auto below = all_below(command);
    for (const auto* next : below) own.commands.push_back(next->get_name());
    words.push_back(std::move(own));
    for (const auto* next : below)
        gather_words(*next, path.empty() ? next->get_name() : path + " " + next->get_name(), words);
}

}  // namespace

Arguments parse_arguments(int argc, const char* const* argv, Timestamp now) {
    CommandsGiven given;
    auto commands = make_commands(given);
    auto& tool = commands->tool;
    if (argc > 1 && std::string_view{argv[1]} == "--man") return {.text = man_page()};
    if (argc > 1 && std::string_view{argv[1]} == "--version")
        return {.text = std::string{"boatswain "} + BOATSWAIN_VERSION + "\n"};
    if (argc > 1 && std::string_view{argv[1]} == "--values") {
        auto values = values_request({argv + 2, argv + argc});
        add_environment(values.store, values.identities);
        return {.request = values};
    }
    try {
        tool.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return {.text = deepest(tool).help(path_above(deepest(tool)))};
    } catch (const CLI::ParseError& error) {
        if (argc <= 1) return {.text = tool.help(), .exit_code = exit_usage};
        if (auto word = misspelt(tool, argc, argv)) return *word;
        return usage(deepest(tool), for_people(first_line(error.what())));
    }
    return request_of(*commands, given, now);
}

std::vector<CommandWords> command_words() {
    CommandsGiven given;
    auto commands = make_commands(given);
    std::vector<CommandWords> words;
    gather_words(commands->tool, "", words);
    return words;
}

}  // namespace boatswain::tool
