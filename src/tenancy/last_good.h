// What the files of a keyring said when they were last understood, kept in the state directory.
//
// A key file that is broken must not change who reads its tenant's lines: while the agent runs, the recipients of
// before stay in force. This file makes that hold over a restart, too. It names public keys only.
//
//   boatswain keyring 1
//   keyring PATH                     percent-encoded; the memory of another directory is no answer
//   key NAME RECIPIENT RECIPIENT...  NAME.pub, percent-encoded; at least one "age1..."
//   removed NAME NANOSECONDS         NAME.pub was there and is not any more, noticed then (since 1970)
//   end COUNT                        of the lines `key` and `removed`; a file without it was not written whole
//
// Written durably, as a whole, by one process at a time (the state directory's lock).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/recipient.h"

namespace boatswain::tenancy {

inline constexpr std::uint64_t last_good_bytes_max = 160ULL << 20;

using KeyFiles = std::map<std::string, std::vector<crypto::Recipient>>;  // by name without ".pub"
using RemovedKeys = std::map<std::string, Timestamp>;                    // likewise: since when

struct LastGood {
    KeyFiles files;
    RemovedKeys removed;  // no name of these is one of `files`
    bool operator==(const LastGood&) const = default;
};

std::string format_last_good(const Path& keyring, const LastGood& known);
// Nothing for another keyring. Remedy::quarantine says which line is wrong.
Result<LastGood> parse_last_good(std::string_view text, const Path& keyring);

// A file that is not there holds nothing.
Result<LastGood> read_last_good(const Path& file, const Path& keyring);
Result<void> write_last_good(const Path& file, const Path& keyring, const LastGood& known);

}  // namespace boatswain::tenancy
