#include "base/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "base/file_errors.h"

namespace boatswain {
namespace {

Result<void> write_all(int fd, std::string_view bytes, const Path& path) {
    while (!bytes.empty()) {
        auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_failed("write", path);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

}  // namespace

Result<TemporaryFile> TemporaryFile::write(const Path& path, std::string_view bytes, unsigned mode) {
    static std::atomic<unsigned> counter{0};
    Path name = path.parent_path() / ("." + path.filename().string().substr(0, 100) + ".tmp." +
                                      std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1)));
    Fd file{::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
    if (!file) return file_failed("create", name);
    TemporaryFile made{name, std::move(file)};
    CHECK(write_all(made.file_.get(), bytes, name));
    return made;
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : name_(std::exchange(other.name_, Path{})), file_(std::move(other.file_)) {}

TemporaryFile::~TemporaryFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
}

void TemporaryFile::start_sync() const {
    // Where the file system has no such call, sync() waits a little longer.
    (void)::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

Result<void> TemporaryFile::sync() {
    if (::fsync(file_.get()) != 0) return file_failed("sync", name_);
    file_ = Fd{};
    return {};
}

Result<void> TemporaryFile::rename_to(const Path& path) {
    if (::rename(name_.c_str(), path.c_str()) != 0) return file_failed("rename to", path);
    name_.clear();
    return {};
}

Result<bool> TemporaryFile::link_to(const Path& path) const {
    if (::link(name_.c_str(), path.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    return file_failed("create", path);
}

}  // namespace boatswain
