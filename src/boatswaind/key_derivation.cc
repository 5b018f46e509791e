#include "boatswaind/key_derivation.h"

#include <algorithm>
#include <utility>

namespace boatswain::boatswaind {

KeyDerivationWorker::KeyDerivationWorker(tenancy::CarriedKeys& keys, std::function<void()> derived)
    : keys_(keys), derived_(std::move(derived)), thread_([this](std::stop_token stop) { derive(std::move(stop)); }) {}

KeyDerivationWorker::~KeyDerivationWorker() {
    thread_.request_stop();
    thread_.join();
}

std::size_t KeyDerivationWorker::room_of(const Tenant& tenant) const {
    if (!keys_.has_room(tenant.id)) return 0;
    if (waiting_ >= waiting_max) return tenant.requests.empty() ? 1 : 0;
    return waiting_of_tenant_max - std::min(waiting_of_tenant_max, tenant.requests.size());
}

void KeyDerivationWorker::request(const TenantId& tenant, const std::string& secret, const std::string& container) {
    {
        Secret wanted{secret};
        std::scoped_lock lock{mutex_};
        auto& own = tenants_[tenant.str()];
        own.id = tenant;
        auto same = std::ranges::find(own.requests, wanted, &Request::secret);
        if (same != own.requests.end()) {
            same->containers.insert(container);
            return;
        }
        if (room_of(own) == 0) {
            own.later.insert(container);
            return;
        }
        if (own.requests.empty()) run_queue_.push_back(tenant.str());
        own.requests.push_back({std::move(wanted), {container}});
        ++waiting_;
    }
    changed_.notify_one();
}

void KeyDerivationWorker::derive(std::stop_token stop) {
    for (;;) {
        Request request;
        TenantId tenant = TenantId::unassigned();
        {
            std::unique_lock lock{mutex_};
            if (!changed_.wait(lock, stop, [&] { return !run_queue_.empty(); })) return;
            auto name = std::move(run_queue_.front());
            run_queue_.pop_front();
            auto& own = tenants_.at(name);
            tenant = own.id;
            request = std::move(own.requests.front());
            own.requests.pop_front();
            --waiting_;
            if (!own.requests.empty()) run_queue_.push_back(std::move(name));
        }
        auto key = keys_.derive(tenant, request.secret.view());
        request.secret = Secret{};
        settle(tenant, std::move(request.containers), key.has_value());
        if (key) derived_();  // a failure is not tried again at once
    }
}

// What could not be derived (no memory, no room) is asked for again with those that came too late.
void KeyDerivationWorker::settle(const TenantId& tenant, std::set<std::string> containers, bool derived) {
    std::scoped_lock lock{mutex_};
    auto& own = tenants_[tenant.str()];
    own.id = tenant;
    if (derived)
        ready_.merge(containers);
    else
        own.later.merge(containers);
    if (own.requests.empty() && own.later.empty()) tenants_.erase(tenant.str());
}

std::vector<std::string> KeyDerivationWorker::take_ready() {
    std::scoped_lock lock{mutex_};
    auto ready = std::exchange(ready_, {});
    for (auto one = tenants_.begin(); one != tenants_.end();) {
        auto& tenant = one->second;
        auto room = tenant.later.empty() ? 0 : room_of(tenant);
        for (; room > 0 && !tenant.later.empty(); --room) ready.insert(tenant.later.extract(tenant.later.begin()));
        one = tenant.later.empty() && tenant.requests.empty() ? tenants_.erase(one) : std::next(one);
    }
    return {ready.begin(), ready.end()};
}

std::size_t KeyDerivationWorker::waiting() const {
    std::scoped_lock lock{mutex_};
    return waiting_;
}

}  // namespace boatswain::boatswaind
