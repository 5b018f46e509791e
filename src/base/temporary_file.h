// A file that is written under a name of its own, and gets its real name when its bytes are on disk.
#pragma once

#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain {

// Beside `path`, holding all of `bytes`; they are on disk after sync(). Removed when it goes without having been
// renamed.
class TemporaryFile {
  public:
    static Result<TemporaryFile> write(const Path& path, std::string_view bytes, unsigned mode);
    TemporaryFile(TemporaryFile&&) noexcept;
    TemporaryFile& operator=(TemporaryFile&&) = delete;
    ~TemporaryFile();

    // Asks the disk to begin with the bytes, and does not wait: so that sync() of many files waits once, not for each.
    void start_sync() const;
    Result<void> sync();                       // closes it, too
    Result<void> rename_to(const Path& path);  // replaces what is there
    // link(2), unlike rename(2), refuses to replace: two writers of one name cannot both win. False: it was there.
    Result<bool> link_to(const Path& path) const;

  private:
    TemporaryFile(Path name, Fd file) : name_(std::move(name)), file_(std::move(file)) {}
    Path name_;  // empty: it has its real name
    Fd file_;
};

}  // namespace boatswain
