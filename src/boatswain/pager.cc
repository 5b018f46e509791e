#include "boatswain/pager.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace boatswain::tool {

namespace {

// In the child, which may only exec: others' threads could hold what it needs. The words of `script` are for a shell.
[[noreturn]] void become_pager(int input, const char* script) {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(input, STDIN_FILENO);
    ::execl("/bin/sh", "sh", "-c", script, static_cast<char*>(nullptr));
    ::_exit(127);
}

// Puts `to` in the place of `fd`, and gives what was there.
int exchange(int fd, int to) {
    int before = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    ::dup2(to, fd);
    return before;
}

void restore(int fd, int before) {
    if (before < 0) return;
    ::dup2(before, fd);
    ::close(before);
}

}  // namespace

Pager::Pager(bool wanted, Console& console) : console_(console) {
    const char* pager = std::getenv("PAGER");
    if (!wanted || pager == nullptr || *pager == '\0' || std::string_view{pager} == "cat") return;
    if (!console.out.is_terminal()) return;
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
    console.out.flush();
    // Colours pass through less, and what fits on one screen is just printed.
    auto script = "LESS=${LESS-FRX} && export LESS && " + std::string{pager};
    process_ = ::fork();
    if (process_ == 0) become_pager(pipe[0], script.c_str());
    if (process_ > 0) {
        ::signal(SIGINT, SIG_IGN);
        out_ = exchange(STDOUT_FILENO, pipe[1]);
        if (console.err.is_terminal()) err_ = exchange(STDERR_FILENO, pipe[1]);
        console.err.lose_terminal();
    }
    ::close(pipe[0]);
    ::close(pipe[1]);
}

Pager::~Pager() {
    if (process_ <= 0) return;
    console_.out.flush();
    console_.err.flush();
    restore(STDERR_FILENO, err_);
    restore(STDOUT_FILENO, out_);  // closes the pager's input
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::signal(SIGINT, SIG_DFL);
}

}  // namespace boatswain::tool
