#include "cell/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/sanitized.h"

namespace boatswain::cell {
namespace {

// Of a cell: three standard ones, its control socket, for each question its channel and its key's file, some more.
constexpr rlim_t descriptors_beside = 16;
constexpr int exec_failed = 127, not_closed = 126;

// Between fork and exec of a process with threads: system calls alone.
[[noreturn]] void become(const Fd& executable, const char* word, int control, int nothing,
                         const ProcessLimits& limits) {
    // A signal for all of a group, as from a terminal or a service manager, is for the server.
    (void)::setpgid(0, 0);
    for (int ignored : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2}) (void)::signal(ignored, SIG_IGN);
    sigset_t none;
    (void)::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    auto limit = [](auto what, rlim_t value) {
        const rlimit both{.rlim_cur = value, .rlim_max = value};
        return ::setrlimit(what, &both) == 0;
    };
    bool is_limited = limit(RLIMIT_CORE, 0);
    // The sanitizers' own memory is more than any limit, and they write files when they begin.
    if (!is_sanitized) is_limited = is_limited && limit(RLIMIT_FSIZE, 0);
    if (!is_sanitized && limits.memory_max != 0) is_limited = is_limited && limit(RLIMIT_DATA, limits.memory_max);
    if (!is_limited) ::_exit(exec_failed);
    // Above those that become 0 to 4.
    constexpr int behind = 10;
    int program = ::fcntl(executable.get(), F_DUPFD_CLOEXEC, behind);
    int socket = ::fcntl(control, F_DUPFD_CLOEXEC, behind);
    int null = ::fcntl(nothing, F_DUPFD_CLOEXEC, behind);
    if (program < 0 || socket < 0 || null < 0) ::_exit(exec_failed);
    // Sanitizers tell their findings there.
    const int last_standard = is_sanitized ? STDOUT_FILENO : STDERR_FILENO;
    for (int standard = STDIN_FILENO; standard <= last_standard; ++standard) (void)::dup2(null, standard);
    if (::dup2(socket, control_descriptor) < 0) ::_exit(exec_failed);
    (void)::dup2(program, control_descriptor + 1);
    (void)::fcntl(control_descriptor + 1, F_SETFD, FD_CLOEXEC);
    if (::syscall(SYS_close_range, control_descriptor + 2, ~0U, 0) != 0) ::_exit(not_closed);
    // Now, and not before: where the server has that many open, none of those above could have been made.
    if (!limit(RLIMIT_NOFILE, descriptors_beside + 2 * rlim_t{limits.questions_max})) ::_exit(exec_failed);
    const std::array<const char*, 3> arguments{"boatswain", word, nullptr};
    const std::array<const char*, 1> environment{nullptr};
    ::syscall(SYS_execveat, control_descriptor + 1, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
    ::_exit(exec_failed);
}

}  // namespace

Result<Fd> open_this_executable() {
    Fd executable{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    if (!executable) return fail_errno(Remedy::stop, "open this executable, to start cells");
    return executable;
}

Result<CellProcess> CellProcess::start(const Fd& executable, const char* word, const CellSetup& setup,
                                       const ProcessLimits& limits) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return fail_errno(Remedy::back_off, "make a cell's control socket");
    Fd ours{ends[0]}, its{ends[1]};
    Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    if (!nothing) return fail_errno(Remedy::back_off, "open /dev/null");
    auto process = ::fork();
    if (process < 0) return fail_errno(Remedy::back_off, "start a cell");
    if (process == 0) become(executable, word, its.get(), nothing.get(), limits);
    CellProcess cell{std::move(ours), process, {}};
    its = Fd{};
    CHECK(send_packet(cell.control_, pack(setup)));
    pollfd there{.fd = cell.control_.get(), .events = POLLIN, .revents = 0};
    constexpr int second = 1000;
    int heard = 0;
    do heard = ::poll(&there, 1, ready_seconds_max * second);
    while (heard < 0 && errno == EINTR);
    if (heard != 1) return fail(Remedy::back_off, "a cell is not ready in " + std::to_string(ready_seconds_max) + " s");
    auto packet = receive_packet(cell.control_);
    if (!packet || packet->empty()) {
        auto code = cell.end();
        if (code == not_closed)
            return fail(Remedy::stop, "a cell would keep descriptors of ours: the kernel refuses close_range (5.9)");
        return fail(Remedy::back_off, "a cell ended before it was ready (" + std::to_string(code) + ")");
    }
    TRY(auto ready, parse_ready(*packet));
    if (!ready.is_confined) return fail(Remedy::stop, "a cell cannot be confined: " + ready.missing);
    cell.missing_ = std::move(ready.missing);
    return cell;
}

CellProcess::CellProcess(CellProcess&& other) noexcept
    : control_(std::move(other.control_)),
      process_(std::exchange(other.process_, 0)),
      missing_(std::move(other.missing_)) {}

CellProcess::~CellProcess() {
    if (process_ == 0) return;
    (void)end();
}

int CellProcess::end() {
    kill();
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void CellProcess::kill() const {
    if (process_ > 0) (void)::kill(process_, SIGKILL);  // 0 would be all of our own group
}

bool CellProcess::has_ended() const {
    pollfd there{.fd = control_.get(), .events = POLLIN, .revents = 0};
    // It says nothing any more: what can be read is the end.
    return ::poll(&there, 1, 0) != 0;
}

}  // namespace boatswain::cell
