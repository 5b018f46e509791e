#include "boatswaind/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"

namespace boatswain::boatswaind {
namespace {

// A service manager's socket; '@' at the start of `name` stands for an abstract one.
Fd listen_at(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    Fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1));
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return socket;
}

std::string heard(const Fd& socket) {
    char bytes[100];
    auto size = ::recv(socket.get(), bytes, sizeof bytes, 0);
    return size < 0 ? "(nothing)" : std::string{bytes, static_cast<std::size_t>(size)};
}

TEST(Notify, TellsTheManagerAtAPathAndAtAnAbstractName) {
    std::string pattern = std::filesystem::temp_directory_path() / "boatswain-notify-XXXXXX";
    std::string directory = ::mkdtemp(pattern.data());
    for (const auto& name : {directory + "/n", "@boatswain-notify-" + std::to_string(::getpid())}) {
        auto manager = listen_at(name);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        auto told = notify_manager("READY=1");
        EXPECT_TRUE(told) << told.error().what;
        EXPECT_EQ(heard(manager), "READY=1") << name;
    }
    ::unsetenv("NOTIFY_SOCKET");
    std::filesystem::remove_all(directory);
}

TEST(Notify, DoesNothingWhenNobodyAsked) {
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_TRUE(notify_manager("READY=1"));
}

TEST(Notify, SaysSoWhenTheManagerIsNotThere) {
    for (const auto& name : {std::string{"/nowhere/at/all"}, std::string{"relative"}, std::string(200, '/')}) {
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        EXPECT_FALSE(notify_manager("READY=1")) << name;
    }
    ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace boatswain::boatswaind
