#include "boatswaind/driver.h"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "boatswaind/key_reading.h"
#include "boatswaind/notify.h"
#include "boatswaind/privileges.h"
#include "boatswaind/signals.h"
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
    Result<std::unique_ptr<driver::Holder>> open_holder();

    config::Config config_;
    const std::function<Result<config::Config>()>& reload_;
    SystemClock clock_;
    Log log_;
    Metrics metrics_;  // of the keyring's reading; nobody asks for them here
    asio::io_context io_{1};
    std::unique_ptr<Signals> signals_;
    std::optional<Assigning> assigning_;
    std::optional<KeyReading> key_reading_;
    net::Event look_at_keys_{io_.get_executor()};  // before the next second
    bool reloading_ = false;                       // the configuration was read again, the keyring not yet
    intake::docker::Selection selection_;
    std::unique_ptr<driver::Holder> holder_;
    std::optional<net::TaskGroup> tasks_;
    bool failed_ = false;
    Error failure_;
};

Result<std::unique_ptr<driver::Holder>> DriverProcess::open_holder() {
    return driver::Holder::open(io_.get_executor(), holder_options(config_), holder_asks(*assigning_, selection_),
                                clock_, log_);
}

Result<void> DriverProcess::run() {
    if (!config_.driver.enabled || config_.driver.holder != config::HolderIs::process)
        return fail(Remedy::stop,
                    "boatswaind driver: needs driver.enabled = true and driver.holder = \"process\", here and with the "
                    "agent");
    TRY(signals_, Signals::open(io_.get_executor()));
    TRY(auto rules, parse_tenancy(config_));
    TRY(selection_, intake::docker::Selection::parse(config_.docker.include, config_.docker.exclude));
    assigning_.emplace(std::move(rules), policy_of(config_), forged_of(config_), config_.tenancy.keyring, Path{},
                       static_cast<std::size_t>(config_.tenancy.carried_max), metrics_, log_, clock_, [] {});
    assigning_->treat_removed(removed_keys_of(config_));
    assigning_->refresh_keys(true);
    key_reading_.emplace(io_.get_executor(), *assigning_);
    tasks_.emplace(io_.get_executor(), log_);
    tasks_->spawn("obey signals", obey_signals());
    tasks_->spawn("be the driver", live());
    io_.run();
    if (failed_) return std::unexpected(failure_);
    log_.info("driver ended; the engine's FIFOs keep what containers print until the next one is there");
    return {};
}

asio::awaitable<void> DriverProcess::live() {
    auto holder = open_holder();
    for (bool told = false; !holder && holder.error().remedy == Remedy::back_off;) {
        if (!std::exchange(told, true)) log_.info("waiting for the holds", {{"error", holder.error()}});
        co_await net::sleep_for(lock_pause);
        holder = open_holder();
    }
    auto dropped = holder ? drop_privileges(log_) : Result<void>{};
    if (!holder || !dropped) {
        failed_ = true;
        failure_ = holder ? dropped.error() : holder.error();
        tasks_->cancel();
        co_return;
    }
    holder_ = std::move(*holder);
    if (auto told = notify_manager("READY=1"); !told)
        log_.warning("service manager not told", {{"error", told.error()}});
    tasks_->spawn("watch the keyring", watch_keyring());
    co_await holder_->run();
}

asio::awaitable<void> DriverProcess::watch_keyring() {
    for (;;) {
        co_await look_at_keys_.wait_for(keyring_pause);
        (void)co_await key_reading_->refresh(std::exchange(reloading_, false));
        (void)assigning_->take_ready();  // who waits for a key asks by itself
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

asio::awaitable<void> DriverProcess::obey_signals() {
    for (;;) {
        auto order = co_await signals_->next();
        if (!order.reload) break;
        auto fresh = reload_();
        if (fresh)
            if (auto may = check_keyring_stays(*assigning_, *fresh); !may) fresh = std::unexpected(may.error());
        auto rules = fresh ? parse_tenancy(*fresh) : Result<tenancy::RuleSet>{std::unexpected(fresh.error())};
        if (!rules) {
            log_.error("configuration not taken over; the old one stays", {{"error", rules.error()}});
            continue;
        }
        assigning_->treat_removed(removed_keys_of(*fresh));
        assigning_->change(std::move(*rules), policy_of(*fresh), forged_of(*fresh));
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

driver::HolderAsks holder_asks(Assigning& assigning, const intake::docker::Selection& selection) {
    return {.kept = words_kept(assigning, selection),
            .key_for = [&assigning](const engine::ContainerFacts& facts) { return key_for(assigning, facts); },
            .share_for = [&assigning](const engine::ContainerFacts& facts) { return assigning.share_of(facts); }};
}

driver::KeyAnswer key_for(Assigning& assigning, const engine::ContainerFacts& facts) {
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
