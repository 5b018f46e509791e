#include "model/world.h"

#include <algorithm>
#include <array>
#include <thread>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "model/judge.h"
#include "segment/frame_text.h"
#include "segment/seal.h"

namespace boatswain::model {
namespace {

using namespace std::chrono_literals;

const std::array<std::string, 3> tenants{"acme", "globex", "initech"};
constexpr std::size_t machines_max = 2;
constexpr std::size_t snapshots_max = 2;  // of a machine
constexpr std::size_t much_lines = 20, much_bytes = 1'500;
constexpr int rounds_max = 200;

// Text that does not compress.
std::string noise(std::size_t bytes) {
    static std::mt19937_64 random{7};
    std::string text;
    while (text.size() < bytes) text += to_hex(std::to_string(random()));
    for (auto& c : text) c = static_cast<char>('!' + random() % 90);
    return text.substr(0, bytes);
}

void copy_directory(const Path& from, const Path& to) {
    std::filesystem::remove_all(to);
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

}  // namespace

const std::string& World::tenant(std::uint32_t number) { return tenants[number % tenants.size()]; }

World::World() {
    // Ten past an hour: the hour changes where an operation says so.
    auto now = clock_.now();
    clock_.jump(std::chrono::ceil<std::chrono::hours>(now) + 10min - now);
    keyring_.set(operators_name, {KeyFile::State::good, {keyring_.new_key()}});
    for (const auto& name : tenants) keyring_.set(name, {KeyFile::State::good, {keyring_.new_key()}});
    Logs logs;
    for (const auto& name : tenants) logs[name] = {};
    machines_.push_back(std::make_unique<Machine>("first", directory_ / "machine-0", std::move(logs), Memory{},
                                                  Surroundings{clock_, store_, keyring_, ledger_, findings_}));
}

World::~World() = default;

void World::print(Machine& machine, const std::string& tenant, std::size_t bytes) {
    auto id = machine.name() + "." + tenant + "." + std::to_string(++lines_);
    machine.print(tenant, {.id = id, .text = id + " " + noise(bytes), .time = clock_.now()});
}

void World::ship(Machine& machine, Mood mood, unsigned puts) {
    store_.set(mood, puts, Mood::well);
    machine.ship();
    store_.set(Mood::away);
}

void World::apply(const Operation& operation) {
    auto& machine = this->machine(operation);
    const auto& whose = tenant(operation.b);
    auto few = 1 + operation.b % 4;
    switch (operation.kind) {
        case Kind::print: return print(machine, whose, operation.b % 60);
        case Kind::print_much:
            for (std::size_t i = 0; i < much_lines; ++i) print(machine, whose, much_bytes);
            return;
        case Kind::read: return machine.read();
        case Kind::seal: return machine.seal();
        case Kind::ship: return ship(machine, Mood::well, 1);
        case Kind::ship_some_and_crash:
            // The answer to the last put may be on its way: with the store's work done, or not.
            store_.set(operation.b % 2 == 0 ? Mood::well : Mood::answers_lost, few, Mood::away);
            machine.ship_until(Mood::away);
            store_.set(Mood::away);
            return machine.restart();
        case Kind::ship_answers_lost: return ship(machine, Mood::answers_lost, few);
        case Kind::ship_full: return ship(machine, Mood::full, few);
        case Kind::ship_refused: return ship(machine, Mood::refusing, few);
        case Kind::ship_forbidden: return ship(machine, Mood::forbidding, few);
        case Kind::crash: return machine.restart();
        case Kind::sick_disk: return machine.seal_on_sick_disk(operation.b % 2 == 0, [&] { print(machine, whose, 8); });
        case Kind::snapshot: return keep_snapshot(machine);
        case Kind::state_goes_back: return go_back(machine, operation.b, false);
        case Kind::machine_goes_back: return go_back(machine, operation.b, true);
        case Kind::clone: return clone(machine);
        case Kind::forge: return forge(machine, whose, few, false);
        case Kind::forge_garbage: return forge(machine, whose, few, true);
        case Kind::clock_jumps: {
            auto hours = static_cast<int>(operation.b % 7) - 2;
            ledger_.clock_went_back = ledger_.clock_went_back || hours < 0;
            return clock_.jump(std::chrono::hours{hours});
        }
        case Kind::key_changes:
            change_key(operation.a, operation.b);
            if (operation.b % 3 != 0) machine.reload_keys();
            return;
        case Kind::keys_reload: return machine.reload_keys();
        case Kind::damage: return damage(machine, operation.b);
        case Kind::retry: machine.spool().offer_again(); return;
        case Kind::acknowledge:
            machine.spool().acknowledge_conflicts();
            if (!machine.spool().conflicts().empty()) findings_.push_back("an acknowledged conflict is still told");
            return;
        case Kind::look_or_not:
            may_look_ = !may_look_;
            ledger_.was_write_only = true;
            return store_.let_look(may_look_);
    }
}

void World::keep_snapshot(Machine& machine) {
    machine.stop();
    Snapshot snapshot{.place = directory_ / ("snapshot-" + std::to_string(++places_)), .memory = machine.memory()};
    for (const auto& [name, log] : machine.logs()) snapshot.lengths[name] = log.size();
    copy_directory(machine.state(), snapshot.place);
    auto& kept = snapshots_[&machine];
    kept.push_back(std::move(snapshot));
    if (kept.size() > snapshots_max) kept.erase(kept.begin());
    machine.start();
}

void World::go_back(Machine& machine, std::uint32_t which, bool with_logs) {
    auto& kept = snapshots_[&machine];
    if (kept.empty()) return;
    const auto& snapshot = kept[which % kept.size()];
    machine.stop();
    ledger_.went_back = true;
    auto left = machine.memory();
    ledger_.perhaps.insert(left.spooled.begin(), left.spooled.end());
    for (const auto& [name, pending] : left.pending)
        for (const auto& one : pending) ledger_.perhaps.insert(one.copy);
    copy_directory(snapshot.place, machine.state());
    if (with_logs) machine.forget_logs_behind(snapshot.lengths);
    machine.start(snapshot.memory);
}

// The same host's name, state and logs, on a second machine.
void World::clone(const Machine& machine) {
    if (machines_.size() >= machines_max) return;
    auto& original = *machines_.front();
    (void)machine;
    original.stop();
    ledger_.went_back = ledger_.cloned = true;
    auto place = directory_ / ("machine-" + std::to_string(machines_.size()));
    copy_directory(original.state(), place / "state");
    machines_.push_back(std::make_unique<Machine>("second", place, original.logs(), original.memory(),
                                                  Surroundings{clock_, store_, keyring_, ledger_, findings_}));
    original.start();
}

// Somebody who may write to the store puts objects behind the last one of a chain, linked to it by its hash, which is
// public, and sealed for the tenant, whose keys are, too.
void World::forge(Machine& machine, const std::string& tenant, unsigned count, bool garbage) {
    auto whose = TenantId::parse(tenant).value();
    segment::ObjectKey key{.tenant = whose, .host = host_name, .epoch = machine.spool().epoch()};
    std::string previous;
    (void)store::for_each_object(rest_, segment::tenant_prefix(whose), [&](const auto& object) {
        auto there = segment::parse_object_key(object.key);
        if (!there || there->epoch != key.epoch || there->sequence < key.sequence) return true;
        key.sequence = there->sequence;
        previous = to_hex(crypto::sha256(rest_.read(object.key).value()));
        return true;
    });
    auto keys = keyring_.files().at(tenant).keys;
    if (keys.empty()) return;
    for (unsigned i = 0; i < count; ++i) {
        ++key.sequence;
        key.hour = std::chrono::floor<std::chrono::hours>(clock_.now());
        Source who{.id = tenant + "-container",
                   .kind = "docker",
                   .name = tenant,
                   .reader = "json-file",
                   .whose = {.tenant = whose}};
        segment::FrameText text{who};
        text.append(Line{.time = clock_.now(), .bytes = "FORGED." + std::to_string(++lines_)});
        segment::SegmentParts parts{
            .key = key, .sealed_at = clock_.now(), .previous_sha256 = previous, .sources = {who}};
        parts.frames.push_back({.source = 0,
                                .compressed = segment::Compressor{1}.compress(text.text()),
                                .text_bytes = text.text().size(),
                                .first_ordinal = key.sequence - 1,
                                .counts = text.counts()});
        auto sealed = segment::seal(std::move(parts), keyring_.recipients(keys)).value();
        auto bytes = garbage ? "garbage " + std::to_string(lines_) : sealed.bytes;
        auto sha256 = crypto::sha256(bytes);
        previous = to_hex(sha256);
        ledger_.forged.insert(previous);
        ledger_.garbage = ledger_.garbage || garbage;
        (void)rest_.put(key.str(), bytes, sha256);
    }
}

void World::change_key(std::uint32_t a, std::uint32_t b) {
    const auto& name = a % 7 == 0 ? operators_name : tenant(a);
    auto file = keyring_.files().at(name);
    switch (b % 5) {
        case 0: file = {KeyFile::State::good, {keyring_.new_key()}}; break;  // rotated
        case 1:
            if (file.keys.size() < 3) file.keys.insert(keyring_.new_key());
            file.state = KeyFile::State::good;
            break;
        case 2: file = {.state = b / 5 % 2 == 0 ? KeyFile::State::absent : KeyFile::State::gone}; break;
        case 3: file.state = KeyFile::State::broken; break;
        default: file = {KeyFile::State::good, file.keys.empty() ? Keys{keyring_.new_key()} : file.keys}; break;
    }
    keyring_.set(name, std::move(file));
}

void World::damage(Machine& machine, std::uint32_t which) {
    std::vector<Path> files;
    for (const auto& entry : std::filesystem::directory_iterator{machine.state() / "spool"})
        if (entry.is_regular_file()) files.push_back(entry.path());
    if (files.empty()) return;
    std::ranges::sort(files);
    const auto& file = files[which % files.size()];
    auto was = testing::contents(file);
    auto is = was;
    if (which % 2 == 0)
        is.resize(is.size() / 2);
    else
        is[is.size() / 3] ^= 1;
    testing::write(file, is);
    damaged_.emplace_back(is, was);
}

// A disk may recover. Newest first: a file may be damaged twice.
void World::mend_damage(const Machine& machine) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator{machine.state() / "spool"}) {
        if (!entry.is_regular_file()) continue;
        for (auto damage = damaged_.rbegin(); damage != damaged_.rend(); ++damage)
            if (testing::contents(entry.path()) == damage->first) testing::write(entry.path(), damage->second);
    }
}

