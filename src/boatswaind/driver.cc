#include "boatswaind/driver.h"

#include <thread>

#include "boatswaind/by_broker.h"
#include "boatswaind/key_reading.h"
#include "boatswaind/privileges.h"
#include "boatswaind/sandbox_setup.h"
#include "boatswaind/signals.h"
#include "engine/client.h"
#include "intake/docker/images.h"
#include "intake/driver/plugin_server.h"
#include "net/event.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;
namespace driver = intake::driver;

constexpr std::chrono::milliseconds keyring_pause{1000};
constexpr std::chrono::milliseconds lock_pause{100};

// Everything that lives as long as the process, in the order of its building. Of the metrics nobody asks here.
class DriverDaemon final : public Daemon {
  public:
    using Daemon::Daemon;

  private:
    Result<void> build() override;
    void start(net::TaskGroup& tasks) override;
    Result<void> take_over(const config::Config& fresh) override;
    void shut_down() override;
    asio::awaitable<void> watch_keyring();
    Result<void> wait_for_holds();

    std::optional<driver::HoldLock> holds_;  // until the holder has it
    std::unique_ptr<engine::Client> client_;
    std::optional<TenantResolver> tenants_;
    std::optional<KeyReading> key_reading_;
    net::Event look_at_keys_{io_.get_executor()};  // before the next second
    bool reloading_ = false;                       // the configuration was read again, the keyring not yet
    intake::docker::Selection selection_;
    std::optional<intake::docker::Images> images_;
    std::unique_ptr<driver::Holder> holder_;
};

// During an upgrade the new process is started beside the old one, and waits until that has ended.
Result<void> DriverDaemon::wait_for_holds() {
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

Result<void> DriverDaemon::build() {
    if (!config_.driver.enabled || config_.driver.holder != config::HolderIs::process)
        return fail(Remedy::stop,
                    "boatswaind driver: needs driver.enabled = true and driver.holder = \"process\", here and with the "
                    "agent");
    TRY(auto rules, parse_tenancy(config_));
    TRY(selection_, intake::docker::Selection::parse(config_.docker.include, config_.docker.exclude));
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
    return {};
}

void DriverDaemon::start(net::TaskGroup& tasks) {
    tasks.spawn("ask about images", images_->run());
    tasks.spawn("watch the keyring", watch_keyring());
    tasks.spawn("be the driver", holder_->run());
}

asio::awaitable<void> DriverDaemon::watch_keyring() {
    for (;;) {
        co_await look_at_keys_.wait_for(keyring_pause);
        (void)co_await key_reading_->refresh(std::exchange(reloading_, false));
        (void)tenants_->take_ready();  // who waits for a key asks by itself
        if (holder_->ended_tasks().empty()) continue;
        // Nobody asks this process whether it is well: the service manager starts another one.
        end_untold({.remedy = Remedy::stop,
                    .what = "\"" + holder_->ended_tasks().front() + "\" ended by a fault of ours",
                    .cause = {}});
        co_return;
    }
}

Result<void> DriverDaemon::take_over(const config::Config& fresh) {
    CHECK(check_keyring_stays(*tenants_, fresh));
    TRY(auto rules, parse_tenancy(fresh));
    tenants_->trust_images(fresh.tenancy.trust_image);
    tenants_->treat_removed(removed_keys_of(fresh));
    if (tenants_->change(std::move(rules), policy_of(fresh), forged_of(fresh))) images_->forget();
    reloading_ = true;  // watch_keyring() goes on with it
    look_at_keys_.notify();
    return {};
}

void DriverDaemon::shut_down() {
    if (!failure_) log_.info("driver ended; the engine's FIFOs keep what containers print until the next one is there");
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

driver::HolderAsks holder_asks(TenantResolver& tenants, const intake::docker::Selection& selection) {
    return {.kept = words_kept(tenants, selection),
            .key_for = [&tenants](const SourceFacts& facts) { return key_for(tenants, facts); },
            .share_for = [&tenants](const SourceFacts& facts) { return tenants.share_of(facts); }};
}

driver::KeyAnswer key_for(TenantResolver& tenants, const SourceFacts& facts) {
    using Is = driver::KeyAnswer::Is;
    auto assignment = tenants.assign(facts);
    if (assignment.soon) return {.is = Is::not_yet, .reason = assignment.decision.reason};
    if (assignment.decision.action == tenancy::Decision::Action::seal) return {.is = Is::yes, .reason = {}};
    return {.is = Is::no, .reason = assignment.decision.reason};
}

Result<void> run_driver(config::Config config, const Reload& reload) {
    return DriverDaemon{std::move(config), reload}.run();
}

}  // namespace boatswain::boatswaind
