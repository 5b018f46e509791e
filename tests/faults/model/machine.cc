#include "model/machine.h"

#include <thread>

#include "tenancy/policy.h"

namespace boatswain::model {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;  // for what must happen
constexpr auto a_moment = 50ms;

std::string source_of(const std::string& tenant) { return tenant + "-container"; }

TenantId tenant_id(const std::string& name) { return TenantId::parse_any(name).value(); }

}  // namespace

Machine::Machine(std::string name, Path directory, Logs logs, Memory memory, Surroundings around)
    : name_(std::move(name)),
      directory_(std::move(directory)),
      logs_(std::move(logs)),
      memory_(std::move(memory)),
      around_(around) {
    start();
}

Machine::~Machine() { stop(); }

void Machine::start(Memory memory) {
    memory_ = std::move(memory);
    start();
}

void Machine::start() {
    metrics_.emplace();
    budget_.emplace(8U << 20);
    auto opened = spool::Spool::open(
        {.state_dir = state(), .host = host_name, .bytes_max = spool_bytes_max, .aside_max = spool_aside_max},
        around_.clock, log_, *metrics_);
    spool_ = std::move(opened.value());
    if (spool_->state_trouble()) find("the state was not readable: " + *spool_->state_trouble());
    keyring_.emplace(around_.keyring.place(), state() / "keyring.last");
    sealing_.emplace(1, 1, *spool_, *budget_, around_.clock, *metrics_, log_, [] {});
    batcher_.emplace(batch::Options{.flush_after = 10min}, *sealing_, *spool_, *budget_, around_.clock, *metrics_);
    take_what_is_durable();
    memory_.pending.clear();
    for (const auto& [tenant, lines] : logs_) reading_[tenant].read = memory_.sealed[tenant];
    reload_keys();
}

void Machine::stop() {
    shipper_.reset();  // first: what is sealed while the rest ends stays in the spool
    reading_.clear();
    batcher_.reset();
    sealing_.reset();
    keyring_.reset();
    spool_.reset();
}

void Machine::restart() {
    shipper_.reset();
    sealing_->drain(around_.clock.steady() + patience);
    // What an orderly end would still write is not written.
    auto as_it_was = directory_ / "killed";
    std::filesystem::copy(state(), as_it_was, std::filesystem::copy_options::recursive);
    stop();
    std::filesystem::remove_all(state());
    std::filesystem::rename(as_it_was, state());
    start();
}

std::unique_ptr<batch::Feed> Machine::open_feed(const std::string& tenant, const Whose& whose, const Checkpoint& from) {
    Source source{.id = source_of(tenant),
                  .kind = "docker",
                  .name = tenant,
                  .image = "image",
                  .reader = "json-file",
                  .whose = {.tenant = tenant_id(whose.tenant), .app = "app", .tenant_rule = "const"}};
    // What the real policy says must be what the model says.
    auto keys = keyring_->keys_for(tenant_id(tenant));
    auto decision = tenancy::decide({.tenant = tenant_id(tenant), .tenant_rule = "const"}, keys, {},
                                    tenancy::Unassigned::quarantine,
                                    keys.removed_since ? tenancy::RemovedKey::hold : tenancy::RemovedKey::not_removed);
    auto recipients = around_.keyring.recipients(whose.keys);
    if (decision.tenant.str() != whose.tenant || !std::ranges::is_permutation(decision.recipients, recipients))
        find(tenant + " is sealed for others than the model says: " + decision.reason);
    return batcher_->open_feed(source, decision.recipients, from, false);
}

// As the intake does: what runs goes on with the keys it has, but where the tenant's key file was removed.
void Machine::assign(const std::string& tenant) {
    auto& reading = reading_[tenant];
    auto [whose, stops] = decide(around_.keyring.files(), memory_, tenant);
    reading.stopped = stops || (reading.stopped && !whose);
    if (!whose || whose == reading.whose) return;
    auto from = reading.feed ? reading.feed->handover() : spool_->checkpoint(source_of(tenant)).value_or(Checkpoint{});
    auto feed = open_feed(tenant, *whose, from);
    if (reading.feed) reading.feed->hand_over(*feed);
    reading.feed = std::move(feed);
    reading.whose = whose;
}

