// A machine: the logs of its containers, a state directory, and an agent on it, which is everything from the feed to
// the store as the daemon has it. Beside each real step stands what the plain model says of it; what does not agree is
// a finding.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/batcher.h"
#include "model/keyring_directory.h"
#include "model/moody_store.h"
#include "model/plain.h"
#include "ship/shipper.h"
#include "tenancy/keyring.h"

namespace boatswain::model {

using Logs = std::map<std::string, std::vector<Printed>>;  // by tenant: one container each

inline constexpr const char* host_name = "node-7";  // of all machines: they are copies of one
// So small that it fills: a hundred segments of a line, or one of many lines.
inline constexpr std::uint64_t spool_bytes_max = 96U << 10;
inline constexpr std::uint64_t spool_aside_max = 16U << 10;

struct Surroundings {
    const Clock& clock;
    MoodyStore& store;
    const KeyringDirectory& keyring;
    Ledger& ledger;
    std::vector<std::string>& findings;
};

class Machine {
  public:
    // With a state directory at `directory`, empty or not; `memory` is what the model knows of it.
    Machine(std::string name, Path directory, Logs logs, Memory memory, Surroundings around);
    Machine(const Machine&) = delete;
    ~Machine();

    const std::string& name() const { return name_; }
    Path state() const { return directory_ / "state"; }
    const Logs& logs() const { return logs_; }
    const Memory& memory() const { return memory_; }
    spool::Spool& spool() { return *spool_; }

    void print(const std::string& tenant, Printed line) { logs_[tenant].push_back(std::move(line)); }
    void reload_keys();
    void read();  // what is printed and has room
    void seal();  // all of it, and what was read before
    void ship();  // until nothing waits but what stands aside
    // Until the store's mood has changed, at most for a moment. The shipper may be anywhere then.
    void ship_until(Mood mood);
    void restart();  // as after kill -9: what is not durable is gone
    // The disk takes no segment while what is read is sealed, and what `prints` prints after it, in pieces. Then the
    // agent is killed, or the disk is well again.
    void seal_on_sick_disk(bool killed, const std::function<void()>& prints);
    void forget_logs_behind(const std::map<std::string, std::size_t>& lengths);
    // Stopped; whoever changes the state directory starts it again. The second form: with what the model knows now.
    void stop();
    void start();
    void start(Memory memory);
    bool has_unread() const;

  private:
    void start_shipper();
    void assign(const std::string& tenant);
    void take_what_is_durable();
    void look_what_is_stored();
    std::unique_ptr<batch::Feed> open_feed(const std::string& tenant, const Whose& whose, const Checkpoint& from);
    void find(const std::string& what) { around_.findings.push_back(name_ + ": " + what); }

    struct Reading {
        std::unique_ptr<batch::Feed> feed;
        std::optional<Whose> whose;  // of the feed
        bool stopped = false;        // its key file was removed
        std::size_t read = 0;        // lines
    };

    std::string name_;
    Path directory_;
    Logs logs_;
    Memory memory_;
    Surroundings around_;

    Log log_{around_.clock, -1, LogFormat::text, LogLevel::error};
    std::optional<Metrics> metrics_;
    std::optional<batch::MemoryBudget> budget_;
    std::optional<tenancy::Keyring> keyring_;
    std::unique_ptr<spool::Spool> spool_;
    std::optional<batch::Sealing> sealing_;
    std::optional<batch::Batcher> batcher_;
    std::optional<ship::Shipper> shipper_;
    std::map<std::string, Reading> reading_;  // by tenant
};

}  // namespace boatswain::model
