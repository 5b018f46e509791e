#include "boatswaind/driver.h"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "boatswaind/by_broker.h"
#include "boatswaind/key_reading.h"
#include "boatswaind/notify.h"
#include "boatswaind/privileges.h"
#include "boatswaind/sandbox_setup.h"
#include "boatswaind/signals.h"
#include "engine/client.h"
#include "intake/docker/images.h"
#include "intake/driver/plugin_server.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;
namespace driver = intake::driver;

constexpr std::chrono::milliseconds keyring_pause{1000};
constexpr std::chrono::milliseconds lock_pause{100};

// Everything that lives as long as the process, in the order of its building.
class DriverProcess {
  public:
    DriverProcess(config::Config config, const std::function<Result<config::Config>()>& reload)
        : config_(std::move(config)),
          reload_(reload),
          log_(clock_, STDERR_FILENO, config_.log.format, config_.log.level) {}

    Result<void> run();

  private:
    asio::awaitable<void> live();
    asio::awaitable<void> watch_keyring();
    asio::awaitable<void> obey_signals();
    asio::awaitable<void> watch_broker();
    Result<void> wait_for_holds();

    config::Config config_;
    const std::function<Result<config::Config>()>& reload_;
    SystemClock clock_;
    Log log_;
    Metrics metrics_;  // of the keyring's reading; nobody asks for them here
    asio::io_context io_{1};
    std::unique_ptr<Signals> signals_;
    LaterNotice ready_notice_;
    std::optional<driver::HoldLock> holds_;  // until the holder has it
    std::optional<sandbox::Broker> broker_;
    std::unique_ptr<engine::Client> client_;
    std::optional<TenantResolver> tenants_;
    std::optional<KeyReading> key_reading_;
    net::Event look_at_keys_{io_.get_executor()};  // before the next second
    bool reloading_ = false;                       // the configuration was read again, the keyring not yet
    intake::docker::Selection selection_;
    std::optional<intake::docker::Images> images_;
    std::unique_ptr<driver::Holder> holder_;
    std::optional<net::TaskGroup> tasks_;
    bool failed_ = false;
    Error failure_;
};

// During an upgrade the new process is started beside the old one, and waits until that has ended.
Result<void> DriverProcess::wait_for_holds() {
    for (bool told = false;;) {
        auto lock = driver::HoldLock::take(config_.driver.hold_dir);
        if (lock) {
            holds_.emplace(std::move(*lock));
            return {};
        }
        if (lock.error().remedy != Remedy::back_off || told_to_end()) return std::unexpected(lock.error());
        if (!std::exchange(told, true)) log_.info("waiting for the holds", {{"error", lock.error()}});
        std::this_thread::sleep_for(lock_pause);
    }
}

Result<void> DriverProcess::run() {
    if (!config_.driver.enabled || config_.driver.holder != config::HolderIs::process)
        return fail(Remedy::stop,
                    "boatswaind driver: needs driver.enabled = true and driver.holder = \"process\", here and with the "
                    "agent");
    TRY(signals_, Signals::open(io_.get_executor()));
    TRY(auto rules, parse_tenancy(config_));
    TRY(selection_, intake::docker::Selection::parse(config_.docker.include, config_.docker.exclude));
    // Unix sockets are opened before we may open none, and all of it before the first thread.
    auto notice = LaterNotice::open();
    if (notice) ready_notice_ = std::move(*notice);
    CHECK(wait_for_holds());
    TRY(auto plugin, driver::PluginServer::bind(io_.get_executor(), config_.driver.socket, *holds_));
    CHECK(drop_privileges(log_));
    TRY(broker_, confine_driver(config_, log_));
    // What key files said last is the agent's to keep.
    tenants_.emplace(
        std::move(rules), policy_of(config_), forged_of(config_), config_.tenancy.keyring,
        config_.state_dir / last_good_name, static_cast<std::size_t>(config_.tenancy.carried_max), metrics_, log_,
        clock_, [] {}, false);
    tenants_->treat_removed(removed_keys_of(config_));
    tenants_->refresh_keys(true);
    TRY(client_, engine::make_client(io_.get_executor(), engine_endpoint(config_, io_.get_executor(), broker_)));
    // Who waits for an answer about an image asks by itself.
    images_.emplace(io_.get_executor(), *client_, words_kept(*tenants_, selection_), metrics_, log_,
                    [](const std::vector<std::string>&) {});
    tenants_->ask_images([this](const SourceFacts& facts) { return images_->starter(facts); });
    tenants_->trust_images(config_.tenancy.trust_image);
    key_reading_.emplace(io_.get_executor(), *tenants_);
    TRY(holder_, driver::Holder::open(io_.get_executor(), holder_options(config_), holder_asks(*tenants_, selection_),
                                      clock_, log_, std::move(*holds_), std::move(plugin)));
    tasks_.emplace(io_.get_executor(), log_);
    tasks_->spawn("obey signals", obey_signals());
    tasks_->spawn("ask about images", images_->run());
    if (broker_) tasks_->spawn("watch the broker", watch_broker());
    tasks_->spawn("be the driver", live());
    io_.run();
    if (failed_) return std::unexpected(failure_);
    log_.info("driver ended; the engine's FIFOs keep what containers print until the next one is there");
    return {};
}