void World::store_everything(Machine& machine) {
    for (int round = 0; round < rounds_max; ++round) {
        machine.seal();
        machine.spool().offer_again();
        machine.ship();
        if (!machine.has_unread() && machine.memory().spooled.empty()) return;
        std::this_thread::sleep_for(1ms);
    }
    findings_.push_back(
        machine.name() + ": not everything is read and stored: " + std::to_string(machine.memory().spooled.size()) +
        " lines wait, " + std::to_string(machine.spool().aside_totals().refused) + " segments are refused, " +
        std::to_string(machine.spool().aside_totals().damaged) + " damaged");
}

void World::come_to_rest() {
    store_.let_look(true);
    store_.set(Mood::well);
    keyring_.mend();
    // Each machine by itself: what the others of one state do shows like what a stranger does.
    for (auto& machine : machines_) {
        machine->stop();
        mend_damage(*machine);
        machine->start();
        auto old = old_epoch(*machine);
        for (int times = 0; times < 2; ++times) store_a_line_of_each(*machine);
        check_epoch(*machine);
        if (!old.empty() && machine->spool().epoch() == old)
            findings_.push_back(machine->name() + ": goes on in epoch " + old +
                                ", though the store has objects behind the end of its chains");
    }
    // An epoch begins once a minute at most, but after a restart.
    for (auto& machine : machines_) {
        machine->restart();
        for (int times = 0; times < 2; ++times) store_a_line_of_each(*machine);
        check_epoch(*machine);
    }
}

