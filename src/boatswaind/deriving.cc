#include "boatswaind/deriving.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace boatswain::boatswaind {

Deriving::Deriving(tenancy::CarriedKeys& keys, std::function<void()> derived)
    : keys_(keys), derived_(std::move(derived)), thread_([this](std::stop_token stop) { derive(std::move(stop)); }) {}

Deriving::~Deriving() {
    thread_.request_stop();
    thread_.join();
    for (auto& request : waiting_) OPENSSL_cleanse(request.secret.data(), request.secret.size());
}

void Deriving::request(const TenantId& tenant, const std::string& secret) {
    {
        std::scoped_lock lock{guard_};
        auto same = [&](const Request& other) { return other.tenant == tenant && other.secret == secret; };
        if (waiting_.size() >= waiting_max || std::ranges::any_of(waiting_, same)) return;
        waiting_.push_back({tenant, secret});
    }
    changed_.notify_one();
}

void Deriving::derive(std::stop_token stop) {
    for (;;) {
        Request request;
        {
            std::unique_lock lock{guard_};
            if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
            request = std::move(waiting_.front());
            waiting_.pop_front();
        }
        (void)keys_.resolve(request.tenant, request.secret);  // an error is found again, and told, by the one who asks
        OPENSSL_cleanse(request.secret.data(), request.secret.size());
        derived_();
    }
}

}  // namespace boatswain::boatswaind
