#include "store/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "store/directory_walk.h"
#include "store/key.h"

namespace boatswain::store {
namespace {

// Appends one part of a key, folded when it is longer than a file's name may be.
void append_part(Path& path, std::string_view part) {
    bool first = true;
    for (; part.size() > DirectoryStore::name_bytes_max; first = false) {
        path /= (first ? "" : "+") + std::string{part.substr(0, DirectoryStore::name_bytes_max)} + "+";
        part.remove_prefix(DirectoryStore::name_bytes_max);
    }
    path /= (first ? "" : "+") + std::string{part};
}

constexpr std::string_view other_directory =
    "it is another directory than at the start (mounted again?), and the sandbox of this process holds for that one: "
    "start it again";

// What a caller of put() should do: a vanished directory is made again by the next call, a file where a directory
// should be is for a person.
Error with_remedy(Error error) {
    if (error.cause == std::errc::no_such_file_or_directory)
        error.remedy = Remedy::back_off;
    else if (error.cause == std::errc::not_a_directory || error.cause == std::errc::is_a_directory)
        error.remedy = Remedy::stop;
    return error;
}

// Whether put() would make a file of this owner, group, mode and size.
bool is_as_written_here(const Path& file, std::size_t size) {
    struct stat found{};
    return ::lstat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid() &&
           found.st_gid == ::getegid() && (found.st_mode & 07777) == DirectoryStore::file_mode &&
           static_cast<std::size_t>(found.st_size) == size;
}

struct OpenObject {
    Fd file;
    std::uint64_t size = 0;
};

Result<OpenObject> open_object(const Path& path, const std::string& doing) {
    OpenObject object{.file = Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)}};
    if (!object.file && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return fail(Remedy::re_resolve, doing + ": no such object");
    if (!object.file) return fail_errno(errno == EACCES ? Remedy::stop : Remedy::back_off, doing);
    struct stat status{};
    if (::fstat(object.file.get(), &status) != 0) return fail_errno(Remedy::back_off, doing);
    if (!S_ISREG(status.st_mode)) return fail(Remedy::re_resolve, doing + ": no such object");
    object.size = static_cast<std::uint64_t>(status.st_size);
    return object;
}

Result<std::string> read_bytes(const OpenObject& object, std::uint64_t first, std::uint64_t length,
                               const std::string& doing) {
    auto failed = Result<void>{};
    std::string bytes;
    // Not its argument: libstdc++ 12 gives what it has reserved, 30 where 16 are asked for.
    bytes.resize_and_overwrite(length, [&](char* out, std::size_t) {
        std::size_t have = 0;
        while (have < length && failed) {
            auto n = ::pread(object.file.get(), out + have, length - have, static_cast<off_t>(first + have));
            if (n > 0)
                have += static_cast<std::size_t>(n);
            else if (n == 0)
                failed = fail(Remedy::quarantine, doing + ": the file became shorter while it was read");
            else if (errno != EINTR)
                failed = fail_errno(Remedy::back_off, doing);
        }
        return have;
    });
    CHECK(failed);
    return bytes;
}

}  // namespace

// "a/b/" and "a/b" are one directory; without the '/' the parents of an object's path meet root_.
DirectoryStore::DirectoryStore(const Path& root, bool confined)
    : root_(root.has_filename() || !root.has_relative_path() ? root : root.parent_path()),
      at_start_(confined ? identity_of(root_) : std::nullopt) {}

std::optional<DirectoryStore::Identity> DirectoryStore::identity_of(const Path& directory) {
    struct stat found{};
    if (::stat(directory.c_str(), &found) != 0) return std::nullopt;
    return Identity{found.st_dev, found.st_ino};
}

std::optional<std::string> DirectoryStore::lost() const {
    if (!lost_) return std::nullopt;
    return describe() + ": " + std::string{other_directory};
}

Error DirectoryStore::for_put(Error error) {
    bool kept_out = error.cause == std::errc::permission_denied || error.cause == std::errc::operation_not_permitted;
    lost_ = kept_out && at_start_ && identity_of(root_) != at_start_;
    if (lost_) error.what += "; " + std::string{other_directory};
    return with_remedy(std::move(error));
}

Result<Path> DirectoryStore::path_of(std::string_view key) const {
    if (auto problem = key_problem(key)) return fail(Remedy::stop, describe() + ": " + *problem);
    Path path = root_;
    for (std::size_t at = 0; at <= key.size();) {
        auto part = key.substr(at, key.find('/', at) - at);
        if (is_temporary_name(part))
            return fail(Remedy::stop,
                        describe() + ": key \"" + printable(key) + "\" looks like one of our temporary files");
        append_part(path, part);
        at += part.size() + 1;
    }
    return path;
}

