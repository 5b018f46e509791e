// The files of one container's log, as rotation leaves them in its directory:
//
//   ID-json.log        being written
//   ID-json.log.1      the one before; .2 is older, and so on
//   ID-json.log.2.gz   the same, compressed (log option compress=true)
//   ID-json.log-20261129, ID-json.log-20261129.gz
//                      what logrotate makes of the log with `dateext`
//   0.log              a log that containerd or CRI-O writes for a kubelet
//   0.log.20261129-104753, 0.log.20261129-104753.gz
//                      the same, as the kubelet renames and compresses it
//
// Rotation renames and makes a new file; compression replaces a file by its .gz. A file that is held open stays whole
// and readable whatever happens to its name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"

namespace boatswain::intake {

// One open file of the log, plain or compressed; offsets are those of the uncompressed bytes.
class LogFile {
  public:
    virtual ~LogFile() = default;
    // Up to `size` bytes from `offset` on; 0 at the end. Compressed files are read fastest forwards.
    virtual Result<std::size_t> read_at(std::uint64_t offset, char* out, std::size_t size) = 0;
    virtual std::uint64_t device() const = 0;
    virtual std::uint64_t inode() const = 0;
    virtual bool compressed() const = 0;
    // The size now; nothing for a compressed file.
    virtual std::optional<std::uint64_t> size() const = 0;
    // When the file was last written; the epoch when that cannot be said.
    virtual Timestamp modified() const = 0;
    // When the file was made, as its file system says; nothing for a compressed file, which was made from another, and
    // where that is not kept.
    virtual std::optional<Timestamp> made() const = 0;
    // Whether the file still has a name.
    virtual bool linked() const = 0;
};

// Opens by name; ".gz" at the end makes it compressed. A missing file is Remedy::re_resolve. `below`: the directory that
// others may write in, below which no link is followed (base/open_below.h); empty: none is followed in the file's own
// place alone.
Result<std::unique_ptr<LogFile>> open_log_file(const Path& path, const Path& below = {});

// FNV-1a of the file's first line with its newline, or of its first fingerprint_bytes_max bytes when that is shorter;
// never 0. 0 while neither is there. The line ends in a time in nanoseconds, so two files of one log do not share it:
// the whole line counts, because files of one log may well begin with the same long text. A piece of 16 KiB takes at
// most six times that in JSON.
inline constexpr std::size_t fingerprint_bytes_max = 128U << 10;
Result<std::uint64_t> fingerprint_of(LogFile& file);

struct Generation {  // one file of the log as the directory shows it
    Path path;
    unsigned age = 0;  // 0: being written, 1: the one before, ...
    std::string date;  // digits; of a file that is named by it, which has no age
    bool compressed = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const Generation&) const = default;
};

// The log's files, newest first. Where .N and .N.gz are both there (compression under way), the plain one. `below` as
// above.
std::vector<Generation> list_generations(const Path& log_path, const Path& below = {});

}  // namespace boatswain::intake
