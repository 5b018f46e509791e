// A child isolates itself, and then tries. (What a cell finds is in cell/cells_test.cc.)
#include "sandbox/isolation.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

namespace boatswain::sandbox {
namespace {

// How a child ended: its exit code; or minus the signal.
int code_of_child(const std::function<bool()>& tries) {
    auto child = ::fork();
    if (child == 0) {
        auto isolated = isolate();
        ::_exit(isolated && isolated->seccomp ? (tries() ? 0 : 1) : 9);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Isolation, LeavesMemoryAndThreads) {
    EXPECT_EQ(code_of_child([] {
                  int answer = 0;
                  std::string text(10'000'000, 'x');
                  std::thread{[&] { answer = static_cast<int>(text.size()); }}.join();
                  return answer == 10'000'000;
              }),
              0);
}

TEST(Isolation, LeavesDescriptorsThatAreThere) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Fd one{ends[0]}, other{ends[1]};
    EXPECT_EQ(code_of_child([&] {
                  char byte = 'x';
                  return ::send(one.get(), &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(other.get(), &byte, 1, 0) == 1;
              }),
              0);
}

TEST(Isolation, OpensNothing) {
    EXPECT_EQ(code_of_child([] {
                  return ::open("/dev/null", O_RDONLY | O_CLOEXEC) == -1 && ::socket(AF_INET, SOCK_DGRAM, 0) == -1 &&
                         ::socket(AF_UNIX, SOCK_STREAM, 0) == -1 && ::fork() == -1 &&
                         ::execl("/bin/true", "true", nullptr) == -1 && ::kill(::getppid(), 0) == -1;
              }),
              0);
}

TEST(Isolation, MakesNoMemoryExecutable) {
    EXPECT_EQ(code_of_child([] {
                  constexpr std::size_t page = 4096;
                  auto* memory = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return memory != MAP_FAILED && ::mprotect(memory, page, PROT_READ | PROT_EXEC) == -1;
              }),
              0);
}

TEST(Isolation, MayEndItselfAndNobodyElse) {
    EXPECT_EQ(code_of_child([] {
                  (void)::signal(SIGABRT, SIG_DFL);
                  std::abort();
                  return true;
              }),
              -SIGABRT);
}

}  // namespace
}  // namespace boatswain::sandbox
