#include "model/judge.h"

#include <algorithm>
#include <map>
#include <span>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "open/chain.h"
#include "query/merge.h"
#include "query/verify.h"
#include "segment/object_key.h"

namespace boatswain::model {
namespace {

// Every entry that identities open, as `boatswain logs` would show it.
struct Shown {
    std::map<std::pair<std::string, std::string>, std::size_t> lines;  // by tenant and id: how often
    std::set<std::string> told;                                        // tenants with a record that a key was taken
    std::vector<std::string> damaged;
};

Shown shown(store::Store& store, std::span<const open::Identity> identities) {
    Shown shown;
    struct Listener final : query::Observer {
        explicit Listener(Shown& s) : to(s) {}
        void damaged(const Error& error) override { to.damaged.push_back(error.what); }
        Shown& to;
    } listener{shown};
    query::Budget budget;
    auto read = query::read_lines(store, identities, {}, {.budget = budget}, listener, [&](const query::Entry& entry) {
        auto tenant = entry.segment.tenant.str();
        if (entry.text.kind == open::TextEntry::Kind::gap) {
            if (entry.text.gap.reason == gap_key_taken) shown.told.insert(tenant);
        } else if (entry.text.kind == open::TextEntry::Kind::line) {
            auto text = entry.text.line.bytes;
            ++shown.lines[{tenant, std::string{text.substr(0, text.find(' '))}}];
        }
        return true;
    });
    if (!read) shown.damaged.push_back("not read: " + read.error().what);
    return shown;
}

// An object as it lies in the store.
struct Object {
    std::string key;
    std::string sha256;  // hex
    bool second_form = false;
    bool forged = false;
    std::optional<std::string> previous;
};

using Numbers = std::map<std::uint64_t, std::vector<Object>>;
struct ChainName {
    std::string tenant, epoch;
    auto operator<=>(const ChainName&) const = default;
};
using Chains = std::map<ChainName, Numbers>;

Chains chains_in(store::Store& store, const Ledger& ledger, std::vector<std::string>& findings) {
    Chains chains;
    std::vector<std::string> keys;
    auto listed =
        store::for_each_object(store, "", [&](const auto& object) { return keys.push_back(object.key), true; });
    if (!listed) findings.push_back("store not listed: " + listed.error().what);
    for (const auto& name : keys) {
        auto key = segment::parse_object_key(name);
        auto bytes = store.read(name);
        if (!key || !bytes) {
            findings.push_back("no object of ours: " + name);
            continue;
        }
        auto chain = open::chain_in(*bytes);
        Object object{.key = name, .sha256 = to_hex(crypto::sha256(*bytes)), .second_form = !key->hash.empty()};
        if (chain && *chain) object.previous = (*chain)->previous_sha256;
        object.forged = ledger.forged.contains(object.sha256);
        chains[{key->tenant.str(), key->epoch}][key->sequence].push_back(std::move(object));
    }
    return chains;
}

class Judge {
  public:
    Judge(store::Store& store, const KeyringDirectory& keyring, const Ledger& ledger)
        : store_(store), keyring_(keyring), ledger_(ledger) {}

    std::vector<std::string> run() {
        all_ = shown(store_, keyring_.identities());
        if (!ledger_.garbage)
            for (const auto& damage : all_.damaged) find("damaged: " + damage);
        chains_ = chains_in(store_, ledger_, findings_);
        query::Budget budget;
        auto verified =
            query::verify_store(store_, keyring_.identities(), {}, budget, [](std::uint64_t, std::uint64_t) {});
        if (!verified) return find("not verified: " + verified.error().what), findings_;
        verification_ = std::move(*verified);
        count_copies();
        judge_each_key();
        judge_chains();
        judge_verify();
        judge_repeats();
        return findings_;
    }

  private:
    struct Bounds {
        std::size_t least = 0, most = 0;
    };
    using Counts = std::map<std::pair<std::string, std::string>, Bounds>;  // by tenant and line

    Counts counts_for(std::optional<KeyId> key) const {
        Counts counts;
        auto take = [&](CopyId id, bool sure) {
            const auto& copy = ledger_.copies[id];
            if (key && !copy.whose.keys.contains(*key)) return;
            auto& bounds = counts[{copy.whose.tenant, copy.line}];
            bounds.least += sure ? 1 : 0;
            ++bounds.most;
        };
        for (auto id : ledger_.stored) take(id, true);
        for (auto id : ledger_.perhaps)
            if (!ledger_.stored.contains(id)) take(id, false);
        return counts;
    }

    void compare(const Shown& shown, const Counts& counts, const std::string& with) {
        for (const auto& [line, bounds] : counts) {
            auto there = shown.lines.find(line);
            auto times = there == shown.lines.end() ? 0 : there->second;
            if (times >= bounds.least && times <= bounds.most) continue;
            find("line " + line.second + " of " + line.first + " is shown " + std::to_string(times) + " times " + with +
                 ", and must be " + std::to_string(bounds.least) +
                 (bounds.most > bounds.least ? " to " + std::to_string(bounds.most) : ""));
        }
        for (const auto& [line, times] : shown.lines)
            if (!line.second.starts_with("FORGED") && !counts.contains(line))
                find("line " + line.second + " of " + line.first + " is shown " + with + ", and must not be");
    }