void World::store_a_line_of_each(Machine& machine) {
    store_everything(machine);
    for (const auto& name : tenants) print(machine, name, 8);
    store_everything(machine);
}

// Nobody goes on in an epoch of which a key was taken.
void World::check_epoch(Machine& machine) {
    for (const auto& conflict : machine.spool().conflicts())
        if (segment::parse_object_key(conflict.key)->epoch == machine.spool().epoch())
            findings_.push_back(machine.name() + ": goes on in the epoch of " + conflict.key);
}

// The machine's epoch, if the store shows that its state is an old one; else empty. What it shows: objects behind the
// end of a chain, in the hours from that end on, by their names.
std::string World::old_epoch(Machine& machine) {
    auto epoch = machine.spool().epoch();
    auto now = std::chrono::floor<std::chrono::hours>(clock_.now());
    std::string old;
    for (const auto& name : tenants) {
        auto head = machine.spool().head_at_start(name);
        if (!head) continue;
        auto from = std::chrono::floor<std::chrono::hours>(head->moved);
        (void)store::for_each_object(rest_, segment::tenant_prefix(TenantId::parse(name).value()),
                                     [&](const auto& object) {
                                         auto key = segment::parse_object_key(object.key);
                                         if (key && key->epoch == epoch && key->sequence > head->sequence &&
                                             !key->spanning && key->hour >= from && key->hour <= now)
                                             old = epoch;
                                         return true;
                                     });
    }
    return old;
}

std::vector<std::string> World::findings() {
    auto all = findings_;
    auto judged = judge(rest_, keyring_, ledger_);
    all.insert(all.end(), judged.begin(), judged.end());
    return all;
}

}  // namespace boatswain::model
