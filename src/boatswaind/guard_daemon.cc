#include "boatswaind/guard_daemon.h"

#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <memory>

#include "boatswaind/privileges.h"
#include "boatswaind/sandbox_setup.h"
#include "boatswaind/tenant_resolver.h"
#include "config/flags.h"
#include "guard/guard.h"
#include "serve/observe.h"

namespace boatswain::boatswaind {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::optional<unsigned> as_number(const std::string& text) {
    unsigned number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Called before any thread is started: these two functions of the C library share a static place.
Result<unsigned> user_named(const std::string& text) {
    if (auto number = as_number(text)) return *number;
    const passwd* found = ::getpwnam(text.c_str());
    if (found == nullptr) return fail(Remedy::stop, "guard.allow_uid: there is no user \"" + text + "\"");
    return found->pw_uid;
}

Result<unsigned> group_named(const std::string& text) {
    if (auto number = as_number(text)) return *number;
    const group* found = ::getgrnam(text.c_str());
    if (found == nullptr) return fail(Remedy::stop, "guard.group: there is no group \"" + text + "\"");
    return found->gr_gid;
}

Result<guard::Options> options_of(const config::Config& config) {
    const auto& from = config.guard;
    guard::Options options;
    TRY(options.listen, net::parse_address(from.listen));
    TRY(options.engine, net::parse_address(from.engine));
    std::from_chars(from.mode.data(), from.mode.data() + from.mode.size(), options.file.mode, 8);
    if (!from.group.empty()) {
        TRY(auto group, group_named(from.group));
        options.file.group = group;
    }
    for (const auto& user : from.allow_uid) {
        TRY(auto uid, user_named(user));
        options.allow_uid.insert(uid);
    }
    options.policy.attach = from.attach;
    options.connections_max = static_cast<std::size_t>(from.connections_max);
    options.engine_timeout = duration_cast<milliseconds>(config.engine.api_timeout);
    options.stall_timeout = duration_cast<milliseconds>(from.stall_timeout);
    return options;
}

// What the rules of the same file read stays visible: an agent behind the guard needs exactly that.
Result<guard::Redactor> redactor_of(const config::Config& config) {
    TRY(auto rules, parse_tenancy(config));
    auto level = config.guard.redact == config::Redact::all           ? guard::Redaction::all
                 : config.guard.redact == config::Redact::environment ? guard::Redaction::environment
                                                                      : guard::Redaction::none;
    auto keys = std::make_shared<const std::set<std::string, std::less<>>>(rules.environment_keys());
    return guard::Redactor{level, [keys](std::string_view name) { return keys->contains(name); }};
}

class GuardDaemon final : public Daemon {
  public:
    using Daemon::Daemon;

  private:
    Result<void> build() override;
    void start(net::TaskGroup& tasks) override;
    Result<void> take_over(const config::Config& fresh) override;
    void shut_down() override { log_.info("guard ended"); }
    serve::Health health() const;

    std::unique_ptr<guard::Guard> guard_;
    std::unique_ptr<http::Server> observe_;
};

Result<void> GuardDaemon::build() {
    TRY(auto options, options_of(config_));
    TRY(auto redactor, redactor_of(config_));
    // A directory that systemd's RuntimeDirectory= has made already stays as it is.
    if (auto directory = Path{options.listen.unix_path}.parent_path(); !directory.empty())
        CHECK(make_directories(directory, 0755));
    TRY(guard_, guard::Guard::open(io_.get_executor(), std::move(options), std::move(redactor), metrics_, log_));
    if (config_.guard.metrics != "off") {
        // An engine that is away is no reason to end the guard: it would be as far away after the start.
        auto routes = serve::observe_routes({.alive = [] { return serve::Health{}; },
                                             .ready = [this] { return health(); },
                                             .metrics = [this] { return metrics_.text(); },
                                             .version = std::string{config::version()}});
        TRY(observe_, http::Server::open(io_.get_executor(), config_.guard.metrics, std::move(routes)));
        log_.info("listening", {{"address", observe_->address()}});
    }
    CHECK(drop_privileges(log_, false));
    return confine_guard(config_, log_);
}

serve::Health GuardDaemon::health() const {
    auto trouble = guard_->engine_trouble();
    serve::Health health{
        .detail = {{"engine", trouble.empty() ? "ok" : trouble}, {"clients", std::to_string(guard_->connections())}}};
    if (!trouble.empty()) health.reasons.push_back({"engine", trouble});
    return health;
}

Result<void> GuardDaemon::take_over(const config::Config& fresh) {
    TRY(auto redactor, redactor_of(fresh));
    guard_->change(std::move(redactor));
    log_.info("configuration read again: rules and redaction hold now, everything else from the next start on");
    return {};
}

void GuardDaemon::start(net::TaskGroup& tasks) {
    tasks.spawn("guard", guard_->run());
    if (observe_) tasks.spawn("observe", observe_->run());
    log_.info("guard started", {{"version", config::version()},
                                {"listen", config_.guard.listen},
                                {"engine", config_.guard.engine},
                                {"attach", config_.guard.attach ? "allowed" : "refused"}});
}

}  // namespace

Result<void> check_guard(const config::Config& config) {
    CHECK(options_of(config));
    return {};
}

Result<void> run_guard(config::Config config, const Reload& reload) {
    return GuardDaemon{std::move(config), reload}.run();
}

}  // namespace boatswain::boatswaind
