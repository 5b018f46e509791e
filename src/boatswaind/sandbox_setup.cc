#include "boatswaind/sandbox_setup.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <optional>

#include "boatswaind/privileges.h"
#include "boatswaind/ways_in.h"
#include "engine/client.h"
#include "intake/docker/log_layout.h"
#include "intake/driver/hold.h"
#include "intake/driver/pipe_share.h"
#include "net/address.h"
#include "store/environment.h"
#include "store/url.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// An agent may well start before its engine.
constexpr milliseconds ask_engine_max{3000};
constexpr unsigned directory_mode = 0750;
constexpr unsigned fifo_directory_mode = 0700;
// Where the engine makes the FIFOs of its log-driver plugins (Docker Engine 20.10, daemon/logger/adapter.go): it has
// one such directory, whatever its own state and data directories are.
constexpr const char* engine_fifos = "/run/docker/logging";

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

// What is replaced by a rename is another file afterwards: the directory is what stays. The root is no such directory.
Path around(const Path& path) {
    auto parent = path.parent_path();
    return parent.empty() || parent == "/" ? path : parent;
}

// `path`, what is around it, and the same of where a symbolic link leads: the link may be made to lead elsewhere.
void add_replaceable(std::vector<Path>& into, const Path& path) {
    if (path.empty()) return;
    into.push_back(around(path));
    into.push_back(path);
    std::error_code not_there;
    auto real = std::filesystem::canonical(path, not_there);
    if (not_there || real == path) return;
    into.push_back(around(real));
    into.push_back(real);
}

