#include "intake/driver/fifo_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace boatswain::intake::driver {
namespace {

constexpr std::uint64_t magic = 0x0a314f4649465742;  // "BWFIFO1\n"
constexpr std::size_t page_bytes = 4096;

// As it lies in the file.
struct Slot {
    std::array<char, 64> container{};
    std::uint64_t number = 0;
    std::int64_t from = 0, to = 0;
    std::uint64_t lines = 0, bytes = 0;
    std::array<char, 408> fifo{};
};
static_assert(sizeof(Slot) == 512 && std::is_trivially_copyable_v<Slot>);
static_assert(fifo_path_bytes_max < std::tuple_size_v<decltype(Slot::fifo)>);
static_assert(std::is_trivially_copyable_v<Figures> && sizeof(Figures) + sizeof magic <= page_bytes);

constexpr std::size_t file_bytes = page_bytes + FifoTable::slots * sizeof(Slot);

off_t offset_of(std::size_t slot) { return static_cast<off_t>(page_bytes + slot * sizeof(Slot)); }

Slot to_slot(const FifoTable::Entry& entry) {
    Slot slot{.number = entry.name.number,
              .from = entry.gap.from.time_since_epoch().count(),
              .to = entry.gap.to.time_since_epoch().count(),
              .lines = entry.gap.lines_min,
              .bytes = entry.gap.bytes_min};
    entry.name.container.copy(slot.container.data(), slot.container.size());
    entry.fifo.native().copy(slot.fifo.data(), fifo_path_bytes_max);
    return slot;
}

std::optional<FifoTable::Entry> to_entry(const Slot& slot) {
    auto name = HoldName::parse(std::string{slot.container.data(), slot.container.size()} + "-00000000");
    auto end = std::ranges::find(slot.fifo, '\0');
    std::string fifo{slot.fifo.begin(), end};
    if (!name || !fifo.starts_with('/') || end == slot.fifo.end()) return std::nullopt;
    name->number = static_cast<std::uint32_t>(slot.number);
    return FifoTable::Entry{.name = std::move(*name),
                            .fifo = std::move(fifo),
                            .gap = {.from = Timestamp{Nanoseconds{slot.from}},
                                    .to = Timestamp{Nanoseconds{slot.to}},
                                    .reason = {},
                                    .lines_min = slot.lines,
                                    .bytes_min = slot.bytes}};
}

bool makes_sense(int file) {
    struct stat found{};
    std::uint64_t begin = 0;
    return ::fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size == off_t{file_bytes} &&
           ::pread(file, &begin, sizeof begin, 0) == sizeof begin && begin == magic;
}

}  // namespace

Result<FifoTable> FifoTable::open(const Path& directory) {
    auto path = directory / fifo_table_file;
    Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return fail_errno(Remedy::back_off, "open " + path.string());
    if (!makes_sense(file.get())) {
        if (::ftruncate(file.get(), 0) != 0 || ::fallocate(file.get(), 0, 0, off_t{file_bytes}) != 0 ||
            ::pwrite(file.get(), &magic, sizeof magic, 0) != sizeof magic)
            return fail_errno(Remedy::back_off, "find memory for " + path.string());
    }
    FifoTable table{std::move(file)};
    for (const auto& [slot, entry] : table.entries()) table.taken_[slot] = true;
    return table;
}

std::vector<std::pair<std::size_t, FifoTable::Entry>> FifoTable::entries() const {
    std::vector<std::pair<std::size_t, Entry>> entries;
    for (std::size_t i = 0; i < slots; ++i) {
        Slot slot;
        if (::pread(file_.get(), &slot, sizeof slot, offset_of(i)) != sizeof slot) break;
        if (slot.container[0] == '\0') continue;
        if (auto entry = to_entry(slot)) entries.emplace_back(i, std::move(*entry));
    }
    return entries;
}

std::optional<std::size_t> FifoTable::add(const Entry& entry) {
    for (std::size_t tried = 0; tried < slots; ++tried) {
        auto slot = std::exchange(next_, (next_ + 1) % slots);
        if (taken_[slot]) continue;
        taken_[slot] = true;
        put(slot, entry);
        return slot;
    }
    return std::nullopt;
}

// In one call into memory that is there: no kill leaves half a slot.
void FifoTable::put(std::size_t slot, const Entry& entry) {
    auto bytes = to_slot(entry);
    (void)!::pwrite(file_.get(), &bytes, sizeof bytes, offset_of(slot));
}

void FifoTable::remove(std::size_t slot) {
    Slot none;
    (void)!::pwrite(file_.get(), &none, sizeof none, offset_of(slot));
    taken_[slot] = false;
}

void FifoTable::publish(const Figures& figures) {
    (void)!::pwrite(file_.get(), &figures, sizeof figures, sizeof magic);
}

std::optional<Figures> FifoTable::read_figures(const Path& directory) {
    Fd file{::open((directory / fifo_table_file).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    Figures figures;
    if (!file || !makes_sense(file.get()) ||
        ::pread(file.get(), &figures, sizeof figures, sizeof magic) != sizeof figures)
        return std::nullopt;
    return figures;
}

}  // namespace boatswain::intake::driver
