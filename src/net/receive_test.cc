// A connection that another process makes for us, and news that is another descriptor's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstring>

#include "net/connection.h"
#include "net/run_for_test.h"

namespace boatswain::net {
namespace {

namespace asio = boost::asio;

std::pair<Fd, Fd> make_pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return {Fd{ends[0]}, Fd{ends[1]}};
}

// As a broker answers: one byte, and the descriptor with it.
void answer(const Fd& channel, const Fd& connection) {
    char byte = 0;
    iovec bytes{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int descriptor = connection.get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    EXPECT_EQ(::sendmsg(channel.get(), &message, MSG_NOSIGNAL), 1);
}

class ReceiveTest : public ::testing::Test {
  public:  // coroutines are free functions
    // A connection to `peer`, got as the agent gets its engine's.
    std::unique_ptr<Connection> connection_to(Fd& peer) {
        auto [ours, its] = make_pair();
        auto [here, there] = make_pair();
        peer = std::move(there);
        answer(its, here);
        std::unique_ptr<Connection> made;
        asio::co_spawn(
            io,
            [](ReceiveTest& test, Fd reply, std::unique_ptr<Connection>& into) -> asio::awaitable<void> {
                auto got = co_await receive(test.io.get_executor(), std::move(reply), "peer", "refused", no_deadline);
                if (got) into = std::move(*got);
            }(*this, std::move(ours), made),
            asio::detached);
        EXPECT_TRUE(testing::run_until(io, [&] { return made != nullptr; }));
        return made;
    }

    asio::io_context io{1};
};

TEST_F(ReceiveTest, ABrokerThatEndsWithoutAWordIsAnError) {
    auto [ours, its] = make_pair();
    its = Fd{};
    std::optional<Error> error;
    asio::co_spawn(
        io,
        [](ReceiveTest&, asio::any_io_executor executor, Fd reply, auto& into) -> asio::awaitable<void> {
            auto got = co_await receive(executor, std::move(reply), "peer", "refused", no_deadline);
            if (!got) into = got.error();
        }(*this, io.get_executor(), std::move(ours), error),
        asio::detached);
    EXPECT_TRUE(testing::run_until(io, [&] { return error.has_value(); }));
    EXPECT_THAT(error->what, ::testing::HasSubstr("Broken pipe"));
}

// Asio has news of two descriptors at once. What the first one's reader does (it closes the second, and asks for a
// connection) gives the second one's place to the new descriptor, and its news with it.
TEST_F(ReceiveTest, NewsOfAClosedDescriptorIsNoAnswer) {
    Fd first_peer, second_peer;
    auto first = connection_to(first_peer), second = connection_to(second_peer);
    auto [ours, its] = make_pair();
    auto [here, there] = make_pair();
    std::optional<std::string> outcome;
    asio::co_spawn(
        io,
        [](ReceiveTest& test, Connection& read, Connection& closed, Fd reply, auto& into) -> asio::awaitable<void> {
            char byte = 0;
            (void)co_await read.read_some({&byte, 1}, no_deadline);
            closed.close();
            auto got = co_await receive(test.io.get_executor(), std::move(reply), "peer", "refused", no_deadline);
            into = got ? "connected" : got.error().what;
        }(*this, *first, *second, std::move(ours), outcome),
        asio::detached);
    asio::co_spawn(
        io,
        [](Connection& read) -> asio::awaitable<void> {
            char byte = 0;
            (void)co_await read.read_some({&byte, 1}, no_deadline);
        }(*second),
        asio::detached);
    testing::run_for(io, std::chrono::milliseconds{20});
    EXPECT_EQ(::write(first_peer.get(), "1", 1), 1);
    EXPECT_EQ(::write(second_peer.get(), "2", 1), 1);
    testing::run_for(io, std::chrono::milliseconds{20});
    EXPECT_FALSE(outcome) << *outcome;
    answer(its, here);
    EXPECT_TRUE(testing::run_until(io, [&] { return outcome.has_value(); }));
    EXPECT_EQ(*outcome, "connected");
}

}  // namespace
}  // namespace boatswain::net