Result<PutOutcome> DirectoryStore::put(std::string_view key, std::string_view bytes, std::string_view) {
    TRY(auto path, path_of(key));
    auto created = [&]() -> Result<bool> {
        CHECK(directories_.make(path.parent_path(), directory_mode));
        return create_file_durably(path, bytes, file_mode);
    }();
    return outcome_of(std::move(created), path, key, bytes);
}

Result<PutOutcome> DirectoryStore::put_file(std::string_view key, const Path& file, std::string_view bytes,
                                            std::string_view sha256) {
    TRY(auto path, path_of(key));
    auto directory = path.parent_path();
    if (!directories_.make(directory, directory_mode) || !is_as_written_here(file, bytes.size()) ||
        hands_down_access(directory))
        return put(key, bytes, sha256);
    auto linked = link_file_durably(file, path);
    // Whatever keeps the second name away (another file system, too many names), writing tells better, or does it.
    if (!linked) return put(key, bytes, sha256);
    return outcome_of(std::move(linked), path, key, bytes);
}

Result<PutOutcome> DirectoryStore::outcome_of(Result<bool> created, const Path& path, std::string_view key,
                                              std::string_view bytes) {
    if (!created) return std::unexpected(for_put(std::move(created).error()).within("put " + std::string{key}));
    lost_ = false;
    if (*created) return PutOutcome::created;
    return compare(path, key, bytes);
}

Result<void> DirectoryStore::replace(std::string_view key, std::string_view bytes, std::string_view) {
    TRY(auto path, path_of(key));
    auto written = directories_.make(path.parent_path(), directory_mode);
    if (written) written = write_file_durably(path, bytes, file_mode);
    if (!written) return std::unexpected(for_put(std::move(written).error()).within("replace " + std::string{key}));
    lost_ = false;
    return {};
}

Result<PutOutcome> DirectoryStore::compare(const Path& path, std::string_view key, std::string_view bytes) const {
    auto doing = "put " + describe() + " " + std::string{key};
    auto opened = open_object(path, doing);
    if (!opened && opened.error().cause == std::errc::permission_denied) return PutOutcome::unseen;
    if (!opened && opened.error().remedy == Remedy::re_resolve) {
        struct stat found{};
        if (::lstat(path.c_str(), &found) == 0) return PutOutcome::taken;  // by no file: a directory, a link
        return fail(Remedy::back_off, doing + ": an object was there, and then it was not");
    }
    TRY(auto there, std::move(opened));
    bool same = there.size == bytes.size();
    if (same) {
        TRY(auto found, read_bytes(there, 0, there.size, doing));
        same = found == bytes;
    }
    if (!same) return PutOutcome::taken;
    // Whoever put it may have died between naming the file and syncing the directories; what we report must be durable.
    for (auto directory = path.parent_path();; directory = directory.parent_path()) {
        CHECK(sync_directory(directory));
        if (directory == root_ || !directory.has_relative_path()) return PutOutcome::already_there;
    }
}

Result<RangeBytes> DirectoryStore::read(std::string_view key, Range range) {
    TRY(auto path, path_of(key));
    auto doing = "read " + describe() + " " + std::string{key};
    TRY(auto object, open_object(path, doing));
    auto length = std::min(range.length, object.size);
    auto first = range.suffix ? object.size - length : std::min(range.first, object.size);
    TRY(auto bytes, read_bytes(object, first, std::min(length, object.size - first), doing));
    return RangeBytes{.bytes = std::move(bytes), .first = first, .object_size = object.size};
}

Result<std::string> DirectoryStore::read(std::string_view key) {
    TRY(auto path, path_of(key));
    auto doing = "read " + describe() + " " + std::string{key};
    TRY(auto object, open_object(path, doing));
    if (object.size > object_bytes_max)
        return fail(Remedy::quarantine, doing + ": longer than " + size_to_text(object_bytes_max));
    return read_bytes(object, 0, object.size, doing);
}

Result<ListPage> DirectoryStore::list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) {
    if (auto problem = prefix_problem(prefix)) return fail(Remedy::stop, "list " + describe() + ": " + *problem);
    return walk(root_, {.prefix = prefix,
                        .delimited = delimited,
                        .after = next ? std::string_view{*next} : std::string_view{},
                        .page_max = page_max});
}

Result<void> DirectoryStore::probe() {
    // What does not exist yet will be made, if the nearest directory above it lets us.
    auto place = std::filesystem::absolute(root_).lexically_normal();
    struct stat status{};
    while (::stat(place.c_str(), &status) != 0) {
        if (errno != ENOENT || !place.has_relative_path()) return fail_errno(Remedy::stop, describe());
        place = place.parent_path();
    }
    if (!S_ISDIR(status.st_mode)) return fail(Remedy::stop, describe() + ": " + place.string() + " is not a directory");
    if (::access(place.c_str(), R_OK | W_OK | X_OK) != 0)
        return fail_errno(Remedy::stop, describe() + ": " + place.string() + " cannot be written");
    return {};
}

}  // namespace boatswain::store
