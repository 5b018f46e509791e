// The rules that the agent really has, tried in a child that has nothing but them and the broker.
#include "boatswaind/sandbox_setup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "base/directory_for_test.h"
#include "crypto/digest.h"
#include "intake/driver/hold.h"

namespace boatswain::boatswaind {
namespace {

using boatswain::testing::TestDirectory;

std::pair<sockaddr_un, socklen_t> address_of(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    auto size = offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1);
    return {address, static_cast<socklen_t>(size)};
}

Fd listen_at(const std::string& name) {
    Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto [address, size] = address_of(name);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket.get(), 16), 0);
    return socket;
}

bool connects(const std::string& name) {
    Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto [address, size] = address_of(name);
    return socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

int ends_with(const std::function<int()>& body) {
    auto child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class SandboxSetup : public ::testing::Test {
  protected:
    SandboxSetup() {
        config.state_dir = place / "state";
        config.store.url = "dir:" + (place / "store").string();
        config.engine.socket = (place / "docker.sock").string();
        config.tenancy.keyring = place / "keys";
        config.docker.root = place / "docker";
        config.control = place / "state/agent.sock";
        std::filesystem::create_directories(config.state_dir);
        std::filesystem::create_directories(place / "docker/containers");
    }
    TestDirectory place;
    config::Config config;
    SystemClock clock;
    Log log{clock, STDERR_FILENO, LogFormat::text, LogLevel::error};
};

TEST_F(SandboxSetup, KeepsTheAgentFromEverySocketThatItDidNotOpenBefore) {
    std::string nameless = "@boatswain-confining-" + std::to_string(::getpid());
    std::vector<std::string> names{config.engine.socket, (place / "containerd.sock").string(),
                                   (config.state_dir / "beside.sock").string(), nameless};
    std::vector<Fd> listening;
    for (const auto& name : names) listening.push_back(listen_at(name));
    config.sandbox = config::Sandboxing::automatic;
    // Nobody answers at the engine's socket, as when an engine hangs: it is not taken for a guard, and used all the
    // same.
    EXPECT_EQ(ends_with([&] {
                  for (const auto& name : names)
                      if (!connects(name)) return 1;
                  auto broker = confine_agent(config, log);
                  if (!broker || !*broker) return 2;
                  for (const auto& name : names)
                      if (connects(name)) return 3;
                  return (*broker)->ask_engine() ? 0 : 4;
              }),
              0);
}

TEST_F(SandboxSetup, RefusesToStartOnlyWhereItIsToHoldAndTheEngineIsInReach) {
    auto engine = listen_at(config.engine.socket);
    config.sandbox = config::Sandboxing::on;
    EXPECT_EQ(ends_with([&] {
                  auto refused = confine_agent(config, log);
                  return !refused && refused.error().what.contains("not a guard's") ? 0 : 1;
              }),
              0);
    config.engine.socket = "tcp://127.0.0.1:2375";
    EXPECT_EQ(ends_with([&] {
                  auto refused = confine_agent(config, log);
                  return !refused && refused.error().what.contains("not a guard's") ? 0 : 1;
              }),
              0);
    config.sandbox = config::Sandboxing::off;
    EXPECT_EQ(ends_with([&] {
                  auto broker = confine_agent(config, log);
                  return broker && !*broker && connects((place / "docker.sock").string()) ? 0 : 1;
              }),
              0);
}

// Else what a crash of the host took would not be told from what was held before it.
TEST_F(SandboxSetup, KnowsTheStartOfItsHostAllTheSame) {
    config.sandbox = config::Sandboxing::automatic;
    config.driver.enabled = true;
    config.driver.hold_dir = "/dev/shm/boatswain-confining-" + std::to_string(::getpid());
    config.driver.socket = place / "plugin.sock";
    EXPECT_EQ(ends_with([&] {
                  if (!confine_agent(config, log)) return 1;
                  return intake::driver::this_boot() == intake::driver::unknown_boot ? 2 : 0;
              }),
              0);
    std::filesystem::remove_all(config.driver.hold_dir);
}

// Of the host it needs the directory of holds and the FIFOs, and no more of the engine than the broker's connections.
TEST_F(SandboxSetup, KeepsTheDriverFromTheEngineAndFromContainersLogs) {
    auto engine = listen_at(config.engine.socket);
    boatswain::testing::write(place / "docker/containers/log", "a line\n");
    boatswain::testing::write(config.state_dir / "keyring.last", "");
    config.tenancy.keyring = place / "etc/keys";  // the directory around it may be read as well
    std::filesystem::create_directories(config.tenancy.keyring);
    config.sandbox = config::Sandboxing::automatic;
    config.driver.enabled = true;
    config.driver.hold_dir = "/dev/shm/boatswain-confining-" + std::to_string(::getpid());
    config.driver.socket = place / "plugin/plugin.sock";
    auto opens = [](const Path& path, int flags) {
        return static_cast<bool>(Fd{::open(path.c_str(), flags | O_CLOEXEC, 0600)});
    };
    EXPECT_EQ(ends_with([&] {
                  auto broker = confine_driver(config, log);
                  if (!broker || !*broker) return 1;
                  if (connects(config.engine.socket)) return 2;
                  if (!(*broker)->ask_engine()) return 3;
                  if (opens(place / "docker/containers/log", O_RDONLY)) return 4;
                  if (opens(config.state_dir / "new", O_WRONLY | O_CREAT)) return 5;
                  if (!opens(config.state_dir / "keyring.last", O_RDONLY)) return 6;
                  if (!opens(config.tenancy.keyring, O_RDONLY | O_DIRECTORY)) return 7;
                  if (!opens(config.driver.hold_dir / "new", O_WRONLY | O_CREAT)) return 8;
                  if (!opens(place / "plugin/new", O_WRONLY | O_CREAT)) return 9;
                  return 0;
              }),
              0);
    std::filesystem::remove_all(config.driver.hold_dir);
}

// Another directory under the same name is what a file system that is mounted again is to Landlock.
TEST_F(SandboxSetup, SaysThatTheStoreIsAnotherDirectoryThanAtTheStart) {
    config.sandbox = config::Sandboxing::automatic;
    auto store_dir = place / "store";
    int confined[2], changed[2];
    ASSERT_EQ(::pipe(confined), 0);
    ASSERT_EQ(::pipe(changed), 0);
    auto child = ::fork();
    if (child == 0) {
        auto said = [&]() -> int {
            char byte = 0;
            SystemClock clock;
            if (!confine_agent(config, log)) return 1;
            auto store = store::open_store(config.store.url, clock, store_options(config)).value();
            if (!store->put("v1/a", "bytes", crypto::sha256("bytes")) || store->lost()) return 2;
            if (::write(confined[1], "c", 1) != 1 || ::read(changed[0], &byte, 1) != 1) return 3;
            auto refused = store->put("v1/b", "bytes", crypto::sha256("bytes"));
            if (refused || !refused.error().what.contains("another directory than at the start")) return 4;
            if (!store->lost()) return 5;
            if (::write(confined[1], "c", 1) != 1 || ::read(changed[0], &byte, 1) != 1) return 6;
            return store->put("v1/b", "bytes", crypto::sha256("bytes")) && !store->lost() ? 0 : 7;
        }();
        ::_exit(said);
    }
    ::close(confined[1]);  // so that a child that gives up is not waited for
    char byte = 0;
    ASSERT_EQ(::read(confined[0], &byte, 1), 1);
    std::filesystem::rename(store_dir, place / "before");
    std::filesystem::create_directory(store_dir);
    ASSERT_EQ(::write(changed[1], "n", 1), 1);
    ASSERT_EQ(::read(confined[0], &byte, 1), 1);
    std::filesystem::remove(store_dir);
    std::filesystem::rename(place / "before", store_dir);
    ASSERT_EQ(::write(changed[1], "n", 1), 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StoreOptions, LetAConfinedAgentStartNoProgram) {
    config::Config config;
    config.sandbox = config::Sandboxing::automatic;
    EXPECT_NE(store_options(config).no_programs_because, "");
    config.sandbox = config::Sandboxing::off;
    EXPECT_EQ(store_options(config).no_programs_because, "");
}

}  // namespace
}  // namespace boatswain::boatswaind
