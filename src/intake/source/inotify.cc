#include "intake/source/inotify.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

namespace boatswain::intake {

namespace asio = boost::asio;

struct Inotify::State {
    State(asio::any_io_executor executor, int fd) : descriptor(std::move(executor), fd) {}
    asio::posix::stream_descriptor descriptor;
};

Inotify::Inotify(std::unique_ptr<State> state) : state_(std::move(state)) {}
Inotify::~Inotify() = default;

Result<std::unique_ptr<Inotify>> Inotify::open(asio::any_io_executor executor) {
    int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return fail_errno(Remedy::back_off, "watch files");
    return std::unique_ptr<Inotify>{new Inotify(std::make_unique<State>(std::move(executor), fd))};
}

int Inotify::add(const Path& directory, std::uint32_t mask) {
    return ::inotify_add_watch(state_->descriptor.native_handle(), directory.c_str(), mask | IN_ONLYDIR);
}

void Inotify::remove(int watch) { ::inotify_rm_watch(state_->descriptor.native_handle(), watch); }

asio::awaitable<void> Inotify::wait() {
    co_await state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

bool Inotify::read(const std::function<void(const FileEvent&)>& each) {
    alignas(inotify_event) char buffer[16384];
    bool complete = true;
    for (;;) {
        auto size = ::read(state_->descriptor.native_handle(), buffer, sizeof buffer);
        if (size <= 0) return complete;
        for (char* at = buffer; at < buffer + size;) {
            inotify_event event{};
            std::memcpy(&event, at, sizeof event);
            std::string_view name = event.len > 0 ? std::string_view{at + sizeof event} : std::string_view{};
            at += sizeof event + event.len;
            if (event.mask & IN_Q_OVERFLOW)
                complete = false;
            else
                each({.watch = event.wd, .mask = event.mask, .name = name});
        }
    }
}

}  // namespace boatswain::intake