void Machine::reload_keys() {
    if (auto reloaded = keyring_->reload(); !reloaded) find("keyring not read: " + reloaded.error().what);
    reload(around_.keyring.files(), memory_);
    for (const auto& [tenant, lines] : logs_) assign(tenant);
}

void Machine::read() {
    for (auto& [tenant, reading] : reading_) {
        const auto& log = logs_[tenant];
        if (!reading.feed || reading.stopped) continue;
        while (reading.read < log.size() && reading.feed->ask_room() > 0) {
            const auto& line = log[reading.read];
            reading.feed->append(Line{.time = line.time, .bytes = line.text});
            memory_.pending[tenant].push_back({reading.read, around_.ledger.copies.size()});
            around_.ledger.copies.push_back({line.id, *reading.whose});
            ++reading.read;
            reading.feed->mark(
                FilePosition{.device = 1, .inode = 2, .fingerprint = 3, .out_offset = reading.read, .err_offset = 0});
        }
    }
    batcher_->tick();
}

bool Machine::has_unread() const {
    return std::ranges::any_of(logs_, [&](const auto& log) {
        auto reading = reading_.find(log.first);
        return reading == reading_.end() || reading->second.read < log.second.size();
    });
}

void Machine::seal() {
    read();
    batcher_->flush_all();
    if (!sealing_->drain(around_.clock.steady() + patience)) find("not sealed in time");
    take_what_is_durable();
    for (const auto& [tenant, reading] : reading_)
        if (memory_.sealed[tenant] != reading.read) find("not all that was read of " + tenant + " is sealed");
}

// What the spool says is sealed, of what was read. It never is more, and never goes back.
void Machine::take_what_is_durable() {
    for (const auto& [tenant, lines] : logs_) {
        auto durable = spool_->checkpoint(source_of(tenant)).value_or(Checkpoint{}).lines;
        auto& sealed = memory_.sealed[tenant];
        auto& pending = memory_.pending[tenant];
        std::erase_if(pending, [&](const Pending& one) {
            if (one.index >= durable) return false;
            memory_.spooled.insert(one.copy);
            sealed = std::max(sealed, one.index + 1);
            return true;
        });
        if (durable != sealed)
            find("the state says that " + std::to_string(durable) + " lines of " + tenant + " are sealed, the model " +
                 std::to_string(sealed));
    }
}

void Machine::start_shipper() {
    if (shipper_) return;
    shipper_.emplace(ship::Options{.uploads = 1, .wait_min = 1ms, .wait_max = 4ms}, *spool_, around_.store,
                     around_.clock, *metrics_, log_);
}

void Machine::ship() {
    start_shipper();
    if (!shipper_->drain(around_.clock.steady() + patience)) find("not shipped in time");
    look_what_is_stored();
}

// While nothing stands aside, what waited is in the store. Else it is not known here which part is.
void Machine::look_what_is_stored() {
    auto aside = spool_->aside_totals();
    if (spool_->count() + aside.refused + aside.damaged + aside.unnamed > 0) return;
    around_.ledger.stored.insert(memory_.spooled.begin(), memory_.spooled.end());
    memory_.spooled.clear();
}

void Machine::ship_until(Mood mood) {
    start_shipper();
    auto deadline = around_.clock.steady() + a_moment;
    while (around_.store.mood() != mood && spool_->count() > 0 && around_.clock.steady() < deadline)
        std::this_thread::sleep_for(1ms);
}

void Machine::seal_on_sick_disk(bool killed, const std::function<void()>& prints) {
    shipper_.reset();  // else it would find its files gone
    take_what_is_durable();
    auto place = state() / "spool";
    auto away = state() / "spool.away";
    std::filesystem::rename(place, away);
    for (int piece = 0; piece < 3; ++piece) {
        read();
        batcher_->flush_all();
        prints();
    }
    sealing_->drain(around_.clock.steady() + a_moment);
    if (killed) stop();
    std::filesystem::rename(away, place);
    killed ? start() : seal();
}

void Machine::forget_logs_behind(const std::map<std::string, std::size_t>& lengths) {
    for (auto& [tenant, log] : logs_) {
        auto length = lengths.find(tenant);
        log.resize(length == lengths.end() ? 0 : length->second);
    }
}

}  // namespace boatswain::model
