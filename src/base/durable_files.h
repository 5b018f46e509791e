// Many files of one directory at once, for little more than the syncs of one.
#pragma once

#include <span>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain {

struct DurableFile {
    Path path;
    std::string_view bytes;
};

// As write_file_durably(), for `files` of one directory: all are written before the first is synced, and the directory
// is synced once. After an error or a crash each of them is there whole or not at all, and some may be there.
Result<void> write_files_durably(std::span<const DurableFile> files, unsigned mode = 0644);

// Of so many files at a time the descriptors are open; fewer where the process may not have so many.
inline constexpr std::size_t files_open_max = 64;

}  // namespace boatswain
