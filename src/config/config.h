// The daemon's configuration: plain values with their defaults, and how they are read.
//
// Every setting can be said in three places, and the later one wins:
//   the file          [batch]                      (TOML 1.0)
//                     flush_after = "60s"
//   the environment   BOATSWAIN_BATCH_FLUSH_AFTER=60s
//   the command line  --batch-flush-after 60s
// One table (config/settings.h) says what the settings are: the file, the environment, the flags, --help, `check` and
// docs/operate/configuration.md all come from it, so they cannot disagree.
//
// load() reports every mistake at once, each with its place and, for a misspelt name, the name that was meant.
//
// Rules of [tenancy] and of docker.include/exclude are kept as text here; tenancy/ and intake/docker/ parse them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace boatswain::config {

enum class Unassigned { quarantine, drop };
enum class RemovedKey { hold, unassigned };
enum class HolderIs { agent, process };
enum class ReadFrom { beginning, start };
enum class Redact { none, environment, all };
enum class Sandboxing { automatic, on, off };
enum class Forged { quarantine, ignore_env, trust_env };

struct Config {
    Path state_dir = "/var/lib/boatswain";
    std::string host;                       // never empty after load(): default is the machine's host name
    std::string listen = "127.0.0.1:9435";  // "HOST:PORT" of /metrics and /healthz, or "off"
    std::string control;  // path of the unix socket for `boatswain why`, or "off"; never empty after load()
    std::uint64_t memory_max = 64ULL << 20;  // bytes of lines held in memory
    Nanoseconds shutdown_timeout = std::chrono::seconds{25};
    Sandboxing sandbox = Sandboxing::automatic;
    bool canary = false;

    struct HealthAddress {
        std::string listen = "off";  // "HOST:PORT" of /healthz and /readyz alone, or "off": at `listen` only
    } health;

    struct MetricsAccess {
        Path token_file;  // who asks for /metrics shows this token; empty: whoever reaches `listen`
    } metrics;

    struct Engine {
        std::string socket = "/var/run/docker.sock";  // a path, unix:///PATH, or tcp://HOST:PORT
        Nanoseconds api_timeout = std::chrono::seconds{15};
        std::string id;                            // of the engine that is meant; empty: the first that answered
        Path ca_file, certificate_file, key_file;  // PEM, for tcp:// with TLS; empty: none
    } engine;

    struct Docker {
        bool enabled = true;
        Path root;  // the engine's data directory as we see it; empty: ask the engine
        std::vector<std::string> include;
        std::vector<std::string> exclude{"label:io.kubernetes.docker.type=podsandbox", "name:^mesos-.*[.]executor$"};
        bool attach = false;
        // Of containers that had started before this agent's first start: what it reads of their logs.
        ReadFrom read_from = ReadFrom::beginning;
        Nanoseconds read_max_age{};  // zero: no bound
    } docker;

    struct Cri {
        Path pods;   // the kubelet's directory of logs, as we see it; empty: there is none to read
        Path tasks;  // containerd's directory of tasks, as we see it; empty: nobody says containers' variables
        std::vector<std::string> exclude_namespaces;
        std::string api;  // URL of the API server that is asked for pods' labels; empty: none is
        Path api_token_file = "/var/run/secrets/kubernetes.io/serviceaccount/token";  // empty: no token is sent
        Path api_ca_file = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";    // empty: the system's authorities
        std::string node;                                                             // empty: host
        Nanoseconds labels_wait = std::chrono::seconds{30};
    } cri;

    struct Driver {
        bool enabled = false;
        HolderIs holder = HolderIs::agent;
        std::string name = "boatswain";
        Path socket = "/run/docker/plugins/boatswain.sock";
        Path hold_dir = "/dev/shm/boatswain";
        std::uint64_t hold_bytes = 32ULL << 20;
        std::uint64_t hold_total = 256ULL << 20;
        Nanoseconds block_max = std::chrono::seconds{5};
        std::uint64_t ring_bytes = 0;
    } driver;

    struct Store {
        std::string url = "dir:/var/lib/boatswain/store";
    } store;