asio::awaitable<void> DriverProcess::live() {
    if (auto told = ready_notice_.send("READY=1"); !told)
        log_.warning("service manager not told", {{"error", told.error()}});
    tasks_->spawn("watch the keyring", watch_keyring());
    co_await holder_->run();
}

asio::awaitable<void> DriverProcess::watch_keyring() {
    for (;;) {
        co_await look_at_keys_.wait_for(keyring_pause);
        (void)co_await key_reading_->refresh(std::exchange(reloading_, false));
        (void)tenants_->take_ready();  // who waits for a key asks by itself
        if (holder_->ended_tasks().empty()) continue;
        // Nobody asks this process whether it is well: the service manager starts another one.
        failed_ = true;
        failure_ = Error{.remedy = Remedy::stop,
                         .what = "\"" + holder_->ended_tasks().front() + "\" ended by a fault of ours",
                         .cause = {}};
        tasks_->cancel();
        co_return;
    }
}

// Started again, it has one.
asio::awaitable<void> DriverProcess::watch_broker() {
    co_await wait_for_end(*broker_);
    failed_ = true;
    failure_ = Error{.remedy = Remedy::stop, .what = broker_ended};
    tasks_->cancel();
}

asio::awaitable<void> DriverProcess::obey_signals() {
    for (;;) {
        auto order = co_await signals_->next();
        if (!order.reload) break;
        auto fresh = reload_();
        if (fresh)
            if (auto may = check_keyring_stays(*tenants_, *fresh); !may) fresh = std::unexpected(may.error());
        auto rules = fresh ? parse_tenancy(*fresh) : Result<tenancy::RuleSet>{std::unexpected(fresh.error())};
        if (!rules) {
            log_.error("configuration not taken over; the old one stays", {{"error", rules.error()}});
            continue;
        }
        tenants_->trust_images(fresh->tenancy.trust_image);
        tenants_->treat_removed(removed_keys_of(*fresh));
        if (tenants_->change(std::move(*rules), policy_of(*fresh), forged_of(*fresh))) images_->forget();
        reloading_ = true;  // watch_keyring() goes on with it
        look_at_keys_.notify();
    }
    let_second_signal_end();
    tasks_->cancel();
}

}  // namespace

driver::HolderOptions holder_options(const config::Config& config) {
    return {.socket = config.driver.socket,
            .hold_dir = config.driver.hold_dir,
            .hold_bytes = config.driver.hold_bytes,
            .hold_total = config.driver.hold_total,
            .block_max = config.driver.block_max,
            .ring_bytes = config.driver.ring_bytes};
}

driver::HolderAsks holder_asks(TenantResolver& assigning, const intake::docker::Selection& selection) {
    return {.kept = words_kept(assigning, selection),
            .key_for = [&assigning](const SourceFacts& facts) { return key_for(assigning, facts); },
            .share_for = [&assigning](const SourceFacts& facts) { return assigning.share_of(facts); }};
}

driver::KeyAnswer key_for(TenantResolver& assigning, const SourceFacts& facts) {
    using Is = driver::KeyAnswer::Is;
    auto assignment = assigning.assign(facts);
    if (assignment.soon) return {.is = Is::not_yet, .reason = assignment.decision.reason};
    if (assignment.decision.action == tenancy::Decision::Action::seal) return {.is = Is::yes, .reason = {}};
    return {.is = Is::no, .reason = assignment.decision.reason};
}

Result<void> run_driver(config::Config config, const std::function<Result<config::Config>()>& reload) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
    Signals::block();
    DriverProcess process{std::move(config), reload};
    return process.run();
}

}  // namespace boatswain::boatswaind
