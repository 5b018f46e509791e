#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "config/settings.h"

namespace boatswain::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Config loaded(std::string_view text, const Overrides& flags = {}, const Environment& environment = {}) {
    auto config = load(text, "boatswain.toml", flags, environment);
    EXPECT_TRUE(config) << config.error().what;
    return config ? std::move(*config) : Config{};
}

std::string mistake(std::string_view text, const Overrides& flags = {}, const Environment& environment = {}) {
    auto config = load(text, "boatswain.toml", flags, environment);
    if (config) return "(accepted)";
    EXPECT_EQ(config.error().remedy, Remedy::stop);
    return config.error().what;
}

TEST(Config, HasADefaultForEverything) {
    auto config = loaded("");
    EXPECT_EQ(config.state_dir, "/var/lib/boatswain");
    EXPECT_EQ(config.engine.socket, "/var/run/docker.sock");
    EXPECT_EQ(config.store.url, "dir:/var/lib/boatswain/store");
    EXPECT_THAT(config.tenancy.tenant,
                ElementsAre("label:boatswain.tenant", "env:BOATSWAIN_TENANT", "env:MARATHON_APP_LABEL_TENANT"));
    EXPECT_THAT(config.tenancy.app,
                ElementsAre("label:boatswain.app", "env:BOATSWAIN_APP", "env:MARATHON_APP_ID", "name"));
    EXPECT_EQ(config.tenancy.keyring, "/etc/boatswain/keys");
    EXPECT_THAT(config.tenancy.recipient, IsEmpty());
    EXPECT_EQ(config.tenancy.unassigned, Unassigned::quarantine);
    EXPECT_EQ(config.tenancy.forged, Forged::quarantine);
    EXPECT_EQ(config.tenancy.removed_key, RemovedKey::hold);
    EXPECT_EQ(config.tenancy.removed_key_hold, 24h * 7);
    EXPECT_FALSE(config.tenancy.trust_image);
    EXPECT_EQ(config.batch.flush_after, 60s);
    EXPECT_EQ(config.batch.flush_after_max, 0s);
    EXPECT_EQ(config.batch.flush_bytes, 8U << 20);
    EXPECT_EQ(config.memory_max, 64U << 20);
    EXPECT_FALSE(config.docker.attach);
    EXPECT_FALSE(config.host.empty()) << "the machine's host name";
    EXPECT_THAT(config.origins, IsEmpty());
    EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Config, ReadsEverySettingFromTheFile) {
    auto config = loaded(R"(
state_dir = "/srv/boatswain"
host = "worker-7"
listen = "[::]:9464"
control = "/run/boatswain.sock"
memory_max = "128MiB"
shutdown_timeout = "1m30s"
sandbox = "on"
canary = true
[health]
listen = "[::]:9463"

[metrics]
token_file = "/etc/boatswain/metrics.token"

[engine]
socket = "tcp://engine.example:2376"
api_timeout = "3s"
ca_file = "/etc/pki/ca.pem"
certificate_file = "/etc/pki/cert.pem"
key_file = "/etc/pki/key.pem"
id = "ABCD:EFGH"
[docker]
enabled = false
root = "/host/docker"
include = ["label:log=yes", "name:^web"]
exclude = []
attach = true
read_from = "start"
read_max_age = "24h"
[cri]
pods = "/var/log/pods"
tasks = "/run/containerd/tasks"
exclude_namespaces = ["kube-system"]
api = "https://kubernetes.default.svc"
api_token_file = "/run/token"
api_ca_file = "/run/ca.crt"
node = "node-7.example"
labels_wait = "10s"
[driver]
enabled = true
holder = "process"
name = "seal"
socket = "/run/docker/plugins/seal.sock"
hold_dir = "/run/holds"
hold_bytes = "8MiB"
hold_total = "64MiB"
block_max = "2s"
ring_bytes = "64KiB"
[fleet]
heartbeat = "30s"
key = "/etc/boatswain/fleet.key"
[follow]
hub = ["https://logs.example.com:3101", "http://127.0.0.1:3101"]
ca_file = "/etc/boatswain/hub.pem"
[store]
url = "s3://logs/prod?endpoint=http://127.0.0.1:7480&region=us-east-1&path_style=true"
[tenancy]
tenant = ["label:team", "kubernetes"]
app = ["name"]
component = []
instance = ["mesos"]
labels = ["com.example.*"]
keyring = "/etc/keys"
recipient = []
unassigned = "drop"
forged = "ignore-env"
removed_key = "unassigned"
removed_key_hold = "36h"
trust_image = true
carried_max = 7
[batch]
flush_after = "5m"
flush_after_max = "20m"
flush_bytes = 1048576
zstd_level = 3
[spool]
bytes_max = "10GiB"
aside_max = "1GiB"
[ship]
uploads = 4
[guard]
listen = "/run/guard.sock"
engine = "unix:/run/docker.sock"
group = "docker-readers"
mode = "0666"
allow_uid = ["boatswain", "1000"]
attach = true
redact = "all"
connections_max = 64
stall_timeout = "5s"
metrics = "127.0.0.1:9436"
[log]
level = "debug"
format = "json"
)");
    EXPECT_EQ(config.state_dir, "/srv/boatswain");
    EXPECT_EQ(config.host, "worker-7");
    EXPECT_EQ(config.listen, "[::]:9464");
    EXPECT_EQ(config.control, "/run/boatswain.sock");
    EXPECT_EQ(config.health.listen, "[::]:9463");
    EXPECT_EQ(config.metrics.token_file, "/etc/boatswain/metrics.token");
    EXPECT_EQ(config.memory_max, 128U << 20);
    EXPECT_EQ(config.shutdown_timeout, 90s);
    EXPECT_EQ(config.sandbox, Sandboxing::on);
    EXPECT_TRUE(config.canary);
    EXPECT_TRUE(config.driver.enabled);
    EXPECT_EQ(config.driver.holder, HolderIs::process);
    EXPECT_EQ(config.driver.name, "seal");
    EXPECT_EQ(config.driver.socket, "/run/docker/plugins/seal.sock");
    EXPECT_EQ(config.driver.hold_dir, "/run/holds");
    EXPECT_EQ(config.driver.hold_bytes, 8U << 20);
    EXPECT_EQ(config.driver.hold_total, 64U << 20);
    EXPECT_EQ(config.driver.block_max, 2s);
    EXPECT_EQ(config.driver.ring_bytes, 64U << 10);
    EXPECT_EQ(config.fleet.heartbeat, 30s);
    EXPECT_EQ(config.fleet.key, "/etc/boatswain/fleet.key");
    EXPECT_THAT(config.follow.hub, ElementsAre("https://logs.example.com:3101", "http://127.0.0.1:3101"));
    EXPECT_EQ(config.follow.ca_file, "/etc/boatswain/hub.pem");
    EXPECT_EQ(config.guard.listen, "/run/guard.sock");
    EXPECT_EQ(config.guard.engine, "unix:/run/docker.sock");
    EXPECT_EQ(config.guard.group, "docker-readers");
    EXPECT_EQ(config.guard.mode, "0666");
    EXPECT_THAT(config.guard.allow_uid, ElementsAre("boatswain", "1000"));
    EXPECT_TRUE(config.guard.attach);
    EXPECT_EQ(config.guard.redact, Redact::all);
    EXPECT_EQ(config.guard.connections_max, 64);
    EXPECT_EQ(config.guard.stall_timeout, 5s);
    EXPECT_EQ(config.guard.metrics, "127.0.0.1:9436");
    EXPECT_EQ(config.engine.socket, "tcp://engine.example:2376");
    EXPECT_EQ(config.engine.api_timeout, 3s);
    EXPECT_EQ(config.engine.ca_file, "/etc/pki/ca.pem");
    EXPECT_EQ(config.engine.certificate_file, "/etc/pki/cert.pem");
    EXPECT_EQ(config.engine.key_file, "/etc/pki/key.pem");
    EXPECT_EQ(config.engine.id, "ABCD:EFGH");
    EXPECT_FALSE(config.docker.enabled);
    EXPECT_EQ(config.cri.pods, "/var/log/pods");
    EXPECT_EQ(config.cri.tasks, "/run/containerd/tasks");
    EXPECT_THAT(config.cri.exclude_namespaces, ElementsAre("kube-system"));
    EXPECT_EQ(config.cri.api, "https://kubernetes.default.svc");
    EXPECT_EQ(config.cri.api_token_file, "/run/token");
    EXPECT_EQ(config.cri.api_ca_file, "/run/ca.crt");
    EXPECT_EQ(config.cri.node, "node-7.example");
    EXPECT_EQ(config.cri.labels_wait, std::chrono::seconds{10});
    EXPECT_EQ(config.docker.root, "/host/docker");
    EXPECT_THAT(config.docker.include, ElementsAre("label:log=yes", "name:^web"));
    EXPECT_THAT(config.docker.exclude, IsEmpty());
    EXPECT_TRUE(config.docker.attach);
    EXPECT_EQ(config.docker.read_from, ReadFrom::start);
    EXPECT_EQ(config.docker.read_max_age, 24h);
    EXPECT_THAT(config.store.url, StartsWith("s3://logs/prod?"));
    EXPECT_THAT(config.tenancy.tenant, ElementsAre("label:team", "kubernetes"));
    EXPECT_THAT(config.tenancy.component, IsEmpty());
    EXPECT_EQ(config.tenancy.unassigned, Unassigned::drop);
    EXPECT_EQ(config.tenancy.forged, Forged::ignore_env);
    EXPECT_EQ(config.tenancy.removed_key, RemovedKey::unassigned);
    EXPECT_EQ(config.tenancy.removed_key_hold, 36h);
    EXPECT_TRUE(config.tenancy.trust_image);
    EXPECT_EQ(config.tenancy.carried_max, 7);
    EXPECT_EQ(config.batch.flush_after, 5min);
    EXPECT_EQ(config.batch.flush_after_max, 20min);
    EXPECT_EQ(config.batch.flush_bytes, 1U << 20);
    EXPECT_EQ(config.batch.zstd_level, 3);
    EXPECT_EQ(config.spool.bytes_max, 10ULL << 30);
    EXPECT_EQ(config.spool.aside_max, 1ULL << 30);
    EXPECT_EQ(config.ship.uploads, 4);
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_EQ(config.origins.size(), settings().size()) << "every setting is in this test";
}

