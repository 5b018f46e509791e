// The rules that the agent really has, tried in a child that has nothing but them and the broker.
#include "boatswaind/confining.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "base/test_directory.h"

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

class Confining : public ::testing::Test {
  protected:
    Confining() {
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

TEST_F(Confining, KeepsTheAgentFromEverySocketThatItDidNotOpenBefore) {
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

TEST_F(Confining, RefusesToStartOnlyWhereItIsToHoldAndTheEngineIsInReach) {
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

TEST(StoreOptions, LetAConfinedAgentStartNoProgram) {
    config::Config config;
    config.sandbox = config::Sandboxing::automatic;
    EXPECT_NE(store_options(config).no_programs_because, "");
    config.sandbox = config::Sandboxing::off;
    EXPECT_EQ(store_options(config).no_programs_because, "");
}

}  // namespace
}  // namespace boatswain::boatswaind
