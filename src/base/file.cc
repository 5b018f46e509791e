#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>

namespace boatswain {
namespace {

Remedy remedy_of(int error_number) {
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case EIO:
        case EINTR:
        case EAGAIN: return Remedy::back_off;
        case ENOENT:
        case ENOTDIR: return Remedy::re_resolve;
        default: return Remedy::stop;
    }
}

std::unexpected<Error> failed(std::string_view verb, const Path& path, int error_number = errno) {
    return fail_errno(remedy_of(error_number), std::string{verb} + " " + path.string(), error_number);
}

Result<void> write_all(int fd, std::string_view bytes, const Path& path) {
    while (!bytes.empty()) {
        auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("write", path);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

// Writes and syncs a temporary file beside `path`; its name is the result.
Result<Path> write_temporary(const Path& path, std::string_view bytes, unsigned mode) {
    static std::atomic<unsigned> counter{0};
    Path temporary = path.parent_path() / ("." + path.filename().string().substr(0, 100) + ".tmp." +
                                           std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1)));
    Fd file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
    if (!file) return failed("create", temporary);
    auto written = write_all(file.get(), bytes, temporary);
    if (written && ::fsync(file.get()) != 0) written = failed("sync", temporary);
    if (!written) {
        ::unlink(temporary.c_str());
        return std::unexpected(std::move(written).error());
    }
    return temporary;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Result<std::string> read_file(const Path& path, std::uint64_t bytes_max) {
    Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return failed("open", path);
    std::string bytes;
    char buffer[16384];
    for (;;) {
        auto n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("read", path);
        if (n == 0) return bytes;
        if (bytes.size() + static_cast<std::size_t>(n) > bytes_max)
            return fail(Remedy::quarantine,
                        "read " + path.string() + ": longer than " + std::to_string(bytes_max) + " bytes");
        bytes.append(buffer, static_cast<std::size_t>(n));
    }
}

Result<void> write_file_durably(const Path& path, std::string_view bytes, unsigned mode) {
    TRY(auto temporary, write_temporary(path, bytes, mode));
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        auto error = failed("rename to", path);
        ::unlink(temporary.c_str());
        return error;
    }
    return sync_directory(path.parent_path());
}

Result<bool> create_file_durably(const Path& path, std::string_view bytes, unsigned mode) {
    TRY(auto temporary, write_temporary(path, bytes, mode));
    // link(2), unlike rename(2), refuses to replace: two writers of one key cannot both win.
    int linked = ::link(temporary.c_str(), path.c_str());
    int error_number = errno;
    ::unlink(temporary.c_str());
    if (linked != 0 && error_number == EEXIST) return false;
    if (linked != 0) return failed("create", path, error_number);
    CHECK(sync_directory(path.parent_path()));
    return true;
}

Result<bool> link_file_durably(const Path& file, const Path& path) {
    if (::link(file.c_str(), path.c_str()) != 0) {
        if (errno == EEXIST) return false;
        return failed("link to", path);
    }
    CHECK(sync_directory(path.parent_path()));
    return true;
}

bool hands_down_access(const Path& directory) {
    struct stat found{};
    if (::stat(directory.c_str(), &found) != 0 || (found.st_mode & S_ISGID) != 0) return true;
    bool without_list = ::getxattr(directory.c_str(), "system.posix_acl_default", nullptr, 0) < 0 &&
                        (errno == ENODATA || errno == ENOTSUP);
    return !without_list;
}

Result<void> sync_directory(const Path& path) {
    const Path& target = path.empty() ? Path{"."} : path;
    Fd directory{::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory) return failed("open directory", target);
    if (::fsync(directory.get()) != 0) return failed("sync directory", target);
    return {};
}

Result<void> remove_file(const Path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove", path);
    return {};
}

Result<MappedFile> MappedFile::open(const Path& path) {
    Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return failed("open", path);
    struct stat found{};
    if (::fstat(file.get(), &found) != 0) return failed("stat", path);
    MappedFile mapped;
    if (found.st_size == 0) return mapped;
    auto size = static_cast<std::size_t>(found.st_size);
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at == MAP_FAILED) return failed("map", path);
    mapped.bytes_ = {static_cast<const char*>(at), size};
    return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}
MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace boatswain