TEST(Config, PrefersFlagsToTheEnvironmentAndTheEnvironmentToTheFile) {
    std::string_view file = "[batch]\nflush_after = \"1s\"\n";
    EXPECT_EQ(loaded(file).batch.flush_after, 1s);
    EXPECT_EQ(loaded(file, {}, {{"BOATSWAIN_BATCH_FLUSH_AFTER", "2s"}}).batch.flush_after, 2s);
    auto config = loaded(file, {{"batch.flush_after", "3s"}}, {{"BOATSWAIN_BATCH_FLUSH_AFTER", "2s"}});
    EXPECT_EQ(config.batch.flush_after, 3s);
    EXPECT_EQ(config.origins["batch.flush_after"], "--batch-flush-after");
}

TEST(Config, CanSayEverySettingInAllThreePlaces) {
    auto configured = loaded(R"(listen = "off")");
    for (const auto& setting : settings()) {
        auto value = setting.toml(configured);
        std::string text = value.starts_with('"') ? value.substr(1, value.size() - 2) : value;
        SCOPED_TRACE(setting.name);
        auto section = std::string{setting.section()};
        auto file = (section.empty() ? "" : "[" + section + "]\n") + std::string{setting.key()} + " = " + value + "\n";
        EXPECT_EQ(loaded(file).origins.size(), 1U);
        EXPECT_THAT(loaded("", {}, {{setting.environment(), text}}).origins,
                    ElementsAre(testing::Pair(setting.name, setting.environment())));
        EXPECT_THAT(loaded("", {{std::string{setting.name}, text}}).origins,
                    ElementsAre(testing::Pair(setting.name, setting.flag())));
    }
}

