// Looks at the keyring and reads it on a thread of its own: with thousands of key files, or on a slow disk (what the
// files say is kept durably), that takes a second or more, and the I/O thread must not stand still for it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "boatswaind/tenant_resolver.h"
#include "net/event.h"

namespace boatswain::boatswaind {

class KeyReading {
  public:
    KeyReading(boost::asio::any_io_executor executor, TenantResolver& assigning);
    KeyReading(const KeyReading&) = delete;
    ~KeyReading();  // after the executor's last turn; waits for a reading that is under way

    // TenantResolver::refresh_keys, with its reading on the other thread. Of ONE coroutine of the I/O thread; cancellable.
    boost::asio::awaitable<bool> refresh(bool always);

  private:
    void read(std::stop_token stop);

    boost::asio::any_io_executor executor_;
    TenantResolver& tenants_;
    net::Event answered_;
    std::mutex mutex_;
    std::condition_variable_any asked_;
    std::optional<bool> question_;  // `always`
    std::optional<TenantResolver::KeysRead> answer_;
    std::jthread thread_;  // last: it uses the above
};

}  // namespace boatswain::boatswaind
