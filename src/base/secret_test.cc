#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/core_dump.h"

namespace boatswain {
namespace {

// In a child of its own, whose limits are nobody else's.
int ends_with(const std::function<bool()>& holds) {
    auto child = ::fork();
    if (child == 0) ::_exit(holds() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

// What the kernel says is locked of this process (proc_pid_status(5)).
std::size_t locked_kilobytes() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmLck:")) return std::stoul(line.substr(6));
    return 0;
}

TEST(Secret, HoldsItsBytes) {
    Secret empty, one{"hunter2"}, copy = one, moved = std::move(one);
    EXPECT_EQ(empty.view(), "");
    EXPECT_TRUE(empty.empty());
    EXPECT_EQ(copy.view(), "hunter2");
    EXPECT_EQ(moved.view(), "hunter2");
    EXPECT_EQ(moved, copy);
    EXPECT_NE(moved, Secret{"hunter3"});
    EXPECT_NE(moved, Secret{"hunter22"});
    copy = empty;
    EXPECT_TRUE(copy.empty());
    std::string large(100'000, 'x');
    EXPECT_EQ(Secret{large}.view(), large);
}

template <class T>
concept CanBePrinted = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CannotBePrintedOrTakenForAText) {
    EXPECT_FALSE(CanBePrinted<Secret>);
    EXPECT_FALSE((std::is_convertible_v<Secret, std::string>));
    EXPECT_FALSE((std::is_convertible_v<Secret, std::string_view>));
    EXPECT_FALSE((std::is_convertible_v<std::string, Secret>));
}

TEST(Secret, IsWipedWhenItEnds) {
    // A second secret on the page keeps it from being given back, so that it can still be looked at.
    Secret neighbour{"neighbour"};
    const char* place = nullptr;
    {
        Secret secret{"hunter2"};
        place = secret.view().data();
    }
    EXPECT_EQ(std::string(place, 7), std::string(7, '\0'));
    {
        SecretValue<std::array<char, 8>> value{{'h', 'u', 'n', 't', 'e', 'r', '2', '!'}};
        place = (*value).data();
    }
    EXPECT_EQ(std::string(place, 8), std::string(8, '\0'));
}

TEST(Secret, IsInMemoryThatTheKernelLocks) {
    EXPECT_EQ(ends_with([] {
                  std::vector<Secret> secrets;
                  for (int i = 0; i < 64; ++i) secrets.emplace_back("secret " + std::to_string(i));
                  auto used = secret_memory();
                  return used.unlocked_bytes == 0 && used.locked_bytes == 4096 &&
                         locked_kilobytes() * 1024 >= used.locked_bytes;
              }),
              0);
}

TEST(Secret, GivesItsPagesBack) {
    EXPECT_EQ(ends_with([] {
                  {
                      std::vector<Secret> secrets(1000, Secret{std::string(1000, 'x')});
                      secrets.emplace_back(std::string(1 << 20, 'x'));
                  }
                  return secret_memory().locked_bytes + secret_memory().unlocked_bytes == 0;
              }),
              0);
}

TEST(Secret, IsKeptAndCountedWhereTheKernelLocksNoMore) {
    EXPECT_EQ(ends_with([] {
                  const rlimit little{.rlim_cur = 8192, .rlim_max = 8192};
                  // Whoever may lock as much as it likes is not bound by the limit.
                  if (::setrlimit(RLIMIT_MEMLOCK, &little) != 0 || (::geteuid() == 0 && ::setuid(65534) != 0))
                      return false;
                  std::vector<Secret> secrets;
                  for (int i = 0; i < 10; ++i) secrets.emplace_back(std::string(4000, 's'));
                  auto used = secret_memory();
                  return used.locked_bytes == 8192 && used.unlocked_bytes == std::size_t{8} * 4096 &&
                         secrets.back().view() == std::string(4000, 's');
              }),
              0);
}

TEST(Secret, IsNotInAChild) {
    Secret secret{"hunter2"};
    EXPECT_EQ(ends_with([&] { return secret.view() == std::string_view{"\0\0\0\0\0\0\0", 7}; }), 0);
}

TEST(CoreDump, IsForbiddenForAProcessAndWhatItStarts) {
    EXPECT_EQ(ends_with([] {
                  rlimit limit{.rlim_cur = 1, .rlim_max = 1};
                  return forbid_core_dumps().has_value() && ::getrlimit(RLIMIT_CORE, &limit) == 0 &&
                         limit.rlim_cur == 0 && limit.rlim_max == 0;
              }),
              0);
}

}  // namespace
}  // namespace boatswain