    void count_copies() {
        counts_ = counts_for(std::nullopt);
        compare(all_, counts_, "with all keys");
    }
    void judge_each_key() {
        for (KeyId key = 0; key < keyring_.identities().size(); ++key)
            compare(shown(store_, std::span{&keyring_.identities()[key], 1}), counts_for(key),
                    "with key " + std::to_string(key));
    }

    static bool is_forged(const Numbers& numbers) {
        return std::ranges::any_of(
            numbers, [](const auto& number) { return std::ranges::any_of(number.second, &Object::forged); });
    }
    static bool has_two(const std::vector<Object>& objects) {
        return std::ranges::any_of(objects, [&](const auto& one) { return one.sha256 != objects.front().sha256; });
    }

    // Every number of a chain is there, from the first to the last, and each object names one of the number before.
    void judge_chains() {
        for (const auto& [name, numbers] : chains_) {
            if (is_forged(numbers)) continue;
            auto chain = name.tenant + " in epoch " + name.epoch;
            bool holes = numbers.rbegin()->first - numbers.begin()->first + 1 != numbers.size();
            // A spool that was thrown away takes with it what stood aside in front of what was stored.
            if (ledger_.perhaps.empty()) {
                if (holes) find(chain + " has a hole");
                if (numbers.begin()->first != 1)
                    find(chain + " begins with number " + std::to_string(numbers.begin()->first));
            }
            for (const auto& [number, objects] : numbers) {
                if (!ledger_.went_back && has_two(objects))
                    find(chain + " has two objects of number " + std::to_string(number));
                auto before = numbers.find(number - 1);
                for (const auto& object : objects) {
                    bool fits = number == 1               ? object.previous == ""
                                : before == numbers.end() ? holes
                                                          : std::ranges::any_of(before->second, [&](const Object& one) {
                                                                return object.previous == one.sha256;
                                                            });
                    if (!fits && !ledger_.went_back) find(object.key + " does not name the object before it");
                }
            }
        }
    }

    void judge_verify() {
        std::map<ChainName, query::ChainReport> reports;
        for (const auto& report : verification_.chains) reports[{report.id.tenant.str(), report.id.epoch}] = report;
        std::size_t missing = 0, twice = 0;
        for (const auto& [name, numbers] : chains_) {
            auto chain = name.tenant + " in epoch " + name.epoch;
            bool holes = numbers.rbegin()->first - numbers.begin()->first + 1 != numbers.size();
            bool two = std::ranges::any_of(numbers, [](const auto& number) { return has_two(number.second); });
            missing += holes ? 1 : 0;
            twice += two ? 1 : 0;
            const auto& report = reports[name];
            if ((holes || two) && report.problems == 0) find("verify finds nothing wrong with " + chain);
            if (!holes && !two && !is_forged(numbers) && report.problems > 0)
                find("verify finds something wrong with " + chain + ", which is whole: " + problems_of(name.tenant));
        }
        auto found = [&](query::Fault fault) { return verification_.findings.faults[static_cast<std::size_t>(fault)]; };
        if ((missing > 0) != (found(query::Fault::missing) > 0)) find("verify says of missing ones another thing");
        bool named = found(query::Fault::conflict) + found(query::Fault::repeated) > 0;
        if ((twice > 0) != named) find("verify says another thing of numbers that are there twice");
        bool harmless = ledger_.forged.empty() && !ledger_.went_back;
        if (harmless && !verification_.proven()) find("verify does not prove the store: " + problems_of(""));
        if (harmless && !all_.told.empty() && !ledger_.was_write_only) find("a tenant is told of a taken key");
    }

    // What is there more often than once is named: by a record in the tenant's log, or by verify.
    void judge_repeats() {
        for (const auto& [line, times] : all_.lines) {
            if (times < 2 || line.second.starts_with("FORGED")) continue;
            if (!ledger_.went_back) find("line " + line.second + " is there twice, and no state went back");
            if (!all_.told.contains(line.first) && problems_of(line.first).empty() && !ledger_.cloned)
                find("line " + line.second + " of " + line.first + " is there " + std::to_string(times) +
                     " times, and nothing names it");
        }
    }

    std::string problems_of(const std::string& tenant) const {
        std::string all;
        for (const auto& problem : verification_.findings.problems)
            if (tenant.empty() || problem.what.contains("tenant \"" + tenant + "\"") ||
                problem.what.contains("tenant=" + tenant + "/"))
                all += (all.empty() ? "" : "; ") + std::string{query::to_string(problem.fault)} + ": " + problem.what;
        return all;
    }

    void find(const std::string& what) { findings_.push_back(what); }

    store::Store& store_;
    const KeyringDirectory& keyring_;
    const Ledger& ledger_;
    std::vector<std::string> findings_;
    Shown all_;
    Counts counts_;
    Chains chains_;
    query::Verification verification_;
};

}  // namespace

std::vector<std::string> judge(store::Store& store, const KeyringDirectory& keyring, const Ledger& ledger) {
    return Judge{store, keyring, ledger}.run();
}

}  // namespace boatswain::model
