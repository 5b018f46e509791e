// Files as the rest of the program uses them: whole, durable, and with errors that name the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain {

using Path = std::filesystem::path;

// An open file descriptor with one owner.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();

    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

// The whole file. Files longer than `bytes_max` are refused (Remedy::quarantine); a missing one is Remedy::re_resolve.
Result<std::string> read_file(const Path& path, std::uint64_t bytes_max);

// Writes `path` so that after a return, and after any crash, it holds either all of `bytes` or what it held before:
// temporary file beside it, fsync, rename, fsync of the directory. A full disk is Remedy::back_off.
Result<void> write_file_durably(const Path& path, std::string_view bytes, unsigned mode = 0644);

// The same, but an existing `path` is left alone: false when it was there already.
Result<bool> create_file_durably(const Path& path, std::string_view bytes, unsigned mode = 0644);

// Gives `file`, whose bytes are on disk, the second name `path` on the same file system, and syncs the directory of
// that name. False when `path` was there already. Another file system, or one without links, is an error like any
// other.
Result<bool> link_file_durably(const Path& file, const Path& path);

// Whether what is created in `directory` gets a group or an access list from it (setgid, POSIX default ACL), which a
// second name of a file made elsewhere would not. When that cannot be found out: true.
bool hands_down_access(const Path& directory);

Result<void> make_directories(const Path& path, unsigned mode = 0755);
Result<void> sync_directory(const Path& path);
Result<void> remove_file(const Path& path);  // a missing file is success

// A file mapped read-only, as long as the object lives. An empty file maps to an empty view.
class MappedFile {
  public:
    static Result<MappedFile> open(const Path& path);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();
    std::string_view bytes() const { return bytes_; }

  private:
    MappedFile() = default;
    std::string_view bytes_;
};

}  // namespace boatswain
