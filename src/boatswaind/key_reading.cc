#include "boatswaind/key_reading.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace boatswain::boatswaind {

namespace asio = boost::asio;

KeyReading::KeyReading(asio::any_io_executor executor, TenantResolver& assigning)
    : executor_(executor),
      tenants_(assigning),
      answered_(std::move(executor)),
      thread_([this](std::stop_token stop) { read(std::move(stop)); }) {}

KeyReading::~KeyReading() {
    thread_.request_stop();
    thread_.join();
}

void KeyReading::read(std::stop_token stop) {
    for (std::unique_lock lock{mutex_};;) {
        if (!asked_.wait(lock, stop, [&] { return question_.has_value(); })) return;
        bool always = *std::exchange(question_, std::nullopt);
        lock.unlock();
        auto answer = tenants_.read_keys(always);
        lock.lock();
        answer_ = std::move(answer);
        asio::post(executor_, [this] { answered_.notify(); });
    }
}

asio::awaitable<bool> KeyReading::refresh(bool always) {
    {
        std::scoped_lock lock{mutex_};
        question_ = always;
        answer_.reset();
    }
    asked_.notify_one();
    for (;;) {
        co_await answered_.wait();
        std::unique_lock lock{mutex_};
        if (!answer_) continue;
        auto answer = *std::exchange(answer_, std::nullopt);
        lock.unlock();
        co_return tenants_.take(std::move(answer));
    }
}

}  // namespace boatswain::boatswaind
