#include "intake/driver/fifo.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "intake/driver/log_entry.h"

namespace boatswain::intake::driver {
namespace {

// What frames hold, as a gap says it.
Gap gap_of(std::string_view frames, const char* reason) {
    Gap gap{.reason = reason};
    for (auto frame = first_frame(frames); frame.size > 0; frame = first_frame(frames)) {
        frames.remove_prefix(frame.size);
        auto entry = parse_log_entry(frame.payload);
        if (!entry) continue;
        Timestamp time{Nanoseconds{entry->time_nano}};
        if (gap.from == Timestamp{}) gap.from = time;
        gap.to = std::max(gap.to, time);
        gap.lines_min += entry->ends_line();
        gap.bytes_min += entry->line.size() + entry->ends_line();
    }
    return gap;
}

Gap gap_now(std::size_t bytes, const char* reason) {
    auto now = SystemClock{}.now();
    return {.from = now, .to = now, .reason = reason, .lines_min = 0, .bytes_min = bytes};
}

}  // namespace

Result<Transfer> Transfer::make() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno(Remedy::back_off, "make a pipe");
    Transfer transfer;
    transfer.read_end_ = Fd{ends[0]};
    transfer.write_end_ = Fd{ends[1]};
    // Small writes of the engine may each fill a slot of a pipe: as many slots as the FIFO has.
    (void)::fcntl(ends[1], F_SETPIPE_SZ, fifo_bytes);
    transfer.buffer_.resize(move_bytes_max);
    transfer.dropped_.resize(move_bytes_max);
    return transfer;
}

Result<std::string_view> Transfer::peek(int fifo, std::size_t bytes_max) {
    auto n = ::tee(fifo, write_end_.get(), std::min(bytes_max, buffer_.size()), SPLICE_F_NONBLOCK);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return fail_errno(Remedy::back_off, "copy out of a FIFO");
    std::size_t have = 0;
    for (auto wanted = static_cast<std::size_t>(std::max<ssize_t>(n, 0)); have < wanted;) {
        auto read = ::read(read_end_.get(), buffer_.data() + have, wanted - have);
        if (read < 0 && errno == EINTR) continue;
        if (read <= 0) return fail_errno(Remedy::stop, "read a pipe of our own");
        have += static_cast<std::size_t>(read);
    }
    return std::string_view{buffer_.data(), have};
}

Result<void> Transfer::take(int fifo, std::size_t bytes) {
    while (bytes > 0) {
        // In one call: the kernel does not break it off for a signal while bytes are there.
        auto n = ::read(fifo, dropped_.data(), std::min(bytes, dropped_.size()));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail_errno(Remedy::stop, "take out of a FIFO what was there");
        bytes -= static_cast<std::size_t>(n);
    }
    return {};
}

Result<Fifo> Fifo::open(const Path& path, bool again) {
    Fd file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    if (!file) return fail_errno(errno == ENOENT ? Remedy::re_resolve : Remedy::back_off, "open " + path.string());
    struct stat found{};
    if (::fstat(file.get(), &found) != 0 || !S_ISFIFO(found.st_mode))
        return fail(Remedy::quarantine, "open " + path.string() + ": not a FIFO");
    Fifo fifo{std::move(file)};
    // The kernel tells of a hang-up only those who were there when a writer came: we come and go as one ourselves.
    if (again) Fd{::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    return fifo;
}

std::size_t Fifo::capacity() const { return static_cast<std::size_t>(std::max(::fcntl(fd(), F_GETPIPE_SZ), 0)); }

bool Fifo::wide() const { return capacity() >= fifo_bytes; }

bool Fifo::widen() { return wide() || ::fcntl(fd(), F_SETPIPE_SZ, fifo_bytes) >= fifo_bytes; }

Result<void> Fifo::resume(const Hold& hold, Transfer& transfer) {
    TRY(auto doubtful, hold.doubtful());
    if (doubtful.empty()) return {};
    TRY(auto there, transfer.peek(fd(), doubtful.size()));
    if (there != doubtful) return {};
    return transfer.take(fd(), doubtful.size());
}

Result<Fifo::Moved> Fifo::move(Hold& hold, Transfer& transfer) {
    TRY(auto there, transfer.peek(fd(), move_bytes_max));
    auto whole = whole_frames(there);
    if (whole == 0) {
        bool strange = first_frame(there).kind == Frame::Kind::malformed;
        return Moved{.torn = strange || (!there.empty() && hung_up())};
    }
    auto frames = there.substr(0, whole);
    CHECK(hold.append(frames));
    CHECK(transfer.take(fd(), whole));
    hold.settle();
    return Moved{.bytes = whole, .frames = frames};
}

Result<std::size_t> Fifo::drop(const std::function<void(const Gap&)>& note, Transfer& transfer, const char* reason,
                               bool whole_only) {
    TRY(auto there, transfer.peek(fd(), move_bytes_max));
    auto whole = whole_frames(there);
    // The last frame in a full FIFO is seldom whole: the engine writes the rest of it when there is room.
    auto bytes = whole > 0 || whole_only ? whole : there.size();
    if (bytes == 0) return std::size_t{0};
    // Counted first: a kill in between says a little too much, not too little.
    note(whole > 0 ? gap_of(there.substr(0, whole), reason) : gap_now(bytes, reason));
    CHECK(transfer.take(fd(), bytes));
    return bytes;
}

bool Fifo::hung_up() const {
    pollfd state{.fd = fd(), .events = POLLIN, .revents = 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & POLLHUP) != 0;
}

std::size_t Fifo::left() const {
    int bytes = 0;
    return ::ioctl(fd(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace boatswain::intake::driver
