#include "intake/driver/hold.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <random>

#include "base/text.h"
#include "engine/container.h"
#include "intake/driver/log_entry.h"

namespace boatswain::intake::driver {
namespace {

static_assert(std::endian::native == std::endian::little, "a hold's fields are written as they lie in memory");

constexpr std::uint64_t magic = 0x0a31444c4f485742;  // "BWHOLD1\n"
constexpr std::uint64_t id_at = 8, start_at = 16, moving_at = 24, ended_at = 32;
constexpr std::uint64_t gap_from_at = 40, gap_to_at = 48, gap_lines_at = 56, gap_bytes_at = 64, gap_reason_at = 72;
// Given back in steps, so that a busy container does not cost a system call for each page.
constexpr std::uint64_t page_bytes = 4096;
constexpr std::size_t repair_read_bytes = 256U << 10;

// By number, as they are kept: only ever added to.
constexpr std::array<const char*, 4> reasons{gap_driver_overflow, gap_malformed, gap_torn, gap_unreadable};

// Memory that is kept behind what was written last: what was dropped for want of memory can be noted all the same.
constexpr std::uint64_t note_room_bytes = 512;

bool pwrite_all(int fd, const char* bytes, std::size_t size, std::uint64_t offset) {
    while (size > 0) {
        auto n = ::pwrite(fd, bytes, size, static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        size -= static_cast<std::size_t>(n);
        offset += static_cast<std::uint64_t>(n);
    }
    return true;
}

template <class Integer>
bool take_number(std::string_view& text, Integer& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

}  // namespace

std::string HoldName::str() const {
    auto digits = std::to_string(number);
    return container + "-" + std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::optional<HoldName> HoldName::parse(std::string_view name) {
    constexpr auto id_size = engine::container_id_size;
    if (name.size() != id_size + 9 || name[id_size] != '-') return std::nullopt;
    auto digits = name.substr(id_size + 1);
    HoldName parsed{.container = std::string{name.substr(0, id_size)}};
    if (!engine::is_container_id(parsed.container)) return std::nullopt;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return parsed;
}

namespace {

bool is_everybodys(const Path& directory) {
    struct stat found{};
    return ::stat(directory.c_str(), &found) == 0 && (found.st_mode & S_IWOTH) != 0;
}

bool is_ours(const Path& directory) {
    struct stat found{};
    return ::lstat(directory.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid();
}

// What lies under a name of ours in a directory that is everybody's, as /dev/shm is, may be anybody's: whoever was
// first. It holds nothing of ours, so it goes out of the way, if we may.
Result<void> put_aside(const Path& squatter) {
    auto wanted = [&](int error_number) {
        return fail_errno(Remedy::stop,
                          squatter.string() +
                              " belongs to somebody else and stands where lines would be held: remove it, or set "
                              "driver.hold_dir to a place in a tmpfs that others cannot write to",
                          error_number);
    };
    if (!is_everybodys(squatter.parent_path())) return wanted(EPERM);
    Path aside = squatter;
    aside += ".not-ours-" + std::to_string(std::random_device{}());
    if (::rename(squatter.c_str(), aside.c_str()) != 0) return errno == ENOENT ? Result<void>{} : wanted(errno);
    // Another process of ours may have been faster, and this is what it made.
    if (is_ours(aside) && ::rename(aside.c_str(), squatter.c_str()) != 0) return wanted(errno);
    return {};
}

// Our own directory of mode 0700 at `directory`, whatever stood there; whoever spins to be there first is outlived.
Result<void> claim(const Path& directory) {
    constexpr int tries_max = 1000;
    for (int tried = 0; tried < tries_max; ++tried) {
        struct stat found{};
        bool is_there = ::lstat(directory.c_str(), &found) == 0;
        if (!is_there && errno != ENOENT) return fail_errno(Remedy::stop, "look at " + directory.string());
        if (is_there && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid()) {
            if ((found.st_mode & 0077) == 0) return {};
            return fail(Remedy::stop, directory.string() + ": must be a directory of our own with mode 0700");
        }
        if (is_there) CHECK(put_aside(directory));
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
            return fail_errno(Remedy::stop, "make directory " + directory.string());
    }
    return fail(Remedy::stop, directory.string() + ": somebody takes this name again and again");
}

}  // namespace

Result<void> check_in_memory(const Path& directory) {
    if (directory.has_parent_path()) CHECK(make_directories(directory.parent_path(), 0700));
    CHECK(claim(directory));
    struct statfs system{};
    if (::statfs(directory.c_str(), &system) != 0) return fail_errno(Remedy::stop, "look at " + directory.string());
    if (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC)
        return fail(Remedy::stop,
                    directory.string() +
                        ": does not lie in memory (tmpfs), and lines in clear must not lie on a disk: set "
                        "driver.hold_dir to a directory below /dev/shm or another tmpfs");
    return {};
}

Result<Hold> Hold::create(const Path& path) {
    Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return fail_errno(Remedy::back_off, "create " + path.string());
    Hold hold{std::move(file), path};
    std::random_device random;
    hold.id_ = (std::uint64_t{random()} << 32 | random()) | 1;
    char page[hold_data_offset] = {};
    std::memcpy(page, &magic, sizeof magic);
    std::memcpy(page + id_at, &hold.id_, sizeof hold.id_);
    std::memcpy(page + start_at, &hold_data_offset, sizeof hold_data_offset);
    std::memcpy(page + moving_at, &hold_data_offset, sizeof hold_data_offset);
    if (!pwrite_all(hold.file_.get(), page, sizeof page, 0) || !hold.find_memory(0)) {
        auto error = fail_errno(Remedy::back_off, "write " + path.string());
        ::unlink(path.c_str());
        return error;
    }
    return hold;
}

Result<Hold> Hold::open(const Path& path) {
    Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
    if (!file) return fail_errno(errno == ENOENT ? Remedy::re_resolve : Remedy::back_off, "open " + path.string());
    Hold hold{std::move(file), path};
    hold.id_ = hold.field(id_at);
    hold.size_ = hold.size();
    auto start = hold.start();
    if (hold.field(0) != magic || hold.id_ == 0 || hold.size_ < hold_data_offset || start < hold_data_offset ||
        start > hold.size_)
        return fail(Remedy::quarantine, "open " + path.string() + ": not a hold");
    return hold;
}

std::uint64_t Hold::field(std::uint64_t at) const {
    std::uint64_t value = 0;
    if (::pread(file_.get(), &value, sizeof value, static_cast<off_t>(at)) != sizeof value) return 0;
    return value;
}

bool Hold::set_field(std::uint64_t at, std::uint64_t value) {
    return pwrite_all(file_.get(), reinterpret_cast<const char*>(&value), sizeof value, at);
}

std::uint64_t Hold::size() const {
    struct stat found{};
    return ::fstat(file_.get(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

std::uint64_t Hold::start() const { return field(start_at); }
bool Hold::ended() const { return field(ended_at) != 0; }

Result<void> Hold::repair() {
    // From the last known edge of a frame on: an append that a kill cut short began there.
    auto from = field(moving_at);
    if (from > size_ || from < start()) from = start();
    std::string rest;
    for (std::string piece(repair_read_bytes, '\0');;) {
        TRY(auto n, read(from + rest.size(), piece));
        if (n == 0) break;
        rest.append(piece, 0, n);
    }
    size_ = from + whole_frames(rest);
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0)
        return fail_errno(Remedy::back_off, "cut off the torn tail of " + path_.string());
    (void)find_memory(0);
    return {};
}

Result<std::string> Hold::doubtful() const {
    auto from = field(moving_at);
    if (from < hold_data_offset || from >= size_) return std::string{};
    std::string bytes(size_ - from, '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
        TRY(auto n, read(from + have, std::span{bytes}.subspan(have)));
        if (n == 0) break;
        have += n;
    }
    bytes.resize(have);
    return bytes;
}

bool Hold::find_memory(std::size_t bytes) {
    return ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size_),
                       static_cast<off_t>(bytes + note_room_bytes)) == 0;
}

Result<void> Hold::append(std::string_view frames) {
    // Memory first: what is written can be read at once by the other process, and could not be taken back.
    if (!find_memory(frames.size() + (has_gap() ? note_room_bytes : 0)))
        return fail_errno(Remedy::back_off, "find memory for " + path_.string());
    // A note of a gap stands where the gap is.
    CHECK(write_gap());
    return write_at_end(frames, size_);
}

Result<void> Hold::write_at_end(std::string_view bytes, std::uint64_t moving) {
    if (!set_field(moving_at, moving) || !pwrite_all(file_.get(), bytes.data(), bytes.size(), size_))
        return fail_errno(Remedy::back_off, "write " + path_.string());
    size_ += bytes.size();
    return {};
}

void Hold::settle() { (void)set_field(moving_at, size_); }

void Hold::add_gap(const Gap& gap) {
    std::uint64_t reason = 0;
    while (reason + 1 < reasons.size() && gap.reason != reasons[reason]) ++reason;
    if (has_gap() && field(gap_reason_at) != reason) (void)write_gap();
    bool first = !has_gap();
    auto number = [](Timestamp time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); };
    if (first) (void)set_field(gap_from_at, number(gap.from));
    (void)set_field(gap_to_at, number(gap.to));
    (void)set_field(gap_reason_at, reason);
    (void)set_field(gap_lines_at, (first ? 0 : field(gap_lines_at)) + gap.lines_min);
    (void)set_field(gap_bytes_at, (first ? 0 : field(gap_bytes_at)) + gap.bytes_min);
}

bool Hold::has_gap() const { return field(gap_lines_at) + field(gap_bytes_at) > 0; }

Result<void> Hold::write_gap() {
    if (!has_gap()) return {};
    auto text = "gap " + std::to_string(static_cast<std::int64_t>(field(gap_from_at))) + " " +
                std::to_string(static_cast<std::int64_t>(field(gap_to_at))) + " " +
                std::to_string(field(gap_lines_at)) + " " + std::to_string(field(gap_bytes_at)) + " " +
                reasons.at(std::min<std::size_t>(field(gap_reason_at), reasons.size() - 1));
    auto note = to_note(text);
    // Nothing of the FIFO is under way now, and a note must never be taken for it.
    CHECK(write_at_end(note, size_ + note.size()));
    (void)set_field(gap_lines_at, 0);
    (void)set_field(gap_bytes_at, 0);
    (void)find_memory(0);
    return {};
}

std::optional<Gap> Hold::unwritten_gap() const {
    if (!has_gap()) return std::nullopt;
    auto time = [&](std::uint64_t at) { return Timestamp{Nanoseconds{static_cast<std::int64_t>(field(at))}}; };
    return Gap{.from = time(gap_from_at),
               .to = time(gap_to_at),
               .reason = reasons.at(std::min<std::size_t>(field(gap_reason_at), reasons.size() - 1)),
               .lines_min = field(gap_lines_at),
               .bytes_min = field(gap_bytes_at)};
}

std::uint64_t Hold::memory() const {
    struct stat found{};
    constexpr std::uint64_t block_bytes = 512;
    return ::fstat(file_.get(), &found) == 0 ? static_cast<std::uint64_t>(found.st_blocks) * block_bytes : 0;
}

void Hold::end() {
    (void)write_gap();
    settle();
    (void)set_field(ended_at, 1);
}

Result<std::size_t> Hold::read(std::uint64_t offset, std::span<char> into) const {
    for (;;) {
        auto n = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) return fail_errno(Remedy::back_off, "read " + path_.string());
    }
}

bool Hold::release(std::uint64_t wanted) {
    auto from = start();
    auto offset = std::min(wanted, field(moving_at));
    if (offset <= from) return wanted <= from;
    (void)set_field(start_at, offset);
    from -= from % page_bytes;
    auto to = offset - offset % page_bytes;
    if (to > from)
        (void)::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                          static_cast<off_t>(to - from));
    return offset == wanted;
}

std::optional<Gap> parse_gap_note(std::string_view note) {
    if (!note.starts_with("gap ")) return std::nullopt;
    note.remove_prefix(4);
    std::int64_t from = 0, to = 0;
    Gap gap;
    if (!take_number(note, from) || !take_number(note, to) || !take_number(note, gap.lines_min) ||
        !take_number(note, gap.bytes_min))
        return std::nullopt;
    gap.from = Timestamp{Nanoseconds{from}};
    gap.to = Timestamp{Nanoseconds{to}};
    for (const char* reason : reasons)
        if (note == reason) gap.reason = reason;
    if (gap.reason.empty()) return std::nullopt;
    return gap;
}

Path gone_mark_of(const Path& directory, const HoldName& name) { return directory / (name.str() + ".gone"); }

std::uint64_t this_boot() {
    static const std::uint64_t boot = [] {
        auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
        // Equal for the same start of the host, whichever process asks.
        return fnv1a(text.value_or(""), unknown_boot);
    }();
    return boot;
}

FilePosition position_in(const Hold& hold, const HoldName& name, std::uint64_t out_offset, std::uint64_t err_offset) {
    return {.device = this_boot(),
            .inode = name.number,
            .fingerprint = hold.id(),
            .out_offset = out_offset,
            .err_offset = err_offset};
}

std::optional<FilePosition> position_of(const Hold& hold, const HoldName& name, const Position& position) {
    const auto* file = std::get_if<FilePosition>(&position);
    bool boot = file && (file->device == this_boot() || file->device == unknown_boot);
    bool here = boot && file->inode == name.number && file->fingerprint == hold.id() &&
                std::min(file->out_offset, file->err_offset) >= hold.start() &&
                std::max(file->out_offset, file->err_offset) <= hold.size();
    return here ? std::optional{*file} : std::nullopt;
}

}  // namespace boatswain::intake::driver
