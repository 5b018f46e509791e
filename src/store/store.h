// Where segments rest. A seam with three implementations: a directory, S3, and a faulty one for tests.
//
// Calls block; each thread that uploads or reads makes its own. Implementations are thread-safe.
// Keys are '/'-separated, already percent-encoded (segment/object_key.h): 1 to 1024 bytes of [A-Za-z0-9._~=%/-], no
// empty part, no part that is "." or "..". Other keys are refused with Remedy::stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"

namespace boatswain::store {

enum class PutOutcome {
    created,
    already_there,  // an object of this key with exactly these bytes was there: a retry whose first answer was lost
    taken,          // something else is there
    unseen,         // something is there, and these credentials may not look at it
};

struct ObjectInfo {
    std::string key;
    std::uint64_t size = 0;
};

struct ListPage {
    std::vector<ObjectInfo> objects;    // in key order
    std::vector<std::string> prefixes;  // common prefixes, with their last '/', when a delimiter was asked for
    std::optional<std::string> next;    // pass it to list() for the next page; nothing after the last
    std::uint64_t foreign = 0;          // names on the page that no key of ours has, and which are left out
    std::string last_foreign;           // the greatest of them, without the store's own prefix
};

// Bytes [first, first + length) of an object; or its last `length` bytes.
struct Range {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    bool suffix = false;
};

struct RangeBytes {
    std::string bytes;              // may be shorter than asked for at the end of the object
    std::uint64_t first = 0;        // where they start in the object
    std::uint64_t object_size = 0;  // of the whole object
};

class Store {
  public:
    virtual ~Store() = default;

    // Stores `bytes` under `key` only if nothing is there. `sha256` is that of bytes (32 raw bytes) and travels as
    // checksum. Remedy::quarantine: this object is refused for what it is (too large, say), and others may not be.
    // A missing bucket, a refused signature: Remedy::stop. No space, 503, no network: Remedy::back_off.
    virtual Result<PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) = 0;

    // put() of bytes that lie in `file` as well: whole, on disk, and never written to again. A store on the same disk
    // need not write them a second time.
    virtual Result<PutOutcome> put_file(std::string_view key, const Path& /*file*/, std::string_view bytes,
                                        std::string_view sha256) {
        return put(key, bytes, sha256);
    }

    // Stores `bytes` under `key` whatever is there: for the few objects that say how something stands now (heartbeats),
    // never for a segment. A reader sees the old object or the new one, whole. `sha256` and errors as of put().
    virtual Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) = 0;

    // A missing object is Remedy::re_resolve.
    virtual Result<RangeBytes> read(std::string_view key, Range range) = 0;
    virtual Result<std::string> read(std::string_view key) = 0;

    // Keys that start with `prefix`, one page. With delimiter '/', what lies deeper is one prefix.
    virtual Result<ListPage> list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) = 0;

    // How many bytes cost about what one more request costs: who wants a few, close to each other, asks for so many.
    virtual std::uint64_t read_ahead_bytes() const { return 4U << 20; }

    // Whether the store can be reached and written to in principle (bucket exists, directory is there): for `check`.
    virtual Result<void> probe() = 0;

    // Why only a new start of this process makes the store usable again; nothing while it may come back by itself.
    virtual std::optional<std::string> lost() const { return std::nullopt; }

    // For people: "dir:/var/lib/boatswain/store", "s3://bucket/prefix". Holds no secret.
    virtual std::string describe() const = 0;
};

// A call that takes long: what it does, why it waits, and for how long by now.
struct Waiting {
    std::string_view doing;
    std::string why;
    std::chrono::milliseconds so_far;
};

struct OpenOptions {
    // Called about once a second while the store does not answer, from the thread that waits. A directory never does.
    std::function<void(const Waiting&)> on_wait{};
    // This process is held to the directories of its start (Landlock): one that is mounted again is another one.
    bool confined = false;
    // Why this process may not start a program that prints credentials; empty: it may.
    std::string no_programs_because{};
};

// Opens "dir:PATH" or "s3://BUCKET[/PREFIX][?endpoint=URL&region=R&path_style=true&profile=P&ca_file=F]". An unknown
// scheme or parameter is an error that names it. A directory store makes its directory on the first put.
Result<std::unique_ptr<Store>> open_store(std::string_view url, const Clock& clock, OpenOptions options = {});

// The same for who only reads: a directory that is not there, or is none, is an error (Remedy::stop) and not an empty
// store.
Result<std::unique_ptr<Store>> open_store_to_read(std::string_view url, const Clock& clock, OpenOptions options = {});

// Calls `each` with every object under `prefix`, page by page, until it returns false.
Result<void> for_each_object(Store& store, std::string_view prefix, const std::function<bool(const ObjectInfo&)>& each);

// Nothing when `key` may name an object, else what is wrong with it.
std::optional<std::string> key_problem(std::string_view key);

}  // namespace boatswain::store
