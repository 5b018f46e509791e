// One file of a keyring: opened once and read once, for both questions that are asked of it. Is it an identity
// (tenancy/identity.h)? Which recipients does it name?
//
// With thousands of files the answer is kept as long as the file stays what it is. Its stamp tells that: device, inode,
// times and size. A file that is changed twice within the grain of its file system's clock can have one stamp for two
// texts, so a stamp counts only if the file had been left alone for `settled_after` when it was looked at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/time.h"
#include "crypto/recipient.h"

struct stat;

namespace boatswain::tenancy {

inline constexpr std::string_view key_file_suffix = ".pub";
inline constexpr std::string_view break_glass_name = "_break-glass";
inline constexpr std::size_t key_file_bytes_max = 64 << 10;
inline constexpr Nanoseconds settled_after = std::chrono::seconds{2};

bool is_reserved_key_name(std::string_view name);  // of a file without ".pub" that is no tenant's

struct KeyFileStamp {
    std::int64_t changed_ns = 0;
    std::int64_t status_changed_ns = 0;  // a file that we were not allowed to read, and are now
    std::uint64_t bytes = 0;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;  // 0: it could not be looked at
    bool regular = false;
    bool operator==(const KeyFileStamp&) const = default;

    static KeyFileStamp of(const struct stat& found);
    // From when on a change gives another stamp for sure.
    Timestamp settled_at() const;
};

struct KeyFile {
    KeyFileStamp stamp;
    bool read = false;   // the rest comes from the file's bytes
    bool lasts = false;  // and holds as long as the stamp does
    bool identity = false;
    std::vector<crypto::Recipient> recipients;  // none twice, at most crypto::recipients_max
    std::string trouble;                        // why it names none; empty: it does. For people
};

// Opens and reads files, and remembers nothing of them. Belongs to one thread.
class KeyFileReader {
  public:
    KeyFileReader() : buffer_(key_file_bytes_max + 1, '\0') {}
    // `stamp` was taken before, at `now` or later. A file that is not named TENANT.pub is only asked whether it is an
    // identity; its trouble means nothing. What is no regular file is not opened.
    KeyFile read(const Path& directory, const std::string& name, const KeyFileStamp& stamp, Timestamp now);

  private:
    Result<std::string_view> text_of(const Path& file);  // its start, up to one byte over key_file_bytes_max

    std::string buffer_;
};

}  // namespace boatswain::tenancy
