// Everything that operations act on: machines, the keyring, the store, the clock.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/directory_for_test.h"
#include "jumping_clock.h"
#include "model/machine.h"
#include "model/operation.h"
#include "store/directory.h"

namespace boatswain::model {

class World {
  public:
    World();
    ~World();

    void apply(const Operation& operation);
    // Everything works again, all is read, sealed and stored, and what was noticed has had its chance to be told.
    void come_to_rest();
    // What did not agree with the plain model so far; after come_to_rest(), what the store shows, too.
    std::vector<std::string> findings();

  private:
    struct Snapshot {
        Path place;
        Memory memory;
        std::map<std::string, std::size_t> lengths;  // of logs
    };

    Machine& machine(const Operation& operation) { return *machines_[operation.a % machines_.size()]; }
    static const std::string& tenant(std::uint32_t number);
    void print(Machine& machine, const std::string& tenant, std::size_t bytes);
    void ship(Machine& machine, Mood mood, unsigned puts);
    void keep_snapshot(Machine& machine);
    void go_back(Machine& machine, std::uint32_t which, bool with_logs);
    void clone(const Machine& machine);
    void forge(Machine& machine, const std::string& tenant, unsigned count, bool garbage);
    void change_key(std::uint32_t a, std::uint32_t b);
    void damage(Machine& machine, std::uint32_t which);
    void mend_damage(const Machine& machine);
    void store_everything(Machine& machine);
    void store_a_line_of_each(Machine& machine);
    void check_epoch(Machine& machine);
    std::string old_epoch(Machine& machine);

    testing::TestDirectory directory_;
    testing::JumpingClock clock_;
    store::DirectoryStore rest_{directory_ / "store"};
    MoodyStore store_{rest_};
    KeyringDirectory keyring_{directory_ / "keyring"};
    Ledger ledger_;
    std::vector<std::string> findings_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::map<const Machine*, std::vector<Snapshot>> snapshots_;
    std::vector<std::pair<std::string, std::string>> damaged_;  // what a file became, and what it was
    bool may_look_ = true;
    std::size_t lines_ = 0, places_ = 0;
};

}  // namespace boatswain::model
