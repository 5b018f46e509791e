// Derives recipients from the secrets that containers carry, on a thread of its own: one takes a tenth of a second on
// purpose, and the I/O thread must not stand still for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "record/source.h"
#include "tenancy/carried.h"

namespace boatswain::boatswaind {

class Deriving {
  public:
    // More than this waiting are not taken: their containers ask again.
    static constexpr std::size_t waiting_max = 1000;

    // `derived` is called from the thread after each; CarriedKeys then recalls the result.
    Deriving(tenancy::CarriedKeys& keys, std::function<void()> derived);
    ~Deriving();

    void request(const TenantId& tenant, const std::string& secret);

  private:
    struct Request {
        TenantId tenant = TenantId::unassigned();
        std::string secret;  // wiped when done
    };
    void derive(std::stop_token stop);

    tenancy::CarriedKeys& keys_;
    std::function<void()> derived_;
    std::mutex guard_;
    std::condition_variable_any changed_;
    std::deque<Request> waiting_;
    std::jthread thread_;
};

}  // namespace boatswain::boatswaind
