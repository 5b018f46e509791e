// The plain model: which lines were printed, how far each state directory covers them, what waits in its spool, what
// the store must hold, and who may read it. Values alone; nothing here knows of files, keys or threads.
//
// The promise, as the model has it
//   - A copy is one line as one agent sealed it, for the keys that were in force when it was read. What a spool holds
//     is a set of copies, and so is what the store holds: putting one twice is putting it once.
//   - A state directory that goes back (restored, or copied with its machine) takes what it knew with it. A line that
//     it does not know as sealed is sealed again: that is a second copy, under another object, and the tenant is told.
//   - A copy in a spool that is thrown away (its directory was overwritten by a snapshot) may be in the store or not.
//     Every other copy is in the store in the end, exactly once, and opens with exactly its keys.
//   - So with no state that goes back, every line is in the store exactly once.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"

namespace boatswain::model {

using CopyId = std::size_t;
using KeyId = std::size_t;
using Keys = std::set<KeyId>;

inline const std::string operators_name = "_unassigned";

struct Printed {
    std::string id;  // no other line has it
    std::string text;
    Timestamp time{};
};

// For whom a line is sealed.
struct Whose {
    std::string tenant;  // a tenant, or operators_name
    Keys keys;
    bool operator==(const Whose&) const = default;
};

struct Copy {
    std::string line;  // its id
    Whose whose;
};

// A line that was read and may not be sealed yet.
struct Pending {
    std::size_t index = 0;  // in its log
    CopyId copy = 0;
};

// What the model knows of a state directory; copied with it.
struct Memory {
    std::map<std::string, std::size_t> sealed;  // by log: lines that are
    std::map<std::string, std::vector<Pending>> pending;
    std::set<CopyId> spooled;                // that the store may not have yet
    std::map<std::string, Keys> understood;  // by key file: what it said last
    std::set<std::string> removed;           // key files that were there
};

// A key file of the keyring. `gone` says that it is absent on purpose.
struct KeyFile {
    enum class State { absent, gone, broken, good } state = State::absent;
    Keys keys;
};
using KeyFiles = std::map<std::string, KeyFile>;

// The recipients that file `name` stands for; nothing: it is there, and nobody knows what it says.
inline std::optional<Keys> keys_of(const KeyFiles& files, const Memory& memory, const std::string& name) {
    auto file = files.find(name);
    if (file == files.end() || file->second.state == KeyFile::State::absent ||
        file->second.state == KeyFile::State::gone)
        return Keys{};
    if (file->second.state == KeyFile::State::good) return file->second.keys;
    auto understood = memory.understood.find(name);
    return understood == memory.understood.end() ? std::nullopt : std::optional{understood->second};
}

// For whom the lines of a tenant are sealed; nothing: reading of them does not begin, and stops when the tenant had a
// key file that was removed.
struct Decision {
    std::optional<Whose> whose;
    bool stops = false;
};

inline Decision decide(const KeyFiles& files, const Memory& memory, const std::string& tenant) {
    auto own = keys_of(files, memory, tenant);
    if (!own) return {};
    if (!own->empty()) return {.whose = Whose{tenant, *own}};
    if (memory.removed.contains(tenant)) return {.stops = true};
    auto operators = keys_of(files, memory, operators_name);
    if (!operators || operators->empty()) return {};
    return {.whose = Whose{operators_name, *operators}};
}

inline void reload(const KeyFiles& files, Memory& memory) {
    for (const auto& [name, file] : files) {
        switch (file.state) {
            case KeyFile::State::broken: continue;
            case KeyFile::State::good: memory.understood[name] = file.keys; break;
            case KeyFile::State::gone: memory.understood.erase(name); break;
            case KeyFile::State::absent:
                if (memory.understood.erase(name) > 0 && name != operators_name) memory.removed.insert(name);
                continue;
        }
        memory.removed.erase(name);
    }
}

// All that happened, over all machines.
struct Ledger {
    std::vector<Copy> copies;
    std::set<CopyId> stored;       // are in the store
    std::set<CopyId> perhaps;      // may be: their spool is gone
    std::set<std::string> forged;  // objects of somebody else: SHA-256
    bool garbage = false;          // some of them are no segments
    bool went_back = false;        // a state is not the newest of its machine, or there are two of it
    bool cloned = false;
    bool was_write_only = false;
    bool clock_went_back = false;
};

}  // namespace boatswain::model