    struct Tenancy {
        std::vector<std::string> tenant{"label:boatswain.tenant", "env:BOATSWAIN_TENANT",
                                        "env:MARATHON_APP_LABEL_TENANT"};
        std::vector<std::string> app{"label:boatswain.app", "env:BOATSWAIN_APP", "env:MARATHON_APP_ID", "name"};
        std::vector<std::string> component{"label:boatswain.component", "env:BOATSWAIN_COMPONENT"};
        std::vector<std::string> instance{"label:boatswain.instance", "env:BOATSWAIN_INSTANCE", "label:MESOS_TASK_ID"};
        std::vector<std::string> labels;
        Path keyring = "/etc/boatswain/keys";
        std::vector<std::string> recipient;
        std::int64_t carried_max = 500;
        Unassigned unassigned = Unassigned::quarantine;
        RemovedKey removed_key = RemovedKey::hold;
        Nanoseconds removed_key_hold = std::chrono::hours{24 * 7};
        Forged forged = Forged::quarantine;
        bool trust_image = false;
    } tenancy;

    struct Batch {
        Nanoseconds flush_after = std::chrono::seconds{60};
        Nanoseconds flush_after_max{};  // less than flush_after: as that
        std::uint64_t flush_bytes = 8ULL << 20;
        std::int64_t zstd_level = 1;
    } batch;

    struct Spool {
        std::uint64_t bytes_max = 1ULL << 30;
        std::uint64_t aside_max = 256ULL << 20;
    } spool;

    struct Ship {
        std::int64_t uploads = 2;
    } ship;

    struct Fleet {
        Nanoseconds heartbeat = std::chrono::seconds{60};  // 0: none
        Path key;                                          // empty: heartbeats prove nothing
    } fleet;

    struct Follow {
        std::vector<std::string> hub;  // URLs of hubs; none: lines are seen when they reach the store
        Path ca_file;                  // PEM; empty: the system's authorities
    } follow;

    struct Guard {  // of `boatswaind guard`; the agent's engine.socket may then be this `listen`
        std::string listen = "unix:/run/boatswain/engine.sock";
        std::string engine = "/var/run/docker.sock";  // the real one
        std::string group;                            // of the socket's file, a name or a number; empty: our own
        std::string mode = "0660";                    // of the socket's file, octal
        std::vector<std::string> allow_uid;           // users, by name or number; empty: whoever can open the file
        bool attach = false;
        Redact redact = Redact::none;
        std::int64_t connections_max = 1024;
        Nanoseconds stall_timeout = std::chrono::seconds{30};
        std::string metrics = "off";  // "HOST:PORT" of /metrics and /healthz, or "off"
    } guard;

    struct Logging {
        LogLevel level = LogLevel::info;
        LogFormat format = LogFormat::text;
    } log;

    // Where each value that is not the default came from: "batch.flush_after" -> "boatswain.toml:7",
    // "BOATSWAIN_BATCH_FLUSH_AFTER" or "--batch-flush-after".
    std::map<std::string, std::string, std::less<>> origins;
    Path file;  // where it was read from, absolute; empty: there was no file
    // What load() accepted but finds odd, as sentences.
    std::vector<std::string> warnings;
};

// What the command line said, in order: a setting's name ("batch.flush_after") and the text. A list may be said several
// times.
using Overrides = std::vector<std::pair<std::string, std::string>>;
using Environment = std::map<std::string, std::string, std::less<>>;

inline constexpr std::size_t file_bytes_max = 1 << 20;

// The configuration of these three. `path` only names the file in errors. Remedy::stop; the error holds every mistake,
// one a line:
//   boatswain.toml:7: unknown setting "flush_aftr" in [batch]: did you mean "flush_after"?
Result<Config> load(std::string_view text, std::string_view path, const Overrides& flags,
                    const Environment& environment);

// Reads the file and loads it: `path`, else what BOATSWAIN_CONFIG names, else /etc/boatswain/boatswain.toml if there is
// one, else none (the defaults alone are a configuration).
Result<Config> load_file(const std::optional<Path>& path, const Overrides& flags, const Environment& environment);

// The variables of the process whose names begin with BOATSWAIN_. Pass `environ`.
Environment boatswain_environment(const char* const* environment);

// The whole configuration as TOML that load() reads back, each value with a comment that says where it came from.
// Passwords in URLs are replaced by "REDACTED".
std::string print_effective(const Config& config);

}  // namespace boatswain::config
