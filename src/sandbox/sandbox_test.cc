// Each test confines a child, which then tries; what came of it comes back through a pipe.
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <thread>

#include "base/directory_for_test.h"

namespace boatswain::sandbox {
namespace {

using testing::TestDirectory;

// "write /etc/x: EACCES", one for each try, in a child that was confined.
class Tries {
  public:
    explicit Tries(int pipe) : pipe_(pipe) {}

    // What a system call said: "ok" or the name of errno.
    void tell(std::string_view what, long result) {
        auto text = std::string{what} + ": " + (result >= 0 ? "ok" : ::strerrorname_np(errno)) + "\n";
        [[maybe_unused]] auto written = ::write(pipe_, text.data(), text.size());
    }

  private:
    int pipe_;
};

// Runs `tries` in a child after `before`; what it told. The last line is how it ended.
std::string told_by_child(const std::function<bool()>& confine, const std::function<void(Tries&)>& tries) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
    auto child = ::fork();
    if (child == 0) {
        Tries told{ends[1]};
        if (!confine()) ::_exit(9);
        tries(told);
        ::_exit(0);  // not exit(): what else the sanitizers do at the end is not ours to allow
    }
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return said + "end " + std::to_string(status);
}

std::string told_by_confined(const Rules& rules, const std::function<void(Tries&)>& tries) {
    return told_by_child([&] { return confine(rules).has_value(); }, tries);
}

int landlock_version() { return static_cast<int>(::syscall(444, nullptr, 0, 1)); }

long open_and_close(const Path& path, int flags) {
    int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
    return fd;
}

TEST(Sandbox, SaysWhatTheKernelOffersAndWhatItLacks) {
    auto said = told_by_child(
        [] {
            auto done = confine({});
            if (!done) return false;
            bool landlock = landlock_version() >= 1;
            return done->seccomp && done->landlock == (landlock ? landlock_version() : 0) &&
                   done->whole() == landlock && done->missing.contains("Landlock") == !landlock &&
                   ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
        },
        [](Tries&) {});
    EXPECT_EQ(said, "end 0");
}

TEST(Sandbox, LetsFilesBeReachedThatWereNamedAndNoOthers) {
    TestDirectory place;
    for (const auto* name : {"own", "read", "other"}) std::filesystem::create_directory(place / name);
    for (const auto* name : {"own/a", "read/a", "other/a", "single"}) testing::write(place / name, "x");
    Rules rules{.read = {place / "read", place / "single", place / "not there"}, .write = {place / "own"}};
    auto said = told_by_confined(rules, [&](Tries& told) {
        told.tell("make own/b", open_and_close(place / "own/b", O_RDWR | O_CREAT));
        told.tell("rename own/b", ::rename((place / "own/b").c_str(), (place / "own/c").c_str()));
        told.tell("link own/c", ::link((place / "own/c").c_str(), (place / "own/d").c_str()));
        told.tell("truncate own/c", ::truncate((place / "own/c").c_str(), 0));
        told.tell("make directory own/e", ::mkdir((place / "own/e").c_str(), 0700));
        told.tell("move own/d own/e/d", ::rename((place / "own/d").c_str(), (place / "own/e/d").c_str()));
        told.tell("remove own/c", ::unlink((place / "own/c").c_str()));
        told.tell("read read/a", open_and_close(place / "read/a", O_RDONLY));
        told.tell("list read", open_and_close(place / "read", O_RDONLY | O_DIRECTORY));
        told.tell("read single", open_and_close(place / "single", O_RDONLY));
        told.tell("watch read", ::inotify_add_watch(::inotify_init1(IN_CLOEXEC), (place / "read").c_str(), IN_CREATE));
        told.tell("write read/a", open_and_close(place / "read/a", O_WRONLY));
        told.tell("make read/b", open_and_close(place / "read/b", O_WRONLY | O_CREAT));
        told.tell("remove read/a", ::unlink((place / "read/a").c_str()));
        told.tell("read other/a", open_and_close(place / "other/a", O_RDONLY));
        told.tell("list other", open_and_close(place / "other", O_RDONLY | O_DIRECTORY));
        told.tell("read through a link", ::symlink((place / "other/a").c_str(), (place / "own/link").c_str()) == 0
                                             ? open_and_close(place / "own/link", O_RDONLY)
                                             : -1);
        told.tell("read /etc/passwd", open_and_close("/etc/passwd", O_RDONLY));
        // Files made in a directory later are below it.
        std::thread later{
            [&] { told.tell("a thread's make own/f", open_and_close(place / "own/f", O_WRONLY | O_CREAT)); }};
        later.join();
        std::thread other{[&] { told.tell("a thread's read other/a", open_and_close(place / "other/a", O_RDONLY)); }};
        other.join();
    });
    std::string allowed =
        "make own/b: ok\nrename own/b: ok\nlink own/c: ok\ntruncate own/c: ok\nmake directory own/e: ok\nmove own/d "
        "own/e/d: ok\n"
        "remove own/c: ok\nread read/a: ok\nlist read: ok\nread single: ok\nwatch read: ok\n";
    // A kernel without Landlock confines no files, and says so (the test above).
    std::string no = landlock_version() >= 1 ? "EACCES" : "ok";
    if (landlock_version() == 1)
        GTEST_FAIL() << "Landlock 1 allows no move between directories: this test knows 2 and later";
    EXPECT_EQ(said, allowed + "write read/a: " + no + "\nmake read/b: " + no + "\nremove read/a: " + no +
                        "\nread other/a: " + no + "\nlist other: " + no + "\nread through a link: " + no +
                        "\nread /etc/passwd: " + no + "\na thread's make own/f: ok\na thread's read other/a: " + no +
                        "\nend 0");
}

TEST(Sandbox, ReadsEverythingWhereThatWasSaidAndWritesNothing) {
    TestDirectory place;
    testing::write(place / "a", "x");
    auto said = told_by_confined({.read_everything = true}, [&](Tries& told) {
        told.tell("read a", open_and_close(place / "a", O_RDONLY));
        told.tell("write a", open_and_close(place / "a", O_WRONLY));
    });
    EXPECT_EQ(said, std::string{"read a: ok\nwrite a: "} + (landlock_version() >= 1 ? "EACCES" : "ok") + "\nend 0");
}

TEST(Sandbox, DeniesWhatADaemonNeverDoes) {
    Rules rules{.read_everything = true};
    auto said = told_by_confined(rules, [](Tries& told) {
        char* const words[] = {nullptr};
        told.tell("execve", ::execve("/bin/true", words, words));
        told.tell("fork", ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        told.tell("clone3", ::syscall(SYS_clone3, nullptr, 0));
        told.tell("ptrace", ::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr));
        told.tell("process_vm_readv", ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0));
        told.tell("mount", ::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr));
        told.tell("unshare", ::syscall(SYS_unshare, CLONE_NEWNS));
        told.tell("setns", ::syscall(SYS_setns, 0, 0));
        told.tell("bpf", ::syscall(SYS_bpf, 0, nullptr, 0));
        told.tell("keyctl", ::syscall(SYS_keyctl, 0, 0, 0, 0, 0));
        told.tell("init_module", ::syscall(SYS_init_module, nullptr, 0, ""));
        told.tell("kexec_load", ::syscall(SYS_kexec_load, 0, 0, nullptr, 0));
        told.tell("io_uring_setup", ::syscall(SYS_io_uring_setup, 1, nullptr));
        told.tell("userfaultfd", ::syscall(SYS_userfaultfd, 0));
        told.tell("memfd_create", ::syscall(SYS_memfd_create, "x", 0));
        told.tell("setuid", ::syscall(SYS_setuid, 0));
        told.tell("clock_settime", ::syscall(SYS_clock_settime, 0, nullptr));
        told.tell("seccomp", ::syscall(SYS_seccomp, 0, 0, nullptr));
        told.tell("packet socket", ::socket(AF_PACKET, SOCK_RAW, 0));
        void* both = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        told.tell("memory to write and execute", both == MAP_FAILED ? -1 : 0);
        int pair[2];
        told.tell("unix socket", ::socket(AF_UNIX, SOCK_STREAM, 0));
        told.tell("unix datagram socket", ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        told.tell("pair of datagram sockets", ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
        // And what it does do.
        told.tell("pair of stream sockets", ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
        told.tell("IPv6 socket", ::socket(AF_INET6, SOCK_STREAM, 0));
        told.tell("netlink socket", ::socket(AF_NETLINK, SOCK_RAW, 0));
        void* plain = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        told.tell("memory", plain == MAP_FAILED ? -1 : 0);
        told.tell("memory to execute", ::mprotect(plain, 4096, PROT_READ | PROT_EXEC));
        std::thread thread{[&] { told.tell("thread", 0); }};
        thread.join();
    });
    std::string wanted;
    for (std::string_view call : {"execve", "fork"}) wanted += std::string{call} + ": EPERM\n";
    wanted += "clone3: ENOSYS\n";
    for (std::string_view call : {"ptrace",
                                  "process_vm_readv",
                                  "mount",
                                  "unshare",
                                  "setns",
                                  "bpf",
                                  "keyctl",
                                  "init_module",
                                  "kexec_load",
                                  "io_uring_setup",
                                  "userfaultfd",
                                  "memfd_create",
                                  "setuid",
                                  "clock_settime",
                                  "seccomp",
                                  "packet socket",
                                  "memory to write and execute",
                                  "unix socket",
                                  "unix datagram socket",
                                  "pair of datagram sockets"})
        wanted += std::string{call} + ": EPERM\n";
    for (std::string_view call :
         {"pair of stream sockets", "IPv6 socket", "netlink socket", "memory", "memory to execute", "thread"})
        wanted += std::string{call} + ": ok\n";
    EXPECT_EQ(said, wanted + "end 0");
}

TEST(Sandbox, HoldsForThreadsThatRanBefore) {
    auto said = told_by_child([] { return true; },
                              [](Tries& told) {
                                  int go[2], done[2];
                                  if (::pipe(go) != 0 || ::pipe(done) != 0) return;
                                  std::thread early{[&] {
                                      char byte = 0;
                                      [[maybe_unused]] auto n = ::read(go[0], &byte, 1);
                                      told.tell("an early thread's mount",
                                                ::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr));
                                  }};
                                  told.tell("confine", confine({.read_everything = true}) ? 0 : -1);
                                  [[maybe_unused]] auto n = ::write(go[1], "x", 1);
                                  early.join();
                              });
    EXPECT_EQ(said, "confine: ok\nan early thread's mount: EPERM\nend 0");
}

TEST(Sandbox, KeepsAGuardFromConnectingOverTcp) {
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 5), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    auto tries = [&](Tries& told) {
        told.tell("connect", ::connect(::socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address), size));
    };
    EXPECT_EQ(told_by_confined({.read_everything = true, .connect_tcp = true}, tries), "connect: ok\nend 0");
    EXPECT_EQ(told_by_confined({.read_everything = true, .connect_tcp = false}, tries),
              std::string{"connect: "} + (landlock_version() >= 4 ? "EACCES" : "ok") + "\nend 0");
    ::close(listener);
}

}  // namespace
}  // namespace boatswain::sandbox
