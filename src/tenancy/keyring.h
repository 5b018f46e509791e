// The keyring: tenant -> recipients. A directory of public keys:
//
//   TENANT.pub         the tenant's recipients, one a line ('#' starts a comment line)
//   _unassigned.pub    the operator's: for lines that belong to no known tenant, or to one without a key
//   _break-glass.pub   added to every tenant's recipients (optional)
//   TENANT.gone        TENANT.pub was removed on purpose: nothing is remembered of it
//
// Read again when the directory changes. A tenant's file that is gone takes its keys with it, and is remembered as
// removed, over a restart, too, until it is back or TENANT.gone is there: a slip must not make a tenant's lines those
// of somebody without a key (tenancy/policy.h). A file that is there and cannot be understood takes no keys with it: it
// keeps what it said before, over a restart, too (tenancy/last_good.h). Was it never understood, its tenant's lines are
// held (Keys::held): they are not the operator's because somebody mistyped a key. The same goes for a directory that
// cannot be read, for one that holds an identity (tenancy/identity.h), and for everybody while _break-glass.pub is
// broken. All of it is reported.
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
#include "base/time.h"
#include "crypto/recipient.h"
#include "record/source.h"
#include "tenancy/key_file.h"
#include "tenancy/last_good.h"

namespace boatswain::tenancy {

inline constexpr std::size_t key_files_max = 100'000;
inline constexpr std::size_t removed_keys_max = 10'000;  // remembered; of more, the oldest is forgotten, with a word

// What the keyring says at one moment about one tenant (tenancy/policy.h decides with it). No list is longer than
// crypto::recipients_max, and none names a recipient twice.
struct Keys {
    std::vector<crypto::Recipient> tenant;       // break-glass included; empty: no key
    std::vector<crypto::Recipient> operators;    // of _unassigned.pub, break-glass included; empty: no such file
    std::vector<crypto::Recipient> break_glass;  // alone, to go with a key that a container carries
    // Why it is not known for whom to seal, although a file says so: nothing is read. Empty: it is known.
    std::string held;            // of the tenant's lines
    std::string operators_held;  // of what is quarantined
    // The tenant had a key file, and since then it has none. A key that a container carries counts all the same.
    std::optional<Timestamp> removed_since;
};

// Thread-safe.
class Keyring {
  public:
    // `last_good` is a file that keeps what was understood, for the next process; empty: nothing is kept. Another
    // process can write it alone (`keeps` false): then it is read, at the first reload().
    explicit Keyring(Path directory, Path last_good = {}, bool keeps = true)
        : directory_(std::move(directory)), last_good_(std::move(last_good)), keeps_(keeps) {}

    // Reads the directory, and of its files those that changed since the last time (tenancy/key_file.h). The result
    // lists what is wrong with single files ("acme.pub: line 2: not an age recipient: ..."); a directory that cannot be
    // read at all, holds over key_files_max files, or holds an identity, is an error, and the keys stay as they were.
    // `now` is when a file is removed that is not there any more, and what files' times are compared with.
    Result<std::vector<std::string>> reload(Timestamp now = SystemClock{}.now());

    // What is broken as of the last reload(), and what comes of it: sentences, of files at most `most`.
    std::vector<std::string> broken(std::size_t most = key_files_max) const;
    // Whether `problem`, of what reload() returned, is among broken(), too.
    bool is_of_a_broken_file(std::string_view problem) const;

    // Whether the directory differs from what the last reload() saw, by names, times, sizes and inodes (symbolic links
    // followed): one stat a file, nothing is opened. True before the first reload(), and while the directory cannot be
    // read; and once more when the last reload() read a file that had been changed just before.
    bool changed_on_disk(Timestamp now = SystemClock{}.now()) const;

    // The tenant's recipients, break-glass included; empty: no key. For TenantId::unassigned() the operator's.
    std::vector<crypto::Recipient> recipients(const TenantId& tenant) const;

    // All that a decision about this tenant needs, of one moment.
    Keys keys_for(const TenantId& tenant) const;

    // What to do about identities that the last reload() found in the directory, as a sentence; empty: it found none.
    std::string identities() const;

    // Tenants whose key file was removed, and nobody said that it is gone on purpose.
    RemovedKeys removed() const;

    std::vector<std::string> tenants() const;  // those with a key, sorted; without the two reserved names
    const Path& directory() const { return directory_; }
    // Grows by one with each reload() that changed what keys_for() says of somebody.
    std::uint64_t generation() const;

  private:
    using Recipients = std::vector<crypto::Recipient>;
    using Files = KeyFiles;
    using Removed = RemovedKeys;
    using Broken = std::map<std::string, std::string>;  // by name without ".pub": what is wrong

    using Stamp = KeyFileStamp;
    struct Listing {
        std::map<std::string, Stamp> files;   // by file name; "" is the directory itself
        std::map<std::string, Stamp> others;  // that are no public keys by their names
        std::set<std::string> writable;       // by group or others
        bool operator==(const Listing&) const = default;
    };

    Result<Listing> list() const;
    void read_files(const Listing& listing, Timestamp now);
    void note_seen(Listing listing, std::string identities);
    std::vector<std::string> identities_read() const;
    LastGood known_before(std::vector<std::string>& problems);
    Removed removed_now(const LastGood& before, const Files& files, const Broken& broken, const Listing& listing,
                        Timestamp now, std::vector<std::string>& problems) const;
    void keep(const LastGood& known, std::vector<std::string>& problems);
    void take(LastGood known, Broken broken, std::string unreadable);
    std::string held(const std::string& name) const;             // mutex_ is held
    Recipients with_break_glass(const std::string& name) const;  // mutex_ is held

    Path directory_, last_good_;
    const bool keeps_;
    bool loaded_ = false;                  // last_good_ was read; of reload(), like the next two
    std::optional<LastGood> kept_;         // what last_good_ holds, where that is known
    std::map<std::string, KeyFile> read_;  // of the last reload(), by file name; others than *.pub, too
    std::mutex reloading_;                 // one reload at a time; taken before mutex_
    mutable std::mutex mutex_;
    Files files_;
    Removed removed_;
    Broken broken_;
    std::string unreadable_;  // why the directory cannot be read; empty: it can
    std::string identities_;
    std::optional<Listing> seen_;
    std::optional<Timestamp> look_again_;  // files that were changed just before they were read are settled then
    std::uint64_t generation_ = 0;
};

}  // namespace boatswain::tenancy