TEST(Config, NamesOfSettingsFlagsAndVariablesAreUnambiguous) {
    std::set<std::string> flags, variables;
    for (const auto& setting : settings()) {
        EXPECT_TRUE(flags.insert(setting.flag()).second) << setting.flag();
        EXPECT_TRUE(variables.insert(setting.environment()).second) << setting.environment();
    }
    EXPECT_EQ(find_setting("batch.flush_after")->flag(), "--batch-flush-after");
    EXPECT_EQ(find_setting("state_dir")->environment(), "BOATSWAIN_STATE_DIR");
}

TEST(Config, ReadsListsFromFlagsAndVariablesAsTomlOrBetweenCommas) {
    auto tenant = [](const Overrides& flags, const Environment& environment) {
        return loaded("", flags, environment).tenancy.tenant;
    };
    EXPECT_THAT(tenant({}, {{"BOATSWAIN_TENANCY_TENANT", "env:A, label:b ,,name"}}),
                ElementsAre("env:A", "label:b", "name"));
    EXPECT_THAT(tenant({}, {{"BOATSWAIN_TENANCY_TENANT", R"( ["name ~ /a{1,2}/", 'x,y'] )"}}),
                ElementsAre("name ~ /a{1,2}/", "x,y"));
    EXPECT_THAT(tenant({}, {{"BOATSWAIN_TENANCY_TENANT", ""}}), IsEmpty());
    EXPECT_THAT(tenant({{"tenancy.tenant", "env:A"}, {"tenancy.tenant", "b,c"}, {"tenancy.tenant", R"(["d,e"])"}}, {}),
                ElementsAre("env:A", "b", "c", "d,e"));
    EXPECT_THAT(mistake("", {{"tenancy.tenant", "[\"a\""}}),
                StartsWith("--tenancy-tenant: \"[\"a\"\" is not a list of texts"));
    EXPECT_THAT(mistake("", {}, {{"BOATSWAIN_TENANCY_TENANT", "[1]\nx = 2"}}), HasSubstr("is not a list of texts"));
}

