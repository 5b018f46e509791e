#include "boatswaind/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <initializer_list>

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : signals) sigaddset(&set, signal);
    return set;
}

sigset_t obeyed() { return set_of({SIGTERM, SIGINT, SIGHUP}); }

class SignalDescriptor final : public Signals {
  public:
    SignalDescriptor(const asio::any_io_executor& executor, int descriptor) : descriptor_(executor, descriptor) {}

    asio::awaitable<SignalOrder> next() override {
        for (;;) {
            auto order = take();
            if (order.to_end != 0 || order.reload) co_return order;
            co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
        }
    }

  private:
    // All that wait: at most one of each kind.
    SignalOrder take() {
        SignalOrder order;
        signalfd_siginfo info{};
        while (::read(descriptor_.native_handle(), &info, sizeof info) == sizeof info) {
            auto signal = static_cast<int>(info.ssi_signo);
            if (signal == SIGHUP)
                order.reload = true;
            else
                order.to_end = signal;
        }
        if (order.to_end != 0) order.reload = false;
        return order;
    }

    asio::posix::stream_descriptor descriptor_;
};

}  // namespace

void Signals::block() {
    auto signals = obeyed();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Result<std::unique_ptr<Signals>> Signals::open(asio::any_io_executor executor) {
    auto signals = obeyed();
    int descriptor = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor < 0) return fail_errno(Remedy::stop, "listen to signals");
    return std::make_unique<SignalDescriptor>(executor, descriptor);
}

bool told_to_end() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

void let_second_signal_end() {
    auto ending = set_of({SIGTERM, SIGINT});
    pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
}

}  // namespace boatswain::boatswaind
