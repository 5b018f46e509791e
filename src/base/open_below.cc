#include "base/open_below.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace boatswain {

// openat2(RESOLVE_NO_SYMLINKS) would do the same in one call. Kernels before 5.6 do not have it, and older engines'
// filters of system calls refuse it.
Fd open_below(const Path& root, const Path& path, int flags) {
    auto way = path.lexically_relative(root);
    if (way.empty() || way.is_absolute() || std::ranges::find(way, Path{".."}) != way.end()) {
        errno = EINVAL;
        return {};
    }
    Fd directory{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    for (const auto& step : way.parent_path()) {
        if (!directory) return {};
        directory = Fd{::openat(directory.get(), step.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    }
    if (!directory) return {};
    return Fd{::openat(directory.get(), way.filename().c_str(), flags | O_NOFOLLOW | O_CLOEXEC)};
}

}  // namespace boatswain
