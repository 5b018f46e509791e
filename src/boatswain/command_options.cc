#include "boatswain/command_options.h"

#include "base/bytes.h"
#include "boatswain/agent_client.h"

namespace boatswain::tool {

namespace {

const std::vector<std::string> shells{"bash", "zsh", "fish"};
const std::vector<std::string> streams{"stdout", "stderr"};
const std::vector<std::string> formats{"text", "json", "raw", "csv"};
const std::vector<std::string> time_zones{"utc", "local"};
const std::vector<std::string> file_formats{"ndjson", "csv"};
constexpr const char* store_help =
    "Where the segments are: dir:PATH, or s3://BUCKET/PREFIX?endpoint=URL&region=R (environment: BOATSWAIN_STORE)";
constexpr const char* identity_help =
    "A file with the tenant's age key; may be given several times (environment: BOATSWAIN_IDENTITY, ':' between files)";
constexpr const char* since_help =
    "Only lines at or after TIME: 1h (ago), today, 2026-11-23, \"2026-11-23 10:00\" (UTC)";
constexpr const char* until_help = "Only lines before TIME, written like --since";

void add_keys(Commands& commands, CommandsGiven& given) {
    auto* keys = commands.keys = commands.tool.add_subcommand("keys", "Makes and shows tenants' keys");
    keys->require_subcommand(1);
    keys->footer(
        "Make keys on a safe machine, never on a host: hosts get the .pub files alone.\n\n"
        "Examples:\n  boatswain keys new acme --out ~/keys\n  boatswain keys show acme.key\n"
        "  boatswain keys derive acme --secret-file secret.txt > acme.key");

    auto* fresh = commands.keys_new =
        keys->add_subcommand("new", "Makes a key pair: TENANT.key opens, TENANT.pub seals");
    fresh
        ->add_option("TENANT", given.keys_new.tenant,
                     "The tenant's name; _unassigned and _break-glass are the operator's")
        ->required();
    fresh->add_option("--out", given.keys_new.directory, "The directory to write to (default: this one)")
        ->type_name("DIR");
    fresh->footer(
        "TENANT.key is the only thing that opens the tenant's lines: keep it off the hosts, and keep a copy.\n"
        "An existing file is never overwritten.\n\nExamples:\n  boatswain keys new acme\n"
        "  boatswain keys new _break-glass --out ~/keys");

    auto* show = commands.keys_show = keys->add_subcommand("show", "Prints the public keys of a .key or .pub file");
    show->add_option("FILE", given.keys_show.file, "Identities (age-keygen's form) or recipients, one a line")
        ->required();
    show->footer("Example:\n  boatswain keys show acme.key");

    auto* derive = commands.keys_derive =
        keys->add_subcommand("derive", "Prints the key that a container's own secret stands for");
    derive->add_option("TENANT", given.keys_derive.tenant, "The tenant whose containers carry the secret")->required();
    derive
        ->add_option("--secret-file", given.keys_derive.secret_file,
                     "The file with the secret (default: standard input)")
        ->type_name("FILE");
    derive->add_flag("--keep-newline", given.keys_derive.keep_newline, "A newline at the end belongs to the secret");
    derive->footer(
        "The secret is never an argument: arguments are seen by everyone on the machine. On a terminal it is asked\n"
        "for without echo.\n\nExamples:\n  boatswain keys derive acme > acme.key\n"
        "  boatswain keys derive acme --secret-file secret.txt > acme.key");
}

void add_source_options(CLI::App* command, std::string& store, std::vector<std::string>& identities) {
    command->add_option("--store", store, store_help)->type_name("URL");
    command->add_option("-i,--identity", identities, identity_help)
        ->type_name("FILE")
        ->take_all()
        ->allow_extra_args(false);
}

void add_times(CLI::App* command, CommandsGiven& given) {
    command->add_option("--since", given.since, since_help)->type_name("TIME");
    command->add_option("--until", given.until, until_help)->type_name("TIME");
}

void add_shown(CLI::App* command, CommandsGiven& given) {
    command->add_option("--time", given.time_zone, "How text shows times: utc (the default), or local, with the offset")
        ->check(CLI::IsMember(time_zones))
        ->type_name("ZONE");
    command->add_flag("--no-pager", given.no_pager, "Print on the terminal even where PAGER names a program");
}

void add_allowance(CLI::App* command, CommandsGiven& given) {
    command
        ->add_option("--memory", given.memory,
                     "What the answer may take of memory, at least " + size_to_text(query::budget_bytes_min) +
                         "; a question that needs more ends with exit code 4 (default: " +
                         size_to_text(query::budget_bytes_default) + ")")
        ->type_name("SIZE");
    command->add_flag("--oversized", given.oversized,
                      "Read objects too that are larger than agents write: each may take minutes");
}

void add_ls(Commands& commands, CommandsGiven& given) {
    auto* ls = commands.ls = commands.tool.add_subcommand("ls", "Lists tenants; of one tenant: sources, or segments");
    add_source_options(ls, given.ls.store, given.ls.identities);
    ls->add_option("--tenant", given.ls.tenant, "Show this tenant's sources (with --identity) or segments");
    add_times(ls, given);
    ls->add_flag("--segments", given.ls.segments, "With --tenant: segments, even where --identity is given");
    ls->add_flag("--sizes", given.ls.sizes,
                 "Without --tenant: count each tenant's segments and bytes (lists everything)");
    ls->add_flag("--json", given.ls.json, "One JSON object a line");
    add_allowance(ls, given);
    ls->footer(
        "Examples:\n  boatswain ls --store dir:/var/lib/boatswain/store\n"
        "  boatswain ls --store dir:/var/lib/boatswain/store --tenant acme --since 2h\n"
        "  boatswain ls --store dir:/var/lib/boatswain/store --tenant acme --identity acme.key");
}

void add_context(CLI::App* logs, CommandsGiven& given) {
    auto option = [&](const char* name, std::optional<std::uint64_t>& value, const char* help) {
        logs->add_option(name, value, help)
            ->check(CLI::Range(std::uint64_t{0}, query::context_lines_max))
            ->type_name("N");
    };
    option("-A,--after-context", given.after,
           "With --grep or --regex: N lines of the same source after each that is found");
    option("-B,--before-context", given.before, "With --grep or --regex: N lines of the same source before each");
    option("-C,--context", given.around, "Both; -A and -B go before it");
}

void add_logs(Commands& commands, CommandsGiven& given) {
    auto* logs = commands.logs = commands.tool.add_subcommand("logs", "Prints lines, in the order of their times");
    add_source_options(logs, given.logs.store, given.logs.identities);
    logs->add_option("--tenant", given.logs.tenant, "Only this tenant (default: all that the identities open)");
    logs->add_option("--app", given.logs.apps, "Only this app; may be given several times")
        ->take_all()
        ->allow_extra_args(false);
    logs->add_option("--container", given.logs.containers,
                     "Only this container, by name or by the start of its id; may be given several times")
        ->take_all()
        ->allow_extra_args(false);
    logs->add_option("--namespace", given.logs.space, "Only pods of this namespace of Kubernetes");
    logs->add_option("--pod", given.logs.pod, "Only this pod; --container may then be the container's name in the pod");
    logs->add_flag("--previous", given.logs.previous,
                   "Of each container only the run before its last one: of the same pod, or of the same name");
    logs->add_flag(
        "-f,--follow", given.logs.follow,
        "Then also what comes, as it reaches the store; ends with Ctrl-C. With --tail: after the last N lines");
    logs->add_option("--stream", given.stream, "Only stdout or only stderr")
        ->check(CLI::IsMember(streams))
        ->type_name("STREAM");
    auto* grep = logs->add_option("--grep", given.logs.grep, "Only lines that have TEXT")->type_name("TEXT");
    logs->add_option("--regex", given.logs.regex, "Only lines of which RE matches a part (RE2's syntax)")
        ->type_name("RE")
        ->excludes(grep);
    add_context(logs, given);
    add_times(logs, given);
    auto* limit = logs->add_option("--limit", given.logs.limit, "Stop after the first N lines")->type_name("N");
    logs->add_option("--tail", given.logs.tail, "Only the last N lines")
        ->check(CLI::Range(std::uint64_t{1}, tail_max))
        ->type_name("N")
        ->excludes(limit);
    logs->add_option(
            "--output", given.format,
            "text (what acts on a terminal as \\xNN), json (one object a line), csv, or raw (bytes as they were "
            "printed)")
        ->check(CLI::IsMember(formats))
        ->type_name("FORMAT");
    add_shown(logs, given);
    add_allowance(logs, given);
    logs->footer(
        "Examples:\n  boatswain logs --store dir:/var/lib/boatswain/store --identity acme.key --since 1h\n"
        "  boatswain logs --identity acme.key --app shop/cart --stream stderr --tail 100\n"
        "  boatswain logs --identity acme.key --app shop/cart --tail 10 --follow\n"
        "  boatswain logs --identity acme.key --since 2h --grep 'order 4711'\n"
        "  boatswain logs --identity acme.key --since 2h --regex 'panic|fatal' -B 20 -A 5\n"
        "  boatswain logs --identity acme.key --container web-1 --output raw > web-1.log\n"
        "  boatswain logs --identity acme.key --namespace shop --pod web-0 --container app --previous\n"
        "  boatswain logs --identity acme.key --output json | jq -r .message\n"
        "With --grep and --regex the exit code is grep's: 0 where a line was found, 1 where none was, 2 for trouble.\n"
        "Without Boatswain:\n  age -d -i acme.key OBJECT | zstd -d");
}

void add_query(Commands& commands, CommandsGiven& given) {
    auto* query = commands.query =
        commands.tool.add_subcommand("query", "Prints what a LogQL query selects: lines, or numbers made of them");
    query->add_option("LOGQL", given.query.logql, "The query, in one argument")->required();
    add_source_options(query, given.query.store, given.query.identities);
    query->add_option("--tenant", given.query.tenant, "Only this tenant (default: all that the identities open)");
    auto* since = query->add_option("--since", given.since, std::string{since_help} + "; default: the last hour")
                      ->type_name("TIME");
    auto* until = query->add_option("--until", given.until, until_help)->type_name("TIME");
    auto* limit = query->add_option("--limit", given.query.limit, "Stop after the first N lines")->type_name("N");
    query->add_option("--tail", given.query.tail, "Only the last N lines")
        ->check(CLI::Range(std::uint64_t{1}, query_tail_max))
        ->type_name("N")
        ->excludes(limit);
    query
        ->add_option("--cursor", given.query.cursor,
                     "Go on where --limit or --tail ended the same query: what it said, or @FILE with it")
        ->type_name("CURSOR")
        ->excludes(since)
        ->excludes(until);
    query
        ->add_option("--step", given.step,
                     "Numbers each STEP of the time, like 1m (with --since the default is a 250th of the time, without "
                     "it the numbers of now)")
        ->type_name("STEP");
    query->add_option("--output", given.format, "text, json (numbers in the shape of Loki's answers), raw, or csv")
        ->check(CLI::IsMember(formats))
        ->type_name("FORMAT");
    query->add_flag(
        "-f,--follow", given.query.follow,
        "Then also what comes, as it reaches the store; ends with Ctrl-C. With --tail: after the last N lines");
    query->add_flag("--check", given.query.check, "Say whether the query is valid, and read nothing");
    add_shown(query, given);
    add_allowance(query, given);
    query->footer(
        "Labels of the selector: app, component, container, host, instance, namespace, pod, service_name, stream, "
        "tenant.\n\n"
        "Examples:\n  boatswain query '{app=\"shop/cart\"} |= \"error\"' --identity acme.key\n"
        "  boatswain query '{app=~\".+\"} | json | status >= 500' --since 2h --output json\n"
        "  boatswain query 'sum by (app) (rate({app=~\".+\"}[5m]))' --since 1h --step 5m\n"
        "  boatswain query '{app=\"shop/cart\"} |= \"error\"' --identity acme.key --tail 10 --follow\n"
        "  boatswain query --check '{app=\"shop\"} | logfmt'");
}

void add_export(Commands& commands, CommandsGiven& given) {
    auto& wanted = given.exported;
    auto* exported = commands.exported = commands.tool.add_subcommand(
        "export", "Writes lines as files that DuckDB, Spark and others read, hour by hour");
    exported->add_option("LOGQL", wanted.logql, "Only lines that this query selects, as its stages leave them");
    exported->add_option("--out", wanted.out, "Where to write: a directory, or s3://BUCKET/PREFIX?endpoint=URL")
        ->required()
        ->type_name("DIR");
    add_source_options(exported, wanted.store, wanted.identities);
    exported->add_option("--tenant", wanted.tenant, "Only this tenant (default: all that the identities open)");
    exported->add_option("--app", wanted.apps, "Only this app; may be given several times")
        ->take_all()
        ->allow_extra_args(false);
    exported
        ->add_option("--container", wanted.containers,
                     "Only this container, by name or by the start of its id; may be given several times")
        ->take_all()
        ->allow_extra_args(false);
    exported->add_option("--stream", given.stream, "Only stdout or only stderr")
        ->check(CLI::IsMember(streams))
        ->type_name("STREAM");
    exported
        ->add_option("--since", given.since,
                     "Only hours (UTC) that are not over at TIME: 1d (ago), today, 2026-11-23, \"2026-11-23 10:00\"")
        ->type_name("TIME");
    exported->add_option("--until", given.until, "Only hours that begin before TIME, written like --since")
        ->type_name("TIME");
    exported->add_option("--format", given.file_format, "ndjson (compressed by zstd) or csv")
        ->check(CLI::IsMember(file_formats))
        ->type_name("FORMAT");
    exported->add_flag("--again", wanted.again, "Write again what is there already");
    add_allowance(exported, given);
    exported->footer(
        "The files are not sealed: who can read them reads the lines.\n"
        "A second run goes on where one that was ended stopped, and adds what is new since.\n\n"
        "Examples:\n  boatswain export --out lines --identity acme.key --since 7d\n"
        "  boatswain export '{app=\"shop/cart\"} | json' --out lines --identity acme.key --since 2026-11-01\n"
        "  duckdb -c \"select app, count(*) from read_json('lines/**/*.ndjson.zst', hive_partitioning = true) group by "
        "all\"");
}

void add_footer_question(CLI::App* command, FooterQuestion& question, CommandsGiven& given) {
    add_source_options(command, question.store, question.identities);
    command->add_option("--tenant", question.tenant, "Only this tenant (default: all that the identities open)");
    command->add_option("--app", question.apps, "Only this app; may be given several times")
        ->take_all()
        ->allow_extra_args(false);
    add_times(command, given);
    command->add_flag("--json", question.json, "One JSON object a line");
    add_allowance(command, given);
}

void add_stats(Commands& commands, CommandsGiven& given) {
    auto* stats = commands.stats =
        commands.tool.add_subcommand("stats", "Shows how much each app printed on each day: lines, bytes, objects");
    add_footer_question(stats, given.stats.of, given);
    stats->footer(
        "No line is read for it.\n\nExamples:\n  boatswain stats --identity acme.key --since 7d\n"
        "  boatswain stats --identity acme.key --json | jq -s 'map(.lines) | add'");
}

void add_rollup(Commands& commands, CommandsGiven& given) {
    auto* rollup = commands.rollup = commands.tool.add_subcommand(
        "rollup", "Puts what the footers of a day say, and filters for texts, into one object that readers use");
    add_footer_question(rollup, given.rollup.of, given);
    rollup->add_flag("--footers-only", given.rollup.footers_only, "Leave out the filters, and read no line");
    rollup->add_flag("--again", given.rollup.again, "Make hours that did not change again, too");
    rollup->footer(
        "Run it from cron, with an identity of the tenant. Without --since it makes the last two days. Readers use a\n"
        "roll-up by themselves, and never need one: removing it loses nothing.\n\nExamples:\n"
        "  boatswain rollup --identity acme.key\n  boatswain rollup --identity acme.key --since 30d --json\n"
        "  boatswain rollup --identity acme.key --footers-only");
}

void add_labels(Commands& commands, CommandsGiven& given) {
    auto* labels = commands.labels =
        commands.tool.add_subcommand("labels", "Lists the labels that a LogQL selector can ask for, or values of one");
    labels->add_option("NAME", given.labels.name, "The label whose values to list");
    add_footer_question(labels, given.labels.of, given);
    labels->footer(
        "No line is read for it.\n\nExamples:\n  boatswain labels --identity acme.key --since 1d\n"
        "  boatswain labels app --identity acme.key\n"
        "  boatswain labels container --app shop/cart --identity acme.key");
}

void add_inspect(Commands& commands, CommandsGiven& given) {
    auto* inspect = commands.inspect =
        commands.tool.add_subcommand("inspect", "Says what a segment holds, without printing lines");
    inspect->add_option("OBJECT", given.inspect.object, "A file, or with --store the name of an object in it")
        ->required();
    inspect->add_option("--store", given.inspect.store, store_help)->type_name("URL");
    inspect->add_option("-i,--identity", given.inspect.identities, identity_help)
        ->type_name("FILE")
        ->take_all()
        ->allow_extra_args(false);
    inspect->add_flag("--json", given.inspect.json, "One JSON object");
    inspect->footer(
        "Examples:\n  boatswain inspect segment.age\n"
        "  boatswain inspect --store dir:/var/lib/boatswain/store --identity acme.key \\\n"
        "    v1/tenant=acme/hour=2026-11-23T10/host=node-7/20261123T043400Z-9f3a.0000000042.age");
}

void add_verify(Commands& commands, CommandsGiven& given) {
    auto* verify = commands.verify =
        commands.tool.add_subcommand("verify", "Proves that every segment is there, and every line as it was sealed");
    add_source_options(verify, given.verify.store, given.verify.identities);
    verify->add_option("--tenant", given.verify.tenant, "Only this tenant (default: all)");
    verify->add_option("--host", given.verify.host, "Only what this host sealed");
    add_times(verify, given);
    verify->add_flag("--rollups", given.verify.rollups,
                     "Compare roll-ups with the segments that they describe, too (reads every line once more)");
    verify->add_flag("--json", given.verify.json, "One JSON object");
    add_allowance(verify, given);
    verify->footer(
        "With a key, all of each object is opened and counted. Without, the sequence numbers and the hashes that link\n"
        "the objects are proven from outside. --since and --until choose by the hours of segments.\n"
        "Exit code 0: all is proven; 1: something is wrong, or there was nothing.\n\n"
        "Examples:\n  boatswain verify --store dir:/var/lib/boatswain/store --identity acme.key\n"
        "  boatswain verify --identity acme.key --tenant acme --since 1d\n"
        "  boatswain verify --store dir:/var/lib/boatswain/store --json | jq .problems");
}

void add_socket(CLI::App* command, std::string& socket) {
    command
        ->add_option(
            "--socket", socket,
            std::string{"The agent's socket (default: "} + agent_socket_default + "; environment: BOATSWAIN_SOCKET)")
        ->type_name("PATH");
}

void add_agent_options(CLI::App* command, std::string& socket, bool& json) {
    add_socket(command, socket);
    command->add_flag("--json", json, "The agent's answer as JSON; of several containers one object a line");
}

void add_agent(Commands& commands, CommandsGiven& given) {
    auto* why = commands.why =
        commands.tool.add_subcommand("why", "Asks the running agent what it does with a container, and why");
    why->add_option("CONTAINER", given.why.container,
                    "Its name, its id, or the start of its id (default: all, as a table)");
    add_agent_options(why, given.why.socket, given.why.json);
    why->footer(
        "Exit code: 0 collected, 1 not collected or not known, 3 no agent answers.\n\n"
        "Examples:\n  boatswain why\n  boatswain why web-1\n  boatswain why --json | jq 'select(.collected | not)'");
    auto* status = commands.status = commands.tool.add_subcommand("status", "Asks the running agent how it stands");
    add_agent_options(status, given.status.socket, given.status.json);
    status->footer("Exit code: 0 healthy, 1 not healthy, 3 no agent answers.\n\nExample:\n  boatswain status");
}

void add_flush(Commands& commands, CommandsGiven& given) {
    auto* flush = commands.flush = commands.tool.add_subcommand(
        "flush", "Has the running agent seal what it has read, without waiting for batch.flush_after");
    add_socket(flush, given.flush.socket);
    flush->footer("Exit code: 0 done, 3 no agent answers.\n\nExample:\n  boatswain flush");
}

void add_spool(Commands& commands, CommandsGiven& given) {
    auto* spool = commands.spool = commands.tool.add_subcommand(
        "spool", "Asks the running agent for segments that stand aside, and for keys that were taken");
    spool->require_subcommand(1);
    spool->footer("Examples:\n  boatswain spool list\n  boatswain spool retry\n  boatswain spool acknowledge");
    auto* list = commands.spool_list =
        spool->add_subcommand("list", "Lists segments that the store refuses or that are damaged, and keys taken");
    add_agent_options(list, given.spool_list.socket, given.spool_list.json);
    list->footer(
        "Exit code: 0 there is nothing, 1 there is something, 3 no agent answers.\n\n"
        "Example:\n  boatswain spool list");
    auto* retry = commands.spool_retry =
        spool->add_subcommand("retry", "Offers to the store again, now, what it has refused");
    add_socket(retry, given.spool_retry.socket);
    retry->footer(
        "Refused segments are offered each hour and at the agent's start anyway. Damaged ones are looked at "
        "again at the start.\n\nExample:\n  boatswain spool retry");
    auto* acknowledge = commands.spool_acknowledge = spool->add_subcommand(
        "acknowledge", "Says that you know why keys were taken: /readyz and status are well again");
    add_socket(acknowledge, given.spool_acknowledge.socket);
    acknowledge->footer(
        "What `boatswain verify` says of the store stays as it is.\n\n"
        "Example:\n  boatswain spool acknowledge");
}

void add_others(Commands& commands, CommandsGiven& given) {
    auto* completion = commands.completion =
        commands.tool.add_subcommand("completion", "Prints a script that completes boatswain's words in a shell");
    completion->add_option("SHELL", given.completion.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember(shells));
    completion->footer(
        "Examples:\n  source <(boatswain completion bash)\n"
        "  boatswain completion zsh > \"${fpath[1]}/_boatswain\"\n"
        "  mkdir -p ~/.config/fish/completions && boatswain completion fish > "
        "~/.config/fish/completions/boatswain.fish");
    commands.version = commands.tool.add_subcommand("version", "Prints the version");
    commands.version->footer("Example:\n  boatswain version");
    commands.help = commands.tool.add_subcommand("help", "Explains a command");
    commands.help->add_option("COMMAND", given.help_of, "The command to explain");
    commands.help->footer("Example:\n  boatswain help keys new");
}

}  // namespace

std::unique_ptr<Commands> make_commands(CommandsGiven& given) {
    auto commands = std::make_unique<Commands>();
    commands->tool.require_subcommand(1);
    commands->tool.footer(
        "Examples:\n  boatswain keys new acme\n  boatswain ls --store dir:/var/lib/boatswain/store\n"
        "  boatswain logs --store dir:/var/lib/boatswain/store --identity acme.key --since 1h\n\n"
        "boatswain COMMAND --help explains a command.");
    add_logs(*commands, given);
    add_query(*commands, given);
    add_export(*commands, given);
    add_stats(*commands, given);
    add_rollup(*commands, given);
    add_labels(*commands, given);
    add_ls(*commands, given);
    add_inspect(*commands, given);
    add_verify(*commands, given);
    commands->serving = add_serving(commands->tool, given.serving);
    add_keys(*commands, given);
    add_agent(*commands, given);
    add_flush(*commands, given);
    add_spool(*commands, given);
    commands->fleet = add_fleet(commands->tool, given.fleet);
    add_others(*commands, given);
    return commands;
}

std::vector<std::string> choices_of(const std::string& option) {
    if (option == "--stream") return streams;
    if (option == "--output") return formats;
    if (option == "--format") return file_formats;
    if (option == "--time") return time_zones;
    if (option == "--log-format") return {"text", "json"};
    if (option == "SHELL") return shells;
    return fleet_choices(option);
}

}  // namespace boatswain::tool
