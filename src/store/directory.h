// A store in a directory: each key is a file below it, each '/' of a key a directory.
//
// Invariants
//   - A file that carries a key's name is whole, and only replace() puts another one in its place: objects are written
//     beside it under a temporary name (".NAME.tmp.PID.N"), synced and then linked in place, which fails when the name
//     is taken; or the caller's own synced file is linked in place (docs/decisions/0020-second-names.md).
//   - put() returns after the file's bytes, its name and the directories above it are on disk, whoever made those.
//   - A process that is confined to the directory notices when another one is mounted in its place, and says so: our
//     own sandbox keeps us out of it, and only a new start helps.
//   - Whatever else lies in the directory (temporary files, symbolic links, names that no key has) is not seen.
//   - A part of a key longer than a file name may be is folded into nested directories: all but the last piece end with
//     '+', all but the first start with '+'. No key holds a '+', so folding is never mistaken for a name.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "base/directories.h"
#include "base/file.h"
#include "store/store.h"

namespace boatswain::store {

class DirectoryStore final : public Store {
  public:
    static constexpr std::size_t page_max = 1000;                    // objects and prefixes of one page of list()
    static constexpr std::uint64_t object_bytes_max = 256ULL << 20;  // of an object that read() reads whole
    static constexpr std::size_t name_bytes_max = 200;               // of a piece of a key's part; file names hold 255
    static constexpr unsigned directory_mode = 0750;
    static constexpr unsigned file_mode = 0640;

    // `root` need not exist: the first put makes it. `confined`: as OpenOptions has it; then it is to be there.
    explicit DirectoryStore(const Path& root, bool confined = false);

    Result<PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    // Gives the file a second name instead of writing its bytes again, where that name would be the very file that
    // put() makes: same file system, owner, group and mode, and no directory that gives its files another group or an
    // access list. Elsewhere it is put().
    Result<PutOutcome> put_file(std::string_view key, const Path& file, std::string_view bytes,
                                std::string_view sha256) override;
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<RangeBytes> read(std::string_view key, Range range) override;
    Result<std::string> read(std::string_view key) override;
    Result<ListPage> list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) override;
    Result<void> probe() override;
    std::optional<std::string> lost() const override;
    std::uint64_t read_ahead_bytes() const override { return 64U << 10; }
    std::string describe() const override { return "dir:" + root_.string(); }

  private:
    Result<Path> path_of(std::string_view key) const;
    Result<PutOutcome> outcome_of(Result<bool> created, const Path& path, std::string_view key, std::string_view bytes);
    Result<PutOutcome> compare(const Path& path, std::string_view key, std::string_view bytes) const;

    // Which directory it is, whatever its name.
    struct Identity {
        dev_t device{};
        ino_t number{};
        bool operator==(const Identity&) const = default;
    };
    static std::optional<Identity> identity_of(const Path& directory);
    Error for_put(Error error);

    Path root_;
    DurableDirectories directories_;
    std::optional<Identity> at_start_;  // of root_, where we are confined to it
    std::atomic<bool> lost_ = false;    // as the last put or replacement saw it
};

}  // namespace boatswain::store
