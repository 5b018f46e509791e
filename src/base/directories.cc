#include "base/directories.h"

#include <sys/stat.h>

#include <cerrno>

namespace boatswain {
namespace {

std::unexpected<Error> not_made(const Path& path, int error_number) {
    auto remedy = error_number == ENOENT || error_number == ENOTDIR ? Remedy::re_resolve
                  : error_number == ENOSPC || error_number == EDQUOT || error_number == EIO || error_number == EMFILE ||
                          error_number == ENFILE
                      ? Remedy::back_off
                      : Remedy::stop;
    return fail_errno(remedy, "make directory " + path.string(), error_number);
}

// Directories far above ours may be closed to us, or on a file system that keeps nothing: what we cannot sync there was
// not made by us.
bool is_beyond_us(const Error& error) {
    return error.cause == std::errc::permission_denied || error.cause == std::errc::read_only_file_system ||
           error.cause == std::errc::invalid_argument || error.cause == std::errc::operation_not_permitted;
}

}  // namespace

bool DurableDirectories::knows(const Path& path, const Inode& inode) {
    std::scoped_lock lock{mutex_};
    auto known = known_.find(path);
    return known != known_.end() && known->second == inode;
}

void DurableDirectories::remember(const Path& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return;
    std::scoped_lock lock{mutex_};
    if (known_.size() >= known_max) known_.clear();
    known_[path] = {found.st_dev, found.st_ino};
}

Result<void> DurableDirectories::make(const Path& path, unsigned mode) {
    struct stat found{};
    bool is_there = ::stat(path.c_str(), &found) == 0;
    if (is_there && !S_ISDIR(found.st_mode)) return not_made(path, ENOTDIR);
    if (is_there && knows(path, {found.st_dev, found.st_ino})) return {};
    auto above = path.parent_path();
    if (!above.empty() && above != path) CHECK(make(above, mode));
    bool made = !is_there && ::mkdir(path.c_str(), mode) == 0;
    if (!is_there && !made && errno != EEXIST) return not_made(path, errno);
    if (above != path) {
        auto synced = sync_directory(above);
        if (!synced && (made || !is_beyond_us(synced.error()))) return synced;
    }
    remember(path);
    return {};
}

Result<void> make_directories(const Path& path, unsigned mode) { return DurableDirectories{}.make(path, mode); }

}  // namespace boatswain