TEST(Config, SaysWhatIsWrongWhereAndWhatWasMeant) {
    struct Case {
        std::string_view text;
        std::string sentence;
    };
    for (
        const auto& [text, sentence] : std::vector<Case>{
            {"\n\n\n\n\n[batch]\nflush_aftr = \"60s\"\n",
             R"(boatswain.toml:7: unknown setting "flush_aftr" in [batch]: did you mean "flush_after"?)"},
            {"state_dri = \"/x\"", R"(boatswain.toml:1: unknown setting "state_dri": did you mean "state_dir"?)"},
            {"[bach]\nflush_after = \"1s\"\nflush_bytes = \"1MiB\"",
             "boatswain.toml:2: unknown section [bach]: did you mean [batch]?"},
            {"[kafka]\ntopic = \"x\"",
             "boatswain.toml:2: unknown section [kafka]; known are health, metrics, engine, docker, cri, driver, "
             "store, "
             "tenancy, "
             "batch, spool, ship, fleet, follow, guard, log"},
            {"[store]\nflush_after = \"1s\"",
             R"(boatswain.toml:2: unknown setting "flush_after" in [store]: it belongs in [batch])"},
            {"flush_after = \"1s\"", R"(boatswain.toml:1: unknown setting "flush_after": it belongs in [batch])"},
            {"[batch]\nstate_dir = \"/x\"",
             R"(boatswain.toml:2: unknown setting "state_dir" in [batch]: it belongs at the top of the file)"},
            {"[ship]\nhorn = 1", R"(boatswain.toml:2: unknown setting "horn" in [ship]; known are uploads)"},
            {"[batch.deep]\nx = 1",
             R"(boatswain.toml:1: unknown setting "deep" in [batch]; known are flush_after, flush_after_max, flush_bytes, zstd_level)"},
            {"batch = 5", R"(boatswain.toml:1: "batch" is a section; write [batch] and its settings below)"},
            {"[[batch]]\nflush_after = \"1s\"",
             R"(boatswain.toml:1: "batch" is a section; write [batch] and its settings below)"},
            {"[state_dir]\nx = 1",
             R"(boatswain.toml:2: "state_dir" is a setting, not a section; write state_dir = VALUE)"},
            {"[state_dir]", "boatswain.toml:1: state_dir: a section is not text; write it between quotes"},
            {"state_dir = 5", "boatswain.toml:1: state_dir: 5 is not text; write it between quotes"},
            {"state_dir = 1979-05-27",
             "boatswain.toml:1: state_dir: a date or time is not text; write it between quotes"},
            {"state_dir = \"here\"", R"(boatswain.toml:1: state_dir: "here" is not an absolute path)"},
            {"[batch]\nflush_after = \"soon\"",
             R"(boatswain.toml:2: batch.flush_after: "soon" is not a length of time; write for example "60s", "5m" or "1h30m")"},
            {"[batch]\nflush_after = 60",
             R"(boatswain.toml:2: batch.flush_after: 60 has no unit; for seconds write "60s")"},
            {"[batch]\nflush_after = true",
             R"(boatswain.toml:2: batch.flush_after: true is not a length of time; write for example "60s", "5m" or "1h30m")"},
            {"[batch]\nflush_after = \"1ms\"",
             "boatswain.toml:2: batch.flush_after: 1ms is too little; at least 100ms"},
            {"[batch]\nflush_bytes = \"lots\"",
             R"(boatswain.toml:2: batch.flush_bytes: "lots" is not a size; write for example "8MiB", "64KiB" or "1GB")"},
            {"[batch]\nflush_bytes = -1",
             R"(boatswain.toml:2: batch.flush_bytes: -1 is not a size; write for example "8MiB", "64KiB" or "1GB")"},
            {"[batch]\nflush_bytes = \"2GiB\"", "boatswain.toml:2: batch.flush_bytes: 2GiB is too much; at most 1GiB"},
            {"[batch]\nzstd_level = 1.5",
             "boatswain.toml:2: batch.zstd_level: a number with a fraction is not a whole number"},
            {"[batch]\nzstd_level = \"3\"", R"(boatswain.toml:2: batch.zstd_level: "3" is not a whole number)"},
            {"[batch]\nzstd_level = 20", "boatswain.toml:2: batch.zstd_level: 20 is too much; at most 19"},
            {"[cri]\napi = \"http://api.example\"",
             R"(boatswain.toml:2: cri.api: "http://api.example" is not https://HOST[:PORT] (http:// only to this machine))"},
            {"[cri]\napi = \"https://me:secret@api.example\"",
             R"(boatswain.toml:2: cri.api: "https://REDACTED@api.example" is not the URL of an API server)"},
            {"[cri]\nnode = \"Node_1\"", R"(boatswain.toml:2: cri.node: "Node_1" is not a node's name)"},
            {"[docker]\nattach = \"true\"", R"(boatswain.toml:2: docker.attach: "true" is not true or false)"},
            {"[docker]\ninclude = [\"lable:a=b\"]",
             R"(boatswain.toml:2: docker.include: "lable:a=b" is not a rule; write label:KEY=VALUE, name:REGEX or image:REGEX (did you mean "label"?))"},
            {"[docker]\ninclude = [\"name:\"]",
             R"(boatswain.toml:2: docker.include: "name:" is not a rule; write label:KEY=VALUE, name:REGEX or image:REGEX)"},
            {"[tenancy]\ntenant = \"env:A\"",
             R"(boatswain.toml:2: tenancy.tenant: "env:A" is not a list of texts; write for example ["env:TENANT", "name"])"},
            {"[tenancy]\ntenant = [1, 2]",
             "boatswain.toml:2: tenancy.tenant: a list of other things than texts is not a list of texts; write for "
             "example [\"env:TENANT\", "
             "\"name\"]"},
            {"[tenancy]\ntenant = [\"\"]", "boatswain.toml:2: tenancy.tenant: holds an empty text"},
            {"[tenancy]\nunassigned = \"quarantin\"",
             R"(boatswain.toml:2: tenancy.unassigned: "quarantin" is not one of quarantine|drop; did you mean "quarantine"?)"},
            {"[log]\nlevel = \"loud\"",
             R"(boatswain.toml:2: log.level: "loud" is not one of debug|info|warning|error)"},
            {"[store]\nurl = \"ftp://x\"",
             R"(boatswain.toml:2: store.url: "ftp" is no kind of store; write for example "dir:/var/lib/boatswain/store" or "s3://BUCKET/PREFIX?region=REGION")"},
            {"[store]\nurl = \"dir:here\"",
             R"(boatswain.toml:2: store.url: "dir:here" is not an absolute path; write for example "dir:/var/lib/boatswain/store")"},
            {"[engine]\nsocket = \"docker.sock\"",
             R"(boatswain.toml:2: engine.socket: "docker.sock" is not an engine's address; write for example "/var/run/docker.sock" or "tcp://127.0.0.1:2376")"},
            {"[guard]\nlisten = \"127.0.0.1:1\"",
             R"(boatswain.toml:2: guard.listen: "127.0.0.1:1" is not a unix socket; write for example "unix:/run/boatswain/engine.sock")"},
            {"[guard]\nmode = \"0777\"",
             R"(boatswain.toml:2: guard.mode: "0777" is not the mode of a socket; write for example "0660")"},
            {"[guard]\nallow_uid = [\"a b\"]",
             R"(boatswain.toml:2: guard.allow_uid: "a b" is not an account's name or number)"},
            {"[engine]\nsocket = \"tcp://h:99999\"",
             R"(boatswain.toml:2: engine.socket: "tcp://h:99999" is not an engine's address; write for example "/var/run/docker.sock" or "tcp://127.0.0.1:2376")"},
            {"listen = \"9435\"",
             R"(boatswain.toml:1: listen: "9435" is not an address to listen on; write for example "127.0.0.1:9435", "[::]:9435" or "off")"},
            {"host = \"a/b\"", R"(boatswain.toml:1: host: "a/b" is not a host's name)"},
            {"host = \"a\\u0000b\"", R"(boatswain.toml:1: host: "a\x00b" holds a zero byte)"},
            {"[engine]\nkey_file = \"/k\"",
             "engine.certificate_file and engine.key_file go together: engine.certificate_file is missing"},
            {"[batch]\nflush_bytes = \"8MiB\"\n[spool]\nbytes_max = \"4MiB\"",
             "batch.flush_bytes (8MiB, boatswain.toml:2) is more than spool.bytes_max (4MiB, boatswain.toml:4)"},
            {"memory_max = \"8MiB\"\n[batch]\nflush_bytes = \"9MiB\"",
             "batch.flush_bytes (9MiB, boatswain.toml:3) is more than memory_max (8MiB, boatswain.toml:1)"},
            {"a = \x01", R"(boatswain.toml:1: not TOML: control character \x01; write it as an escape in quotes)"},
            {"a = \"\xff\"", "boatswain.toml: not TOML: the text is not UTF-8"},
        })
        EXPECT_EQ(mistake(text), sentence);
}

TEST(Config, NamesLineAndColumnOfTextThatIsNotToml) {
    EXPECT_THAT(mistake("\n[batch\n"), StartsWith("boatswain.toml:2:7: not TOML: "));
    EXPECT_THAT(mistake("a = \"\nb\""), StartsWith("boatswain.toml:1:"));
    EXPECT_THAT(mistake("a = 1\na = 2"), StartsWith("boatswain.toml:2:"));
    EXPECT_EQ(mistake("listen = \"off\"\n\n[ät]\nhost = 1"),
              "boatswain.toml:3: not TOML: a character that cannot stand where it does; names outside quotes are of "
              "A-Z, a-z, 0-9, '-' and '_'");
    EXPECT_THAT(mistake("host = “name”"), StartsWith("boatswain.toml:1:8: not TOML: "));
}

TEST(Config, RefusesAFileThatIsTooLongOrNestedTooDeep) {
    EXPECT_EQ(mistake(std::string(file_bytes_max + 1, '#')), "boatswain.toml: is longer than 1MiB");
    EXPECT_THAT(mistake("a = " + std::string(100'000, '[')), StartsWith("boatswain.toml:1:"));
    EXPECT_THAT(mistake("a = " + std::string(100'000, '{')), StartsWith("boatswain.toml:1:"));
}

TEST(Config, NamesTheVariableOrFlagThatIsWrong) {
    EXPECT_EQ(
        mistake("", {}, {{"BOATSWAIN_BATCH_FLUSH_AFTER", "soon"}}),
        R"(BOATSWAIN_BATCH_FLUSH_AFTER: "soon" is not a length of time; write for example "60s", "5m" or "1h30m")");
    EXPECT_EQ(mistake("", {{"batch.zstd_level", "0"}}), "--batch-zstd-level: 0 is too little; at least 1");
    EXPECT_EQ(mistake("", {{"batch.zstd_level", "9223372036854775808"}}),
              R"(--batch-zstd-level: "9223372036854775808" is not a whole number)");
    EXPECT_EQ(mistake("", {{"docker.attach", "perhaps"}}), R"(--docker-attach: "perhaps" is not true or false)");
    EXPECT_EQ(mistake("", {{"docker.atach", "true"}}), R"(unknown setting "docker.atach" on the command line)");
    EXPECT_EQ(mistake("", {{"store.url", "dir:/\xff"}}), R"(--store-url: "dir:/\xff" is not UTF-8)");
}

TEST(Config, ReportsEveryMistakeAtOnceInTheOrderOfTheLines) {
    EXPECT_EQ(mistake("state_dir = \"x\"\n[log]\nlevel = \"loud\"\n[batch]\nflush_aftr = \"1s\"\n",
                      {{"ship.uploads", "many"}}, {{"BOATSWAIN_MEMORY_MAX", "1"}}),
              "boatswain.toml:1: state_dir: \"x\" is not an absolute path\n"
              "boatswain.toml:3: log.level: \"loud\" is not one of debug|info|warning|error\n"
              "boatswain.toml:5: unknown setting \"flush_aftr\" in [batch]: did you mean \"flush_after\"?\n"
              "BOATSWAIN_MEMORY_MAX: 1B is too little; at least 8MiB\n"
              "--ship-uploads: \"many\" is not a whole number");
}

TEST(Config, AcceptsEmptySectionsAndWindowsLineEnds) {
    EXPECT_EQ(loaded("[batch]\r\n[log]\r\nlevel = \"error\"\r\n").log.level, LogLevel::error);
}

// Containers carry BOATSWAIN_TENANT and the like; the agent may run in one that does.
TEST(Config, WondersAboutVariablesThatAreNearlySettingsAndAboutNoOthers) {
    auto config = loaded("", {},
                         {{"BOATSWAIN_TENANT", "infra"},
                          {"BOATSWAIN_APP", "agent"},
                          {"BOATSWAIN_RECIPIENT", "age1..."},
                          {"BOATSWAIN_CONFIG", "/x"},
                          {"BOATSWAIN_NODE_CLASS", "mesos"},
                          {"BOATSWAIN_BATCH_FLUSH_AFTR", "1s"},
                          {"HOME", "/root"}});
    EXPECT_THAT(config.warnings,
                ElementsAre("BOATSWAIN_BATCH_FLUSH_AFTR is not a setting: did you mean BOATSWAIN_BATCH_FLUSH_AFTER?"));
    EXPECT_THAT(config.origins, IsEmpty());
}

TEST(Config, WarnsOfAnEngineThatIsReachedInClear) {
    EXPECT_THAT(loaded("[engine]\nsocket = \"tcp://10.0.0.1:2375\"").warnings,
                ElementsAre(HasSubstr("tcp:// without TLS")));
    EXPECT_THAT(loaded("[engine]\nca_file = \"/ca.pem\"").warnings, ElementsAre(HasSubstr("are not used")));
    EXPECT_THAT(loaded("[tenancy]\ntenant = []").warnings, ElementsAre(HasSubstr("every container is unassigned")));
}

TEST(PrintEffective, IsTomlThatLoadsBackToTheSameAndSaysWhereEachValueCameFrom) {
    auto config = loaded("host = \"h\"\n[log]\nlevel = \"debug\"\n[docker]\ninclude = [\"name:\\\"quoted\\\\\"]",
                         {{"batch.flush_after", "90s"}}, {{"BOATSWAIN_SPOOL_BYTES_MAX", "5GiB"}});
    auto text = print_effective(config);
    EXPECT_THAT(text, StartsWith("state_dir = \"/var/lib/boatswain\"  # default\nhost = \"h\"  # boatswain.toml:1\n"));
    EXPECT_THAT(
        text,
        HasSubstr("\n[batch]\nflush_after = \"1m30s\"  # --batch-flush-after\nflush_after_max = \"0s\"  # default\n"));
    EXPECT_THAT(text, HasSubstr("level = \"debug\"  # boatswain.toml:3\n"));
    EXPECT_THAT(text, HasSubstr("bytes_max = \"5GiB\"  # BOATSWAIN_SPOOL_BYTES_MAX\n"));
    auto again = loaded(text);
    for (const auto& setting : settings()) EXPECT_EQ(setting.toml(again), setting.toml(config)) << setting.name;
}

TEST(PrintEffective, ShowsNoPasswordsOfUrls) {
    auto shown = [](const std::string& url) { return print_effective(loaded("[store]\nurl = \"" + url + "\"")); };
    EXPECT_THAT(
        mistake("[store]\nurl = \"s3://AKID:hunter2@logs/prod?region=x\""),
        AllOf(HasSubstr("\"s3://REDACTED@logs/prod?region=x\" holds a name or password"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(shown("s3://logs/prod?secret_key=hunter2&region=x&session_token=hunter3"),
                HasSubstr("url = \"s3://logs/prod?secret_key=REDACTED&region=x&session_token=REDACTED\""));
    EXPECT_THAT(shown("s3://logs/p@th?region=x"), HasSubstr("url = \"s3://logs/p@th?region=x\""))
        << "an @ in the path is no password";
}

TEST(LoadFile, TakesTheNamedFileThenTheVariablesAndOnlyTheDefaultMayBeMissing) {
    auto file = std::filesystem::temp_directory_path() / ("boatswain-config-test." + std::to_string(::getpid()));
    std::ofstream{file} << "host = \"from-file\"\n";
    EXPECT_EQ(load_file(file, {}, {})->host, "from-file");
    EXPECT_EQ(load_file(std::nullopt, {}, {{"BOATSWAIN_CONFIG", file.string()}})->host, "from-file");
    EXPECT_EQ(load_file(file, {}, {})->origins["host"], file.string() + ":1");
    std::filesystem::remove(file);
    auto missing = load_file(file, {}, {});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().what, "open " + file.string() + ": No such file or directory");
    EXPECT_FALSE(load_file(std::nullopt, {}, {{"BOATSWAIN_CONFIG", file.string()}}));
}

TEST(Environment, KeepsOurVariablesAndSplitsAtTheFirstEqualsSign) {
    const char* environment[] = {"PATH=/bin", "BOATSWAIN_A=b=c", "BOATSWAIN_EMPTY=", "BOATSWAIN_NOTHING", nullptr};
    EXPECT_EQ(boatswain_environment(environment), (Environment{{"BOATSWAIN_A", "b=c"}, {"BOATSWAIN_EMPTY", ""}}));
}

TEST(Config, PutsTheControlSocketIntoTheStateDirectoryUnlessToldOtherwise) {
    EXPECT_EQ(loaded("").control, "/var/lib/boatswain/agent.sock");
    EXPECT_EQ(loaded("state_dir = \"/srv/b\"").control, "/srv/b/agent.sock");
    EXPECT_EQ(loaded("control = \"off\"").control, "off");
    EXPECT_EQ(mistake("control = \"agent.sock\""),
              R"(boatswain.toml:1: control: "agent.sock" is not an absolute path, and not "off")");
}

}  // namespace
}  // namespace boatswain::config
