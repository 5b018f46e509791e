#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file_errors.h"
#include "base/temporary_file.h"

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

}  // namespace

std::unexpected<Error> file_failed(std::string_view verb, const Path& path, int error_number) {
    return fail_errno(remedy_of(error_number), std::string{verb} + " " + path.string(), error_number);
}

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
    if (!file) return file_failed("open", path);
    std::string bytes;
    char buffer[16384];
    for (;;) {
        auto n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_failed("read", path);
        if (n == 0) return bytes;
        if (bytes.size() + static_cast<std::size_t>(n) > bytes_max)
            return fail(Remedy::quarantine,
                        "read " + path.string() + ": longer than " + std::to_string(bytes_max) + " bytes");
        bytes.append(buffer, static_cast<std::size_t>(n));
    }
}

Result<void> write_file_durably(const Path& path, std::string_view bytes, unsigned mode) {
    TRY(auto temporary, TemporaryFile::write(path, bytes, mode));
    CHECK(temporary.sync());
    CHECK(temporary.rename_to(path));
    return sync_directory(path.parent_path());
}

Result<bool> create_file_durably(const Path& path, std::string_view bytes, unsigned mode) {
    {
        TRY(auto temporary, TemporaryFile::write(path, bytes, mode));
        CHECK(temporary.sync());
        TRY(auto created, temporary.link_to(path));
        if (!created) return false;
    }  // its first name goes before the directory is synced
    CHECK(sync_directory(path.parent_path()));
    return true;
}

Result<bool> link_file_durably(const Path& file, const Path& path) {
    if (::link(file.c_str(), path.c_str()) != 0) {
        if (errno == EEXIST) return false;
        return file_failed("link to", path);
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
    if (!directory) return file_failed("open directory", target);
    if (::fsync(directory.get()) != 0) return file_failed("sync directory", target);
    return {};
}

Result<void> remove_file(const Path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_failed("remove", path);
    return {};
}

Result<MappedFile> MappedFile::open(const Path& path) {
    Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return file_failed("open", path);
    struct stat found{};
    if (::fstat(file.get(), &found) != 0) return file_failed("stat", path);
    MappedFile mapped;
    if (found.st_size == 0) return mapped;
    auto size = static_cast<std::size_t>(found.st_size);
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at == MAP_FAILED) return file_failed("map", path);
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
