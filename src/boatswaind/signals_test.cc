// Each test sends signals to a child of its own: what is blocked, and what is pending, belongs to a process.
#include "boatswaind/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;

int ends_with(const std::function<int()>& body) {
    auto child = ::fork();
    if (child == 0) {
        Signals::block();
        ::_exit(body());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// What has come by now, order by order.
class Listening {
  public:
    std::vector<SignalOrder> operator()() {
        std::vector<SignalOrder> orders;
        asio::co_spawn(
            io_,
            [&]() -> asio::awaitable<void> {
                for (;;) orders.push_back(co_await signals_->next());
            },
            asio::detached);
        io_.restart();
        io_.poll();
        return orders;
    }

  private:
    asio::io_context io_;
    std::unique_ptr<Signals> signals_ = Signals::open(io_.get_executor()).value();
};

TEST(Signals, ManyWishesToReloadAreOne) {
    EXPECT_EQ(ends_with([] {
                  Listening orders;
                  for (int i = 0; i < 140; ++i) ::kill(::getpid(), SIGHUP);
                  auto came = orders();
                  return came.size() == 1 && came[0].reload && came[0].to_end == 0 ? 0 : 1;
              }),
              0);
}

TEST(Signals, ToEndComesBeforeToReload) {
    EXPECT_EQ(ends_with([] {
                  Listening orders;
                  ::kill(::getpid(), SIGHUP);
                  ::kill(::getpid(), SIGTERM);
                  ::kill(::getpid(), SIGHUP);
                  if (!told_to_end()) return 1;
                  auto came = orders();
                  return came.size() == 1 && !came[0].reload && came[0].to_end == SIGTERM && !told_to_end() ? 0 : 2;
              }),
              0);
}

TEST(Signals, ASecondOneEndsTheProcessButAWishToReloadDoesNot) {
    EXPECT_EQ(ends_with([] {
                  let_second_signal_end();
                  ::kill(::getpid(), SIGHUP);
                  return 7;
              }),
              7);
    EXPECT_EQ(ends_with([] {
                  let_second_signal_end();
                  ::kill(::getpid(), SIGTERM);
                  return 7;
              }),
              -SIGTERM);
}

}  // namespace
}  // namespace boatswain::boatswaind
