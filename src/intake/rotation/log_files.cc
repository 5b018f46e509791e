#include "intake/rotation/log_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/open_below.h"
#include "base/text.h"

namespace boatswain::intake {
namespace {

Timestamp modified_at(const struct stat& found) {
    return Timestamp{std::chrono::seconds{found.st_mtim.tv_sec} + Nanoseconds{found.st_mtim.tv_nsec}};
}

class PlainFile final : public LogFile {
  public:
    PlainFile(Fd file, const struct stat& found)
        : file_(std::move(file)), device_(found.st_dev), inode_(found.st_ino) {}

    Result<std::size_t> read_at(std::uint64_t offset, char* out, std::size_t size) override {
        for (;;) {
            auto n = ::pread(file_.get(), out, size, static_cast<off_t>(offset));
            if (n >= 0) return static_cast<std::size_t>(n);
            if (errno != EINTR) return fail_errno(Remedy::back_off, "read a container's log file");
        }
    }
    std::uint64_t device() const override { return device_; }
    std::uint64_t inode() const override { return inode_; }
    bool compressed() const override { return false; }
    std::optional<std::uint64_t> size() const override {
        struct stat now{};
        if (::fstat(file_.get(), &now) != 0) return std::nullopt;
        return static_cast<std::uint64_t>(now.st_size);
    }
    Timestamp modified() const override {
        struct stat now{};
        return ::fstat(file_.get(), &now) == 0 ? modified_at(now) : Timestamp{};
    }
    std::optional<Timestamp> made() const override {
        struct statx found{};
        if (::statx(file_.get(), "", AT_EMPTY_PATH, STATX_BTIME, &found) != 0 || (found.stx_mask & STATX_BTIME) == 0)
            return std::nullopt;
        return Timestamp{std::chrono::seconds{found.stx_btime.tv_sec} + Nanoseconds{found.stx_btime.tv_nsec}};
    }
    bool linked() const override {
        struct stat now{};
        return ::fstat(file_.get(), &now) == 0 && now.st_nlink > 0;
    }

  private:
    Fd file_;
    std::uint64_t device_;
    std::uint64_t inode_;
};

class CompressedFile final : public LogFile {
  public:
    CompressedFile(gzFile file, const struct stat& found)
        : file_(file), device_(found.st_dev), inode_(found.st_ino), modified_(modified_at(found)) {}

    Result<std::size_t> read_at(std::uint64_t offset, char* out, std::size_t size) override {
        if (static_cast<std::uint64_t>(gztell(file_.get())) != offset &&
            gzseek(file_.get(), static_cast<z_off_t>(offset), SEEK_SET) < 0)
            return fail(Remedy::quarantine, "read a compressed log file: " + problem());
        int n = gzread(file_.get(), out, static_cast<unsigned>(std::min<std::size_t>(size, 1U << 30)));
        if (n < 0) return fail(Remedy::quarantine, "read a compressed log file: " + problem());
        return static_cast<std::size_t>(n);
    }
    std::uint64_t device() const override { return device_; }
    std::uint64_t inode() const override { return inode_; }
    bool compressed() const override { return true; }
    std::optional<std::uint64_t> size() const override { return std::nullopt; }
    Timestamp modified() const override { return modified_; }  // what is compressed is not written any more
    std::optional<Timestamp> made() const override { return std::nullopt; }
    bool linked() const override { return true; }

  private:
    std::string problem() {
        int code = 0;
        return gzerror(file_.get(), &code);
    }
    struct Close {
        void operator()(gzFile file) const { gzclose(file); }
    };
    std::unique_ptr<gzFile_s, Close> file_;
    std::uint64_t device_;
    std::uint64_t inode_;
    Timestamp modified_;
};

// Digits, with dashes between them: a year, a month and a day at least.
bool is_date(std::string_view text) {
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::ranges::count_if(text, digit) >= 8 && digit(text.front()) && digit(text.back()) &&
           std::ranges::all_of(text, [&](char c) { return digit(c) || c == '-' || c == '_'; });
}

// The age and compression that `name` says, when it is one of `base`'s generations.
std::optional<Generation> generation_of(std::string_view name, std::string_view base) {
    if (!name.starts_with(base)) return std::nullopt;
    name.remove_prefix(base.size());
    Generation generation;
    if (name.empty()) return generation;
    if (name.ends_with(".gz")) {
        generation.compressed = true;
        name.remove_suffix(3);
    }
    bool dated = name.starts_with('-') || (name.starts_with('.') && name.contains('-'));
    if (dated && is_date(name.substr(1))) {
        for (char c : name)
            if (c >= '0' && c <= '9') generation.date += c;
        return generation;
    }
    if (!name.starts_with('.')) return std::nullopt;
    auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), generation.age);
    if (error != std::errc{} || end != name.data() + name.size() || generation.age == 0) return std::nullopt;
    return generation;
}