// The C library's configuration (it is read again when it changes), names, certificates, libraries that it loads late.
void add_system(std::vector<Path>& into) {
    for (const auto* path :
         {"/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
          "/var/lib/ca-certificates", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom"})
        into.emplace_back(path);
}

// A directory that is not there yet is seen to come from the one that it will be in.
void add_logs(std::vector<Path>& into, const Path& directory) {
    std::error_code not_there;
    auto real = std::filesystem::canonical(directory, not_there);
    into.push_back(not_there ? around(directory) : real);
    into.push_back(directory);
}

void add_store(sandbox::Rules& rules, const config::Config& config) {
    auto url = store::parse_url(config.store.url);
    if (!url) return;  // the agent says why, a moment later
    if (const auto* directory = std::get_if<store::DirectoryUrl>(&*url)) {
        rules.write.emplace_back(directory->path);
        return;
    }
    for (const auto* name :
         {"SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
          "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"})
        add_replaceable(rules.read, store::trimmed(environment(name)));
    if (auto home = store::trimmed(environment("HOME")); home.starts_with('/'))
        rules.read.push_back(Path{home} / ".aws");
    if (const auto& file = std::get<store::S3Url>(*url).ca_file) add_replaceable(rules.read, *file);
}

// The engine itself; nothing when it does not answer.
std::optional<engine::EngineInfo> ask_engine(const config::Config& config) {
    asio::io_context io{1};  // with a resolver's thread of its own, gone before we are confined
    auto client = engine::make_client(io.get_executor(), {.address = config.engine.socket,
                                                          .ca_file = config.engine.ca_file,
                                                          .certificate_file = config.engine.certificate_file,
                                                          .key_file = config.engine.key_file,
                                                          .call_timeout = ask_engine_max});
    if (!client) return std::nullopt;  // the agent says why, a moment later
    std::optional<engine::EngineInfo> answer;
    asio::co_spawn(io, (*client)->negotiate(), [&](std::exception_ptr trouble, Result<engine::EngineInfo> info) {
        if (!trouble && info) answer = std::move(*info);
    });
    io.run();
    return answer;
}

// The directory of all containers, or the one that it will be in; nothing where nobody says which that is.
std::optional<Path> containers_directory(const config::Config& config) {
    Path containers;
    if (config.docker.root.empty()) {
        auto engine = ask_engine(config);
        if (engine) containers = intake::docker::layout_of(*engine, {}).containers;
        if (containers.empty()) return std::nullopt;
    } else {
        auto layout = intake::docker::layout_at(config.docker.root);
        containers = layout ? layout->containers : config.docker.root;
    }
    std::error_code ignored;
    return std::filesystem::exists(containers, ignored) ? containers : containers.parent_path();
}

Path engine_path(const config::Config& config) {
    auto address = net::parse_address(config.engine.socket);
    return address ? Path{address->unix_path} : Path{};  // an error shows a moment later
}

// Whoever reaches an engine is root on its host (docs/operate/guard.md).
Result<void> look_at_engine(const config::Config& config, Log& log) {
    if (!config.docker.enabled) return {};
    auto path = engine_path(config);
    auto behind = path.empty() ? sandbox::Behind::something_else : sandbox::look_behind(path);
    if (behind != sandbox::Behind::something_else) return {};
    if (config.sandbox == config::Sandboxing::on)
        return fail(Remedy::stop, "sandbox = \"on\": " + std::string{not_through_a_guard});
    log.warning("sandbox: the engine itself is in reach, and with it the whole host: put a guard between",
                {{"engine", config.engine.socket}});
    return {};
}

sandbox::BrokerOptions broker_options(const config::Config& config) {
    return {.engine = config.docker.enabled ? engine_path(config) : Path{},
            .only_guard = config.sandbox == config::Sandboxing::on,
            .manager = std::string{environment("NOTIFY_SOCKET")},
            .give_up_privileges = [] { (void)drop_all_capabilities(); }};
}

void add_driver(sandbox::Rules& rules, const config::Config& config) {
    for (const auto& path : {config.driver.hold_dir, around(config.driver.socket), Path{engine_fifos}})
        rules.write.push_back(path);
}

// Its directories have to be there: rules are for what is. And what the log driver asks of the host lies in /proc,
// which is out of reach afterwards: both answers are remembered.
Result<void> make_ready_for_driver(const config::Config& config) {
    CHECK(intake::driver::check_in_memory(config.driver.hold_dir));
    CHECK(make_directories(around(config.driver.socket), directory_mode));
    CHECK(make_directories(engine_fifos, fifo_directory_mode));
    (void)intake::driver::this_boot();
    (void)intake::driver::pipe_pages_soft();
    return {};
}

void add_configuration(sandbox::Rules& rules, const config::Config& config) {
    add_replaceable(rules.read, config.file);
    add_replaceable(rules.read, config.tenancy.keyring);
    for (const auto& file : {config.engine.ca_file, config.engine.certificate_file, config.engine.key_file})
        add_replaceable(rules.read, file);
}

Result<void> confine(const config::Config& config, const sandbox::Rules& rules, Log& log) {
    TRY(auto done, sandbox::confine(rules));
    if (!done.whole() && config.sandbox == config::Sandboxing::on)
        return fail(Remedy::stop, "sandbox = \"on\": " + done.missing);
    if (!done.whole()) log.warning("sandbox not whole", {{"missing", done.missing}});
    log.info("confined", {{"landlock", done.landlock},
                          {"seccomp", done.seccomp ? "in force" : "none"},
                          {"reads", rules.read_everything ? "everything" : "what it needs"}});
    return {};
}

}  // namespace

sandbox::Rules agent_rules(const config::Config& config, const Path& containers) {
    sandbox::Rules rules;
    rules.write = {config.state_dir};
    if (config.control != "off" && !config.control.empty()) rules.write.push_back(around(config.control));
    add_store(rules, config);
    if (config.driver.enabled) add_driver(rules, config);
    add_system(rules.read);
    add_configuration(rules, config);
    add_replaceable(rules.read, config.metrics.token_file);
    for (const auto& way : ways_in()) {
        if (!way.is_on(config)) continue;
        for (const auto& directory : way.directories(config)) add_logs(rules.read, directory);
    }
    if (!config.docker.enabled) return rules;
    if (containers.empty())
        rules.read_everything = true;
    else
        rules.read.push_back(containers);
    return rules;
}

sandbox::Rules driver_rules(const config::Config& config) {
    sandbox::Rules rules;
    add_driver(rules, config);
    add_system(rules.read);
    add_configuration(rules, config);
    rules.read.push_back(config.state_dir);
    auto address = net::parse_address(config.engine.socket);
    rules.connect_tcp = address && !address->is_unix();
    return rules;
}

sandbox::Rules guard_rules(const config::Config& config) {
    sandbox::Rules rules;
    add_system(rules.read);
    add_replaceable(rules.read, config.file);
    auto socket = std::string_view{config.guard.listen};
    for (std::string_view scheme : {"unix://", "unix:"})
        if (socket.starts_with(scheme)) {
            socket.remove_prefix(scheme.size());
            break;
        }
    rules.write.push_back(around(socket));
    rules.connect_tcp = false;
    rules.unix_sockets = true;  // one to the engine for each client
    // The service manager's socket may have no file.
    rules.abstract_sockets = environment("NOTIFY_SOCKET").starts_with('@');
    return rules;
}

Result<std::optional<sandbox::Broker>> confine_agent(const config::Config& config, Log& log) {
    if (config.sandbox == config::Sandboxing::off) return std::nullopt;
    CHECK(look_at_engine(config, log));
    TRY(auto broker, sandbox::Broker::start(broker_options(config)));
    // Rules are for what is there.
    if (auto url = store::parse_url(config.store.url))
        if (const auto* directory = std::get_if<store::DirectoryUrl>(&*url))
            CHECK(make_directories(directory->path, directory_mode));
    if (config.driver.enabled) CHECK(make_ready_for_driver(config));
    std::optional<Path> containers;
    if (config.docker.enabled) containers = containers_directory(config);
    bool unknown = config.docker.enabled && !containers;
    if (unknown && config.sandbox == config::Sandboxing::on)
        return fail(Remedy::stop,
                    "sandbox = \"on\": the engine does not say where its data directory is: set docker.root");
    auto rules = agent_rules(config, containers.value_or(Path{}));
    if (unknown)
        log.warning(
            "sandbox: files can be read everywhere, since docker.root is not set and the engine does not answer");
    CHECK(confine(config, rules, log));
    return broker;
}

Result<std::optional<sandbox::Broker>> confine_driver(const config::Config& config, Log& log) {
    if (config.sandbox == config::Sandboxing::off) return std::nullopt;
    CHECK(make_ready_for_driver(config));
    CHECK(look_at_engine(config, log));
    TRY(auto broker, sandbox::Broker::start(broker_options(config)));
    CHECK(confine(config, driver_rules(config), log));
    return broker;
}

store::OpenOptions store_options(const config::Config& config) {
    if (config.sandbox == config::Sandboxing::off) return {};
    return {.confined = true,
            .no_programs_because =
                "a confined agent starts no program: give keys in a file or in the environment, or set sandbox = "
                "\"off\""};
}

Result<void> confine_guard(const config::Config& config, Log& log) {
    if (config.sandbox == config::Sandboxing::off) return {};
    return confine(config, guard_rules(config), log);
}

}  // namespace boatswain::boatswaind
