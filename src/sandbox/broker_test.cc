// A real broker, and a child that is confined and has nothing but it.
#include "sandbox/broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <functional>
#include <thread>

#include "base/directory_for_test.h"
#include "sandbox/sandbox.h"

namespace boatswain::sandbox {
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

int connect_errno(const std::string& name) {
    Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto [address, size] = address_of(name);
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return errno;
    return 0;
}

// Answers each connection by `says`, once a request has come, and ends it.
class Server {
  public:
    Server(const std::string& name, std::string says, int type = SOCK_STREAM)
        : listener_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)), says_(std::move(says)) {
        auto [address, size] = address_of(name);
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        if (type != SOCK_STREAM) return;
        EXPECT_EQ(::listen(listener_.get(), 16), 0);
        thread_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
    }
    std::string heard() const {  // of a datagram socket
        pollfd waiting{.fd = listener_.get(), .events = POLLIN, .revents = 0};
        char text[200];
        auto size = ::poll(&waiting, 1, 5000) > 0 ? ::recv(listener_.get(), text, sizeof text, 0) : 0;
        return {text, static_cast<std::size_t>(size)};
    }

  private:
    void serve(const std::stop_token& stop) const {
        while (!stop.stop_requested()) {
            pollfd waiting{.fd = listener_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&waiting, 1, 20) <= 0) continue;
            Fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            char request[1000];
            pollfd asking{.fd = client.get(), .events = POLLIN, .revents = 0};
            if (::poll(&asking, 1, 200) <= 0 || ::recv(client.get(), request, sizeof request, 0) <= 0) continue;
            (void)::send(client.get(), says_.data(), says_.size(), MSG_NOSIGNAL);
        }
    }

    Fd listener_;
    std::string says_;
    std::jthread thread_;
};

constexpr const char* guard_says = "HTTP/1.1 403 Forbidden\r\n\r\n{\"message\":\"boatswaind guard: not allowed\"}";
constexpr const char* engine_says = "HTTP/1.1 404 Not Found\r\n\r\n{\"message\":\"page not found\"}";

// What the broker answers: the byte, and whether a descriptor came with it that `use` is given.
int answer_of(const Broker& broker, const std::function<void(int)>& use = {}) {
    auto reply = broker.ask_engine();
    if (!reply) return -1;
    pollfd waiting{.fd = reply->get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return -2;
    unsigned char said = 0;
    iovec bytes{.iov_base = &said, .iov_len = 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(reply->get(), &message, 0) != 1) return -3;
    auto* header = CMSG_FIRSTHDR(&message);
    if ((header != nullptr) != (said == 0)) return -4;
    if (header == nullptr) return said;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    if (use) use(descriptor);
    ::close(descriptor);
    return 0;
}

// In a child, before which no thread ran.
int ends_with(const std::function<int()>& body) {
    auto child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class BrokerTest : public ::testing::Test {
  protected:
    TestDirectory place;
    std::string engine = (place / "docker.sock").string();
};

TEST_F(BrokerTest, IsTheOneWayToASocketForWhoIsConfined) {
    Server docker{engine, engine_says}, containerd{(place / "containerd.sock").string(), "x"};
    std::string nameless = "@boatswain-broker-" + std::to_string(::getpid());
    Server abstract{nameless, "x"};
    EXPECT_EQ(
        ends_with([&] {
            for (const auto& name : {engine, (place / "containerd.sock").string(), nameless})
                if (connect_errno(name) != 0) return 1;  // all of them are there
            auto broker = Broker::start({.engine = engine});
            if (!broker || !confine({.read_everything = true})) return 2;
            for (const auto& name : {engine, (place / "containerd.sock").string(), nameless})
                if (connect_errno(name) != EPERM) return 3;
            std::string said;
            auto use = [&](int connection) {
                char text[100];
                (void)::send(connection, "ask", 3, 0);
                pollfd answered{.fd = connection, .events = POLLIN, .revents = 0};
                (void)::poll(&answered, 1, 10'000);
                auto size = ::recv(connection, text, sizeof text, 0);
                said.assign(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
                // It cannot be made to lead elsewhere.
                auto [address, bytes] = address_of((place / "containerd.sock").string());
                if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), bytes) == 0 || errno != EISCONN)
                    said.clear();
            };
            for (int i = 0; i < 3; ++i)
                if (answer_of(*broker, use) != 0 || said != engine_says) return 4;
            return 0;
        }),
        0);
}

TEST_F(BrokerTest, LeadsToAGuardAloneWhereThatIsAskedFor) {
    auto asked = [&] {
        return ends_with([&] {
            auto broker = Broker::start({.engine = engine, .only_guard = true});
            return broker ? answer_of(*broker) : 99;
        });
    };
    EXPECT_EQ(asked(), ENOENT) << "nobody is there yet";
    EXPECT_EQ(look_behind(engine), Behind::nobody);
    {
        Server docker{engine, engine_says};
        EXPECT_EQ(asked(), not_a_guard);
        EXPECT_EQ(look_behind(engine), Behind::something_else);
    }
    std::filesystem::remove(engine);
    Server guard{engine, guard_says};
    EXPECT_EQ(asked(), 0);
    EXPECT_EQ(look_behind(engine), Behind::guard);
}

TEST_F(BrokerTest, TellsTheServiceManager) {
    for (const auto& name : {(place / "notify").string(), "@boatswain-notify-" + std::to_string(::getpid())}) {
        Server manager{name, "", SOCK_DGRAM};
        EXPECT_EQ(ends_with([&] {
                      auto broker = Broker::start({.manager = name});
                      if (!broker || !confine({.read_everything = true})) return 1;
                      return broker->notify("STOPPING=1") ? 0 : 2;
                  }),
                  0);
        EXPECT_EQ(manager.heard(), "STOPPING=1") << name;
    }
    EXPECT_EQ(ends_with([&] {
                  auto broker = Broker::start({.manager = "/nowhere/at/all"});
                  return broker && !broker->notify("STOPPING=1") ? 0 : 1;
              }),
              0);
}

TEST_F(BrokerTest, EndsWithItsParentAndIsSeenToEnd) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, 0), 0);  // the broker has it too, but closes it
    EXPECT_EQ(ends_with([&] {
                  auto broker = Broker::start({.engine = engine});
                  if (!broker) return 1;
                  pollfd alive{.fd = broker->descriptor(), .events = POLLIN, .revents = 0};
                  if (::poll(&alive, 1, 100) != 0) return 2;
                  ::kill(broker->process(), SIGKILL);
                  if (::poll(&alive, 1, 10'000) != 1) return 3;
                  return broker->ask_engine() ? 4 : 0;
              }),
              0);
    EXPECT_EQ(ends_with([&] {
                  auto broker = Broker::start({.engine = engine});
                  return broker && answer_of(*broker) == ENOENT ? 0 : 1;
              }),
              0);
    ::close(ends[1]);
    pollfd closed{.fd = ends[0], .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1) << "nobody has the other end";
    ::close(ends[0]);
}

}  // namespace
}  // namespace boatswain::sandbox
