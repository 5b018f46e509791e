#include "config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/url_text.h"
#include "config/words.h"

namespace boatswain::config {
namespace {

using namespace std::chrono_literals;

// A check of a text: what is wrong with it, as the rest of a sentence; nothing when it is well.
using Complaint = std::optional<std::string>;
using TextCheck = Complaint (*)(std::string_view text);

Complaint absolute_path(std::string_view text) {
    if (text.starts_with('/')) return std::nullopt;
    return in_quotes(text) + " is not an absolute path";
}

Complaint absolute_path_or_none(std::string_view text) { return text.empty() ? std::nullopt : absolute_path(text); }

// A token is sent to it: over TLS, or not beyond this machine.
Complaint api_server(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (has_userinfo(text) || text.find_first_of("?# \t\"\\") != text.npos || printable(text, 1000) != text)
        return in_quotes(url_for_people(text)) + " is not the URL of an API server";
    auto host = text.substr(0, text.find('/', text.find("://") + 3));
    auto is_loopback = [&](std::string_view start) {
        return host == start || host.starts_with(std::string{start} + ":");
    };
    if (text.starts_with("https://") && host.size() > 8) return std::nullopt;
    if (is_loopback("http://127.0.0.1") || is_loopback("http://[::1]") || is_loopback("http://localhost"))
        return std::nullopt;
    return in_quotes(text) + " is not https://HOST[:PORT] (http:// only to this machine)";
}

Complaint hub_url(std::string_view text) {
    bool is_url = text.starts_with("https://") || text.starts_with("http://");
    if (is_url && !has_userinfo(text) && text.find_first_of("?# \t\"\\") == text.npos && printable(text, 1000) == text)
        return std::nullopt;
    return in_quotes(url_for_people(text)) +
           " is not https://HOST:PORT of a hub (http:// where the network is trusted)";
}

Complaint node_name(std::string_view text) {
    auto fits = [](char c) { return is_lower_letter(c) || is_digit(c) || c == '-' || c == '.'; };
    if (text.size() <= 253 && !text.starts_with('.') && std::ranges::all_of(text, fits)) return std::nullopt;
    return in_quotes(text) + " is not a node's name";
}

Complaint host_name(std::string_view text) {
    if (text.size() > 253) return "is longer than 253 bytes";
    if (printable(text, 1000) != text || text.contains('/')) return in_quotes(text) + " is not a host's name";
    return std::nullopt;
}

// "HOST:PORT" with a port of 0 to 65535; an IPv6 host stands in brackets.
bool is_host_and_port(std::string_view text) {
    auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    auto host = text.substr(0, colon), digits = text.substr(colon + 1);
    bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (!bracketed && host.contains(':')) return false;
    std::uint16_t port = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc{} && end == digits.data() + digits.size();
}

// A value that is an address, in a message.
std::string address_in_quotes(std::string_view text) { return in_quotes(url_for_people(text)); }

Complaint userinfo(std::string_view text) {
    if (!has_userinfo(text)) return std::nullopt;
    return address_in_quotes(text) + " holds a name or password, which do not belong there";
}

Complaint listen_address(std::string_view text) {
    if (auto complaint = userinfo(text)) return complaint;
    if (text == "off" || is_host_and_port(text)) return std::nullopt;
    return address_in_quotes(text) +
           R"( is not an address to listen on; write for example "127.0.0.1:9435", "[::]:9435" or "off")";
}

Complaint control_socket(std::string_view text) {
    if (text.empty() || text == "off" || text.starts_with('/')) return std::nullopt;
    return in_quotes(text) + R"( is not an absolute path, and not "off")";
}

Complaint engine_socket(std::string_view text) {
    if (auto complaint = userinfo(text)) return complaint;
    if (text.starts_with('/') || text.starts_with("unix:/")) return std::nullopt;
    if (text.starts_with("tcp://") && is_host_and_port(text.substr(6))) return std::nullopt;
    return address_in_quotes(text) +
           R"( is not an engine's address; write for example "/var/run/docker.sock" or "tcp://127.0.0.1:2376")";
}

Complaint engine_id(std::string_view text) {
    constexpr std::size_t bytes_max = 100;
    bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
    if (plain && text.size() <= bytes_max) return std::nullopt;
    return in_quotes(text) + " is not an engine's ID; `docker info` shows it";
}

Complaint guard_socket(std::string_view text) {
    if (auto complaint = userinfo(text)) return complaint;
    if (text.starts_with('/') || text.starts_with("unix:/")) return std::nullopt;
    return address_in_quotes(text) + R"( is not a unix socket; write for example "unix:/run/boatswain/engine.sock")";
}

Complaint file_mode(std::string_view text) {
    bool octal =
        !text.empty() && text.size() <= 4 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
    unsigned mode = 0;
    if (octal) std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (octal && mode != 0 && (mode & ~0666U) == 0) return std::nullopt;
    return in_quotes(text) + R"( is not the mode of a socket; write for example "0660")";
}

// Whether there is such an account is found out when the guard starts.
Complaint account(std::string_view text) {
    if (!text.empty() && text.size() <= 32 && printable(text, 1000) == text && text.find_first_of(" :/") == text.npos)
        return std::nullopt;
    return in_quotes(text) + " is not an account's name or number";
}

Complaint account_or_none(std::string_view text) { return text.empty() ? std::nullopt : account(text); }

Complaint store_url(std::string_view text) {
    if (text.starts_with("dir:/")) return std::nullopt;
    if (text.starts_with("dir:"))
        return in_quotes(text) + " is not an absolute path; write for example \"dir:/var/lib/boatswain/store\"";
    if (has_userinfo(text))
        return address_in_quotes(text) +
               " holds a name or password, which everybody could read who sees the configuration; set "
               "AWS_ACCESS_KEY_ID "
               "and AWS_SECRET_ACCESS_KEY, or write a shared credentials file";
    if (text.starts_with("s3://") && text.size() > 5 && text[5] != '/') return std::nullopt;
    return in_quotes(printable(text.substr(0, text.find(':')), 20)) +
           R"( is no kind of store; write for example "dir:/var/lib/boatswain/store" or "s3://BUCKET/PREFIX?region=REGION")";
}

Complaint container_rule(std::string_view text) {
    static constexpr std::array<std::string_view, 3> kinds{"label", "name", "image"};
    auto colon = text.find(':');
    auto kind = text.substr(0, colon);
    if (is_among(kind, kinds) && colon != std::string_view::npos && colon + 1 < text.size()) return std::nullopt;
    auto near = closest(kind, kinds);
    return in_quotes(text) + " is not a rule; write label:KEY=VALUE, name:REGEX or image:REGEX" +
           (near && *near != kind ? " (did you mean " + in_quotes(*near) + "?)" : "");
}

Complaint not_empty(std::string_view text) {
    if (text.empty()) return "holds an empty text";
    return std::nullopt;
}

// Builders, one for each type of value. `at` gives the place of the value in a Config.

template <class T>
const T& peek(T& (*at)(Config&), const Config& config) {
    return at(const_cast<Config&>(config));  // at() only finds the place; nothing is written through it here
}

Setting text(std::string_view name, std::string_view form, std::string_view help, TextCheck check,
             std::string& (*at)(Config&)) {
    return {.name = name,
            .form = form,
            .help = help,
            .set = [=](Config& config, const Given& given) -> Result<void> {
                TRY(auto value, as_text(given));
                if (auto complaint = check(value)) return fail(Remedy::stop, std::move(*complaint));
                at(config) = std::move(value);
                return {};
            },
            .toml = [=](const Config& config) { return toml_quote(peek(at, config)); }};
}

Setting path(std::string_view name, std::string_view help, TextCheck check, Path& (*at)(Config&)) {
    return {.name = name,
            .form = "PATH",
            .help = help,
            .set = [=](Config& config, const Given& given) -> Result<void> {
                TRY(auto value, as_text(given));
                if (auto complaint = check(value)) return fail(Remedy::stop, std::move(*complaint));
                at(config) = std::move(value);
                return {};
            },
            .toml = [=](const Config& config) { return toml_quote(peek(at, config).string()); }};
}

Setting list(std::string_view name, std::string_view form, std::string_view help, TextCheck check,
             std::vector<std::string>& (*at)(Config&)) {
    return {.name = name,
            .form = form,
            .help = help,
            .is_list = true,
            .set = [=](Config& config, const Given& given) -> Result<void> {
                TRY(auto value, as_list(given));
                for (const auto& element : value)
                    if (auto complaint = check(element)) return fail(Remedy::stop, std::move(*complaint));
                at(config) = std::move(value);
                return {};
            },
            .toml =
                [=](const Config& config) {
                    std::string out = "[";
                    for (const auto& element : peek(at, config))
                        out += (out.size() > 1 ? ", " : "") + toml_quote(element);
                    return out + "]";
                }};
}

Setting truth(std::string_view name, std::string_view help, bool& (*at)(Config&)) {
    return {.name = name,
            .form = "true|false",
            .help = help,
            .is_switch = true,
            .set = [=](Config& config, const Given& given) -> Result<void> {
                TRY(at(config), as_bool(given));
                return {};
            },
            .toml = [=](const Config& config) -> std::string { return peek(at, config) ? "true" : "false"; }};
}

// A value with limits: `show` prints one as a person would write it.
template <class T>
Setting ranged(std::string_view name, std::string_view form, std::string_view help, T& (*at)(Config&), T least, T most,
               Result<T> (*read)(const Given&), std::string (*show)(T), bool quote) {
    return {
        .name = name,
        .form = form,
        .help = help,
        .set = [=](Config& config, const Given& given) -> Result<void> {
            TRY(auto value, read(given));
            if (value < least) return fail(Remedy::stop, show(value) + " is too little; at least " + show(least));
            if (value > most) return fail(Remedy::stop, show(value) + " is too much; at most " + show(most));
            at(config) = value;
            return {};
        },
        .toml =
            [=](const Config& config) { return quote ? toml_quote(show(peek(at, config))) : show(peek(at, config)); }};
}

Setting duration(std::string_view name, std::string_view help, Nanoseconds least, Nanoseconds most,
                 Nanoseconds& (*at)(Config&)) {
    return ranged<Nanoseconds>(
        name, "TIME", help, at, least, most, as_duration, [](Nanoseconds value) { return to_text(value); }, true);
}

Setting size(std::string_view name, std::string_view help, std::uint64_t least, std::uint64_t most,
             std::uint64_t& (*at)(Config&)) {
    return ranged<std::uint64_t>(
        name, "SIZE", help, at, least, most, as_size, [](std::uint64_t value) { return size_to_text(value); }, true);
}

Setting number(std::string_view name, std::string_view help, std::int64_t least, std::int64_t most,
               std::int64_t& (*at)(Config&)) {
    return ranged<std::int64_t>(
        name, "NUMBER", help, at, least, most, as_number, [](std::int64_t value) { return std::to_string(value); },
        false);
}

// A word of the configuration, and what it means.
template <class Enum>
struct Choice {
    std::string_view word;
    Enum means;
};

template <class Enum, std::size_t N>
Setting choice(std::string_view name, std::string_view form, std::string_view help,
               const std::array<Choice<Enum>, N>& choices, Enum& (*at)(Config&)) {
    return {.name = name,
            .form = form,
            .help = help,
            .set = [=](Config& config, const Given& given) -> Result<void> {
                TRY(auto value, as_text(given));
                auto found = std::ranges::find(choices, value, &Choice<Enum>::word);
                if (found == choices.end()) {
                    std::array<std::string_view, N> words;
                    std::ranges::transform(choices, words.begin(), &Choice<Enum>::word);
                    auto near = closest(value, words);
                    std::string what = in_quotes(value) + " is not one of " + std::string{form};
                    return fail(Remedy::stop, near ? what + "; did you mean " + in_quotes(*near) + "?" : what);
                }
                at(config) = found->means;
                return {};
            },
            .toml =
                [=](const Config& config) {
                    return toml_quote(std::ranges::find(choices, peek(at, config), &Choice<Enum>::means)->word);
                }};
}

constexpr auto unassigned_words =
    std::to_array<Choice<Unassigned>>({{"quarantine", Unassigned::quarantine}, {"drop", Unassigned::drop}});
constexpr auto removed_key_words =
    std::to_array<Choice<RemovedKey>>({{"hold", RemovedKey::hold}, {"unassigned", RemovedKey::unassigned}});
constexpr auto holder_words =
    std::to_array<Choice<HolderIs>>({{"agent", HolderIs::agent}, {"process", HolderIs::process}});
constexpr auto read_from_words =
    std::to_array<Choice<ReadFrom>>({{"beginning", ReadFrom::beginning}, {"start", ReadFrom::start}});
constexpr auto redact_words =
    std::to_array<Choice<Redact>>({{"none", Redact::none}, {"environment", Redact::environment}, {"all", Redact::all}});
constexpr auto sandbox_words = std::to_array<Choice<Sandboxing>>(
    {{"auto", Sandboxing::automatic}, {"on", Sandboxing::on}, {"off", Sandboxing::off}});
constexpr auto forged_words = std::to_array<Choice<Forged>>(
    {{"quarantine", Forged::quarantine}, {"ignore-env", Forged::ignore_env}, {"trust-env", Forged::trust_env}});
constexpr auto level_words = std::to_array<Choice<LogLevel>>(
    {{"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}});
constexpr auto format_words = std::to_array<Choice<LogFormat>>({{"text", LogFormat::text}, {"json", LogFormat::json}});

#define AT(type, member) [](Config& c) -> type& { return c.member; }

std::vector<Setting> make_settings() {
    constexpr std::uint64_t KiB = 1 << 10, MiB = 1 << 20, GiB = 1 << 30, TiB = GiB << 10;
    std::vector<Setting> all{
        path("state_dir", "where the spool, the checkpoints and the lock are kept", absolute_path, AT(Path, state_dir)),
        text("host", "NAME", "this host's name in object keys and footers; empty: the machine's host name", host_name,
             AT(std::string, host)),
        text("listen", "HOST:PORT|off", "where /metrics, /healthz and /readyz are served", listen_address,
             AT(std::string, listen)),
        text("control", "PATH|off", "the unix socket that `boatswain why` asks; empty: agent.sock in state_dir",
             control_socket, AT(std::string, control)),
        size("memory_max", "memory that tenants can make grow at most: lines on their way, what is known of containers",
             8 * MiB, 64 * GiB, AT(std::uint64_t, memory_max)),
        duration("shutdown_timeout", "how long a stop may take to seal and spool what is in memory", 0s, 1h,
                 AT(Nanoseconds, shutdown_timeout)),
        choice<Sandboxing>("sandbox", "auto|on|off",
                           "confine the daemon with Landlock and seccomp: as far as the kernel offers it, or not start "
                           "without, or not at all",
                           sandbox_words, AT(Sandboxing, sandbox)),
        truth("canary", "print lines of the tenant _canary, ship them, and read them back from the store",
              AT(bool, canary)),

        text("health.listen", "HOST:PORT|off",
             "where /healthz and /readyz are served besides, on a listener of their own, without names of tenants",
             listen_address, AT(std::string, health.listen)),

        path(
            "metrics.token_file",
            "file of a token that /metrics asks for (Authorization: Bearer); empty: whoever reaches `listen` sees them",
            absolute_path_or_none, AT(Path, metrics.token_file)),

        text("engine.socket", "ADDRESS", "the Docker engine: a path, unix:///PATH, or tcp://HOST:PORT", engine_socket,
             AT(std::string, engine.socket)),
        text("engine.id", "ID",
             "of the engine that is meant, as `docker info` shows it; empty: the first that answered", engine_id,
             AT(std::string, engine.id)),
        duration("engine.api_timeout", "how long one answer of the engine may take", 100ms, 10min,
                 AT(Nanoseconds, engine.api_timeout)),
        path("engine.ca_file", "PEM file of the authority that signed the engine's certificate (tcp:// with TLS)",
             absolute_path_or_none, AT(Path, engine.ca_file)),
        path("engine.certificate_file", "PEM file of our own certificate for the engine", absolute_path_or_none,
             AT(Path, engine.certificate_file)),
        path("engine.key_file", "PEM file of its private key", absolute_path_or_none, AT(Path, engine.key_file)),

        truth("docker.enabled", "read the containers of a Docker engine; false on hosts that have none",
              AT(bool, docker.enabled)),
        path("docker.root", "the engine's data directory, as seen from here; empty: ask the engine",
             absolute_path_or_none, AT(Path, docker.root)),
        list("docker.include", "RULES",
             "read only containers that one of these matches (label:KEY=VALUE, name:REGEX, image:REGEX); empty: all",
             container_rule, AT(std::vector<std::string>, docker.include)),
        list("docker.exclude", "RULES", "never read containers that one of these matches", container_rule,
             AT(std::vector<std::string>, docker.exclude)),
        truth("docker.attach",
              "attach to containers whose log driver keeps nothing that can be read (the label boatswain.attach=true "
              "does it for one)",
              AT(bool, docker.attach)),
        choice<ReadFrom>(
            "docker.read_from", "beginning|start",
            "of json-file logs that were there before this agent's first start on this host: everything, or "
            "what is printed from that start on",
            read_from_words, AT(ReadFrom, docker.read_from)),
        duration("docker.read_max_age",
                 "of the same logs, what is older than this at that start is passed over; 0s: nothing is", 0s,
                 24h * 3650, AT(Nanoseconds, docker.read_max_age)),

        path("cri.pods",
             "the kubelet's directory of logs (/var/log/pods): read what containerd and CRI-O write there; empty: do "
             "not",
             absolute_path_or_none, AT(Path, cri.pods)),
        path(
            "cri.tasks",
            "containerd's directory of tasks (/run/containerd/io.containerd.runtime.v2.task/k8s.io), whose config.json "
            "files say containers' variables; empty: they are not known. Needs tenancy.trust_image",
            absolute_path_or_none, AT(Path, cri.tasks)),
        list("cri.exclude_namespaces", "NAMESPACES", "never read pods of these namespaces", not_empty,
             AT(std::vector<std::string>, cri.exclude_namespaces)),
        text("cri.api", "URL",
             "the API server whose watch says this node's pods' labels and annotations "
             "(https://kubernetes.default.svc); empty: nobody is asked",
             api_server, AT(std::string, cri.api)),
        path("cri.api_token_file", "file of the token for it, read for each watch; empty: none is sent",
             absolute_path_or_none, AT(Path, cri.api_token_file)),
        path("cri.api_ca_file", "PEM file of the authorities that it is trusted by; empty: the system's",
             absolute_path_or_none, AT(Path, cri.api_ca_file)),
        text("cri.node", "NAME", "this node's name in the cluster; empty: `host`", node_name,
             AT(std::string, cri.node)),
        duration("cri.labels_wait", "how long a pod's log waits for its labels, or its variables, until that is told",
                 1s, 1h, AT(Nanoseconds, cri.labels_wait)),

        truth("driver.enabled", "read containers that run with our log driver (docker run --log-driver boatswain)",
              AT(bool, driver.enabled)),
        choice<HolderIs>("driver.holder", "agent|process",
                         "who is the engine's plugin: the agent, or `boatswaind driver`, which outlives it",
                         holder_words, AT(HolderIs, driver.holder)),
        text("driver.name", "NAME", "the log driver's name, as containers and the engine say it", not_empty,
             AT(std::string, driver.name)),
        path("driver.socket", "the plugin's socket, where the engine looks for it", absolute_path,
             AT(Path, driver.socket)),
        path("driver.hold_dir", "where lines are held until they are sealed: a directory in memory (tmpfs)",
             absolute_path, AT(Path, driver.hold_dir)),
        size("driver.hold_bytes", "memory for the lines of one container, of all its runs", 4 * MiB, 4 * GiB,
             AT(std::uint64_t, driver.hold_bytes)),
        size("driver.hold_total", "memory for the lines of all containers; a tenant takes no more than it leaves",
             4 * MiB, 64 * GiB, AT(std::uint64_t, driver.hold_total)),
        duration("driver.block_max",
                 "how long a container's writes may wait when no more can be held; then its lines are dropped, by name",
                 0s, 24h * 365, AT(Nanoseconds, driver.block_max)),
        size("driver.ring_bytes", "last lines of each container kept in memory for `docker logs`; 0: none", 0, 64 * MiB,
             AT(std::uint64_t, driver.ring_bytes)),

        text("store.url", "URL",
             "where segments rest: dir:/PATH or s3://BUCKET/PREFIX?region=R&endpoint=URL&path_style=true", store_url,
             AT(std::string, store.url)),

        list("tenancy.tenant", "RULES", "whose a container is: the first rule that answers", not_empty,
             AT(std::vector<std::string>, tenancy.tenant)),
        list("tenancy.app", "RULES", "the application's name; the container's name when none answers", not_empty,
             AT(std::vector<std::string>, tenancy.app)),
        list("tenancy.component", "RULES", "the part of the application", not_empty,
             AT(std::vector<std::string>, tenancy.component)),
        list("tenancy.instance", "RULES", "which of several equal ones", not_empty,
             AT(std::vector<std::string>, tenancy.instance)),
        list("tenancy.labels", "KEYS", "container labels to keep with the lines; KEY, prefix.*, or a preset's name",
             not_empty, AT(std::vector<std::string>, tenancy.labels)),
        path("tenancy.keyring", "directory of TENANT.pub files: age recipients, one a line; read again when it changes",
             absolute_path, AT(Path, tenancy.keyring)),
        list(
            "tenancy.recipient", "RULES",
            "an age recipient that the container itself carries; secret:RULE: a secret to derive one from; the keyring "
            "wins",
            not_empty, AT(std::vector<std::string>, tenancy.recipient)),
        number("tenancy.carried_max", "tenants at once that have no key file and carry a key; more are unassigned", 0,
               100'000, AT(std::int64_t, tenancy.carried_max)),
        choice<Unassigned>("tenancy.unassigned", "quarantine|drop",
                           "lines without a tenant or key: sealed for the operator, or dropped", unassigned_words,
                           AT(Unassigned, tenancy.unassigned)),
        choice<RemovedKey>("tenancy.removed_key", "hold|unassigned",
                           "lines of a tenant whose key file was removed: not read until it is back or TENANT.gone is "
                           "there, or as `unassigned` says",
                           removed_key_words, AT(RemovedKey, tenancy.removed_key)),
        duration("tenancy.removed_key_hold", "how long such lines wait in the containers' logs; then they are dropped",
                 1min, 24h * 365, AT(Nanoseconds, tenancy.removed_key_hold)),
        choice<Forged>(
            "tenancy.forged", "quarantine|ignore-env|trust-env",
            "a Mesos task that claims to be another one: sealed for the operator, taken for what its sandbox "
            "says, or believed",
            forged_words, AT(Forged, tenancy.forged)),
        truth("tenancy.trust_image",
              "let labels and variables that an image sets name tenant and recipient, and exclude its containers",
              AT(bool, tenancy.trust_image)),

        duration("batch.flush_after", "a batch is sealed at the latest this long after its first line", 100ms, 24h,
                 AT(Nanoseconds, batch.flush_after)),
        duration(
            "batch.flush_after_max",
            "the same for a batch of under 1 MiB, sealed, whose lines all stay in their logs; less than flush_after: "
            "as that",
            0s, 24h, AT(Nanoseconds, batch.flush_after_max)),
        size("batch.flush_bytes", "a batch is sealed when its sealed form reaches about this size", 64 * KiB, 1 * GiB,
             AT(std::uint64_t, batch.flush_bytes)),
        number("batch.zstd_level", "compression, from 1 (fast) to 19 (small)", 1, 19,
               AT(std::int64_t, batch.zstd_level)),

        size("spool.bytes_max", "sealed segments kept on disk at most, while the store does not take them", 1 * MiB,
             64 * TiB, AT(std::uint64_t, spool.bytes_max)),
        size("spool.aside_max",
             "disk for segments that the store refuses, or that are damaged, beside bytes_max; more counts into it", 0,
             64 * TiB, AT(std::uint64_t, spool.aside_max)),

        number("ship.uploads", "segments on their way to the store at the same time", 1, 64,
               AT(std::int64_t, ship.uploads)),

        duration("fleet.heartbeat", "how often this host's state is put into the store (fleet status); 0s: never", 0s,
                 24h, AT(Nanoseconds, fleet.heartbeat)),
        path("fleet.key", "key that proves the heartbeats: of the fleet, or of this host (boatswain fleet key)",
             absolute_path_or_none, AT(Path, fleet.key)),

        list("follow.hub", "URLS", "hubs, which show lines before they are in the store: https://HOST:PORT", hub_url,
             AT(std::vector<std::string>, follow.hub)),
        path("follow.ca_file", "PEM file of the authorities that signed the hubs' certificates; empty: the system's",
             absolute_path_or_none, AT(Path, follow.ca_file)),

        text("guard.listen", "ADDRESS",
             "the unix socket at which `boatswaind guard` serves its part of the engine's API", guard_socket,
             AT(std::string, guard.listen)),
        text("guard.engine", "ADDRESS", "the real engine behind the guard: a path or unix:///PATH", guard_socket,
             AT(std::string, guard.engine)),
        text("guard.group", "GROUP", "whose group the guard's socket file is, by name or number; empty: its own",
             account_or_none, AT(std::string, guard.group)),
        text("guard.mode", "MODE", "of the guard's socket file: who may connect needs to write it", file_mode,
             AT(std::string, guard.mode)),
        list("guard.allow_uid", "USERS", "who is served, by name or number; empty: whoever can open the socket's file",
             account, AT(std::vector<std::string>, guard.allow_uid)),
        truth("guard.attach", "let clients attach to a container's output (its input never)", AT(bool, guard.attach)),
        choice<Redact>(
            "guard.redact", "none|environment|all",
            "what is hidden: environment values that no rule of [tenancy] reads and commands in events; all: "
            "command lines and the options of log drivers and volumes too",
            redact_words, AT(Redact, guard.redact)),
        number("guard.connections_max", "clients at the same time", 1, 65536, AT(std::int64_t, guard.connections_max)),
        duration("guard.stall_timeout", "a client that takes nothing for so long is cut off", 100ms, 1h,
                 AT(Nanoseconds, guard.stall_timeout)),
        text("guard.metrics", "HOST:PORT|off", "where the guard serves its own /metrics and /healthz", listen_address,
             AT(std::string, guard.metrics)),

        choice<LogLevel>("log.level", "debug|info|warning|error", "the least that the daemon's own log says",
                         level_words, AT(LogLevel, log.level)),
        choice<LogFormat>("log.format", "text|json", "how it says it", format_words, AT(LogFormat, log.format)),
    };
    auto url = std::ranges::find(all, "store.url", &Setting::name);
    url->toml = [](const Config& config) { return toml_quote(url_for_people(config.store.url)); };
    return all;
}

#undef AT

std::string with_upper_case(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '.' ? '_' : upper_case(c);
    return out;
}

// '|' ends a cell of a Markdown table.
std::string cell(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '|' ? std::string{"\\|"} : std::string{c};
    return out;
}

}  // namespace

std::string_view Setting::section() const {
    auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

std::string_view Setting::key() const {
    auto dot = name.find('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::string Setting::flag() const {
    std::string out = "--";
    for (char c : name) out += c == '.' || c == '_' ? '-' : c;
    return out;
}

std::string Setting::environment() const { return "BOATSWAIN_" + with_upper_case(name); }

std::span<const Setting> settings() {
    static const std::vector<Setting> all = make_settings();  // immutable once made
    return all;
}

const Setting* find_setting(std::string_view name) {
    auto all = settings();
    auto found = std::ranges::find(all, name, &Setting::name);
    return found == all.end() ? nullptr : &*found;
}

std::vector<std::string_view> section_names() {
    std::vector<std::string_view> names;
    for (const auto& setting : settings())
        if (!setting.section().empty() && (names.empty() || names.back() != setting.section()))
            names.push_back(setting.section());
    return names;
}

std::string settings_markdown() {
    const Config defaults;
    std::string out, section = "?";
    for (const auto& setting : settings()) {
        if (setting.section() != section) {
            section = setting.section();
            out += section.empty() ? "### At the top of the file\n" : "\n### `[" + section + "]`\n";
            out += "\n| setting | value | default | meaning |\n| --- | --- | --- | --- |\n";
        }
        out += "| `" + std::string{setting.key()} + "` | " + (setting.is_list ? "list of " : "") + cell(setting.form) +
               " | `" + cell(setting.toml(defaults)) + "` | " + cell(setting.help) + " |\n";
    }
    return out;
}

}  // namespace boatswain::config
