// The keyring: tenant -> recipients. A directory of public keys:
//
//   TENANT.pub         the tenant's recipients, one a line ('#' starts a comment line)
//   _unassigned.pub    the operator's: for lines that belong to no known tenant, or to one without a key
//   _break-glass.pub   added to every tenant's recipients (optional)
//
// Read again when the directory changes. A file that cannot be understood keeps what it said before, if it was read
// before; else its tenant has no key. Either way it is reported, never guessed at. A file that is gone takes its keys
// with it.
//
// Whoever can write to this directory decides who can read what is sealed from then on, so files and directory that
// group or others may write to are reported too. Replace a file by rename: a half-written one may hold fewer
// recipients.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "record/source.h"
#include "segment/recipient.h"

namespace boatswain::tenancy {

inline constexpr std::string_view break_glass_name = "_break-glass";
inline constexpr std::size_t key_file_bytes_max = 64 << 10;
inline constexpr std::size_t key_files_max = 100'000;

// What the keyring says at one moment about one tenant (tenancy/policy.h decides with it). No list is longer than
// segment::recipients_max, and none names a recipient twice.
struct Keys {
    std::vector<segment::Recipient> tenant;       // break-glass included; empty: no key
    std::vector<segment::Recipient> operators;    // of _unassigned.pub, break-glass included; empty: no such file
    std::vector<segment::Recipient> break_glass;  // alone, to go with a key that a container carries
};

// Thread-safe.
class Keyring {
  public:
    explicit Keyring(Path directory) : directory_(std::move(directory)) {}

    // Reads the directory. The result lists what is wrong with single files ("acme.pub: line 2: not an age recipient:
    // ..."); a directory that cannot be read at all, or holds over key_files_max keys, is an error, and the keys stay
    // as they were.
    Result<std::vector<std::string>> reload();

    // Whether the directory differs from what the last reload() saw, by names, times, sizes and inodes (symbolic links
    // followed): one stat a file, nothing is opened. True before the first reload(), and while the directory cannot be
    // read.
    bool changed_on_disk() const;

    // The tenant's recipients, break-glass included; empty: no key. For TenantId::unassigned() the operator's.
    std::vector<segment::Recipient> recipients(const TenantId& tenant) const;

    // All that a decision about this tenant needs, of one moment.
    Keys keys_for(const TenantId& tenant) const;

    std::vector<std::string> tenants() const;  // those with a key, sorted; without the two reserved names
    const Path& directory() const { return directory_; }
    // Grows by one with each reload() that changed something.
    std::uint64_t generation() const;

  private:
    using Recipients = std::vector<segment::Recipient>;
    using Files = std::map<std::string, Recipients>;  // by name without ".pub", as the files say it

    struct Stamp {
        std::int64_t changed_ns = 0;
        std::uint64_t bytes = 0;
        std::uint64_t inode = 0;
        bool regular = false;
        bool operator==(const Stamp&) const = default;
    };
    struct Listing {
        std::map<std::string, Stamp> files;  // by file name; "" is the directory itself
        std::set<std::string> writable;      // by group or others
        bool operator==(const Listing&) const = default;
    };

    Result<Listing> list() const;
    Result<Recipients> read(const std::string& name, const Stamp& stamp) const;
    Recipients with_break_glass(const std::string& name) const;  // guard_ is held

    Path directory_;
    std::mutex reloading_;  // one reload at a time; taken before guard_
    mutable std::mutex guard_;
    Files files_;
    std::optional<Listing> seen_;
    std::uint64_t generation_ = 0;
};

}  // namespace boatswain::tenancy
