// How FIFOs come to be known: from the engine, and from a holder before this one.
#include <algorithm>
#include <set>
#include <vector>

#include "intake/driver/held.h"

namespace boatswain::intake::driver {

void Holding::open_table() {
    auto table = FifoTable::open(options_.hold_dir);
    if (table)
        table_ = std::move(*table);
    else
        log_.error("no memory for the table of FIFOs: should this process end, containers without a hold wait",
                   {{"error", table.error()}});
}

Result<void> Holding::prepare(HoldLock lock) {
    lock_ = std::move(lock);
    open_table();
    TRY(transfer_, Transfer::make());
    return {};
}

Result<void> Holding::take_directory_again() {
    TRY(lock_, HoldLock::take(options_.hold_dir));
    open_table();
    return {};
}

std::string Holding::share_of(const HoldName& name) const {
    auto text = read_file(description_of(name), description_bytes_max);
    auto request = text ? parse_description(*text) : Result<StartRequest>{std::unexpected(text.error())};
    return request ? share_for_(request->facts).value_or(std::string{}) : std::string{};
}

// Until it is known, the container shares with all that are nobody's.
void Holding::learn_share(Held& held) {
    if (held.share_known || !held.request) return;
    auto share = share_for_(held.request->facts);
    if (!share) return;
    held.share_known = true;
    held.share = std::move(*share);
    room_.move(held.name.container, held.share);
}

void Holding::resume_hold(const HoldName& name, const std::map<HoldName, Path>& fifos) {
    auto text = read_file(description_of(name), description_bytes_max);
    auto request = text ? parse_description(*text) : Result<StartRequest>{std::unexpected(text.error())};
    auto hold = Hold::open(path_of(name));
    if (hold && hold->ended()) return;
    auto noted = fifos.find(name);
    if (!request || !hold)
        log_.error("hold not whole; its FIFO is read on",
                   {{"hold", name.str()}, {"error", hold ? request.error() : hold.error()}});
    auto path = request ? request->fifo : noted != fifos.end() ? noted->second : Path{};
    if (path.empty()) {
        log_.error("hold without a FIFO: should its container run, it waits until it starts again",
                   {{"hold", name.str()}});
        if (hold) hold->end();
        return;
    }
    auto held = std::make_shared<Held>();
    held->path = path;
    held->name = name;
    held->described = request.has_value();
    held->resumed = held->unsettled = true;
    if (request) held->request = std::move(*request);
    learn_share(*held);
    if (hold) {
        held->hold = std::move(*hold);
    } else {
        // No reader could make anything of it.
        abandon_hold(*held, 1);
        if (hold.error().remedy == Remedy::quarantine) (void)remove_file(path_of(name));
    }
    if (auto before = held_.find(path); before != held_.end()) {
        // A kill came between two holds of one FIFO.
        if (before->second->hold) before->second->hold->end();
        held_.erase(before);
    }
    held_[path] = std::move(held);
}

// It had no hold, or that one ended and the FIFO did not.
std::shared_ptr<Holding::Held> Holding::resume_without_hold(const FifoTable::Entry& entry) {
    auto held = std::make_shared<Held>();
    held->path = entry.fifo;
    held->name = entry.name;
    held->gap = entry.gap;
    if (entry.gap.lines_min + entry.gap.bytes_min > 0) held->gap.reason = gap_driver_overflow;
    held->resumed = true;
    auto text = read_file(description_of(entry.name), description_bytes_max);
    auto request = text ? parse_description(*text) : Result<StartRequest>{std::unexpected(text.error())};
    if (!request) return held;
    held->described = !std::filesystem::exists(path_of(entry.name));
    held->request = std::move(*request);
    learn_share(*held);
    return held;
}

void Holding::resume_all() {
    look();
    std::map<HoldName, Path> fifos;
    auto entries = table_ ? table_->entries() : std::vector<std::pair<std::size_t, FifoTable::Entry>>{};
    for (const auto& [slot, entry] : entries) fifos[entry.name] = entry.fifo;
    std::vector<HoldName> names;
    room_.for_each([&](const HoldName& name) {
        if (std::filesystem::exists(path_of(name))) names.push_back(name);
    });
    for (const auto& name : names) resume_hold(name, fifos);
    for (auto& [slot, entry] : entries) {
        auto& held = held_[entry.fifo];
        if (!held) held = resume_without_hold(entry);
        if (held->slot)
            table_->remove(slot);
        else
            held->slot = slot;
    }
    std::vector<std::shared_ptr<Held>> all;
    for (auto& [path, held] : held_) all.push_back(held);
    for (auto& held : all) {
        // Of two runs of one container only the last can still be written.
        held->superseded = std::ranges::any_of(all, [&](const auto& other) {
            return other->name.container == held->name.container && other->name.number > held->name.number;
        });
        spawn(held);
    }
    // Of a start that was cut short.
    std::set<HoldName> wanted{names.begin(), names.end()};
    for (const auto& held : all) wanted.insert(held->name);
    room_.for_each([&](const HoldName& name) {
        if (!wanted.contains(name)) (void)remove_file(description_of(name));
    });
    if (!names.empty()) log_.info("holds resumed", {{"holds", names.size()}, {"fifos", held_.size()}});
}

void Holding::spawn(std::shared_ptr<Held> held) {
    held_[held->path] = held;
    if (!held->slot && table_) {
        held->slot = table_->add({.name = held->name, .fifo = held->path, .gap = held->gap});
    }
    recent_.set_running(held->name.container, true);
    auto title = "drain " + held->name.str();
    tasks_.spawn(std::move(title), drain(std::move(held)));
}

void Holding::supersede_others(const Held& fresh, Gap& gap) {
    for (auto held = held_.begin(); held != held_.end();) {
        auto& other = *held->second;
        auto next = std::next(held);
        if (other.name.container == fresh.name.container && &other != &fresh) {
            if (other.over) {
                // What it owes, the new run will say.
                join(gap, other.gap);
                other.abandoned = true;
                held_.erase(held);
            } else {
                other.superseded = true;
                other.wake();
            }
        }
        held = next;
    }
}

Result<void> Holding::take_in(StartRequest request) {
    // The engine asks again when an answer was lost.
    if (held_.contains(request.fifo)) return {};
    if (held_.size() >= fifos_max && !retire_one())
        return fail(Remedy::back_off, "no more than " + std::to_string(fifos_max) + " containers at a time");
    TRY(auto fifo, Fifo::open(request.fifo, false));
    auto held = std::make_shared<Held>();
    held->path = request.fifo;
    held->name.container = request.facts.id;
    held->request = std::move(request);
    learn_share(*held);
    attach(*held, std::move(fifo));
    supersede_others(*held, held->gap);
    if (!begin_hold(*held))
        log_.warning("no room for a hold: lines are dropped unless there is room in time",
                     {{"container", held->name.container.substr(0, 12)}, {"all_bytes", room_.total()}});
    log_.debug("container taken in", {{"container", held->name.container}, {"hold", held->name.str()}});
    spawn(std::move(held));
    return {};
}

}  // namespace boatswain::intake::driver