Fd open(const Path& path, const Path& below, int flags) {
    return below.empty() ? Fd{::open(path.c_str(), flags | O_CLOEXEC)} : open_below(below, path, flags);
}

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Directory open_directory(const Path& path, const Path& below) {
    auto opened = open(path, below, O_RDONLY | O_DIRECTORY);
    Directory directory{opened ? ::fdopendir(opened.get()) : nullptr};
    if (directory) (void)opened.release();
    return directory;
}

}  // namespace

Result<std::unique_ptr<LogFile>> open_log_file(const Path& path, const Path& below) {
    auto file = open(path, below, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file) {
        bool gone = errno == ENOENT || errno == ENOTDIR;
        bool scarce = errno == EMFILE || errno == ENFILE;
        return fail_errno(gone     ? Remedy::re_resolve
                          : scarce ? Remedy::back_off
                                   : Remedy::stop,
                          "open " + path.string());
    }
    struct stat found{};
    if (::fstat(file.get(), &found) != 0) return fail_errno(Remedy::back_off, "stat " + path.string());
    if (!S_ISREG(found.st_mode)) return fail(Remedy::quarantine, "open " + path.string() + ": not a regular file");
    if (path.extension() != ".gz") return std::make_unique<PlainFile>(std::move(file), found);
    gzFile compressed = gzdopen(file.get(), "rb");
    if (!compressed) return fail(Remedy::back_off, "open " + path.string() + ": no memory");
    (void)file.release();
    gzbuffer(compressed, 64U << 10);
    return std::make_unique<CompressedFile>(compressed, found);
}

Result<std::uint64_t> fingerprint_of(LogFile& file) {
    auto hash = fnv1a_of_nothing;
    char part[4096];
    for (std::uint64_t offset = 0; offset < fingerprint_bytes_max;) {
        TRY(auto size, file.read_at(offset, part, sizeof part));
        if (size == 0) return 0;
        const auto* newline = static_cast<const char*>(std::memchr(part, '\n', size));
        const auto* end = newline ? newline + 1 : part + size;
        hash = fnv1a({static_cast<const char*>(part), end}, hash);
        if (newline) break;
        offset += size;
    }
    return hash == 0 ? 1 : hash;
}

std::vector<Generation> list_generations(const Path& log_path, const Path& below) {
    std::vector<Generation> found;
    auto base = log_path.filename().string();
    auto directory = open_directory(log_path.parent_path(), below);
    while (const auto* entry = directory ? ::readdir(directory.get()) : nullptr) {
        auto generation = generation_of(entry->d_name, base);
        struct stat status{};
        if (!generation || ::fstatat(::dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        generation->path = log_path.parent_path() / entry->d_name;
        generation->device = status.st_dev;
        generation->inode = status.st_ino;
        found.push_back(std::move(*generation));
    }
    // The log itself, then those that are named by a date, which nobody mixes with the engine's own rotation.
    auto rank = [](const Generation& one) { return !one.date.empty() ? 1 : one.age == 0 ? 0 : 2; };
    std::ranges::sort(found, [&](const Generation& a, const Generation& b) {
        if (rank(a) != rank(b)) return rank(a) < rank(b);
        if (a.date != b.date) return a.date > b.date;  // the later date is the newer file
        return std::pair{a.age, a.compressed} < std::pair{b.age, b.compressed};
    });
    auto repeated =
        std::ranges::unique(found, [](const auto& a, const auto& b) { return a.age == b.age && a.date == b.date; });
    found.erase(repeated.begin(), repeated.end());
    return found;
}

}  // namespace boatswain::intake
