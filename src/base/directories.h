// Directories whose names are on disk, whoever made them.
//
// That a directory is there does not say that its name would be there after a power cut: another thread may have made
// it a moment ago, or a process that was killed before it synced the directory above. So what is not known to be
// durable is made so, and remembered by its inode: one that was removed and made again is another.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace boatswain {

// Thread-safe.
class DurableDirectories {
  public:
    static constexpr std::size_t known_max = 10'000;  // then it begins to forget: all of them, and learns again

    // make_directories(), for those who call it often: a directory that is known costs one stat.
    Result<void> make(const Path& path, unsigned mode = 0755);

  private:
    using Inode = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
    bool knows(const Path& path, const Inode& inode);
    void remember(const Path& path);

    std::mutex mutex_;
    std::map<Path, Inode> known_;
};

}  // namespace boatswain
