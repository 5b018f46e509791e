#include "net/socket_place.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/io_context.hpp>

#include "base/directory_for_test.h"
#include "net/connection.h"

namespace boatswain::net {
namespace {

// What a process leaves there that was killed, or has come between bind() and listen().
void bind_alone(const std::string& path) {
    Fd bound{::socket(AF_UNIX, SOCK_STREAM, 0)};
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(bound.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

class SocketPlaceTest : public ::testing::Test {
  protected:
    Result<std::unique_ptr<Listener>> listen_there() {
        return listen(io.get_executor(), Address{.unix_path = path, .host = {}, .port = 0});
    }
    testing::TestDirectory directory;
    std::string path = (directory / "socket").string();
    boost::asio::io_context io;
};

TEST_F(SocketPlaceTest, KeepsTheSocketOfWhoIsAboutToListen) {
    auto place = SocketPlace::take(path);
    ASSERT_TRUE(place);
    bind_alone(path);
    auto second = listen_there();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().remedy, Remedy::back_off);
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(SocketPlaceTest, ReplacesWhatAKilledProcessLeft) {
    bind_alone(path);
    EXPECT_TRUE(listen_there());
}

TEST_F(SocketPlaceTest, AListenerThatEndsLateKeepsOffItsSuccessorsSocket) {
    auto first = listen_there();
    ASSERT_TRUE(first);
    (*first)->close();
    auto second = listen_there();
    first->reset();
    if (!second) second = listen_there();
    ASSERT_TRUE(second) << second.error().what;
    EXPECT_TRUE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace boatswain::net
