#include "tenancy/carried.h"

#include <algorithm>
#include <stdexcept>

#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/random.h"
#include "tenancy/derive.h"

namespace boatswain::tenancy {
namespace {

// Copies are made of copies, or under the guard: one that is alone stays alone while the guard is held.
bool is_idle(const auto& remembered) { return remembered.key.use_count() == 1; }

}  // namespace

CarriedKeys::CarriedKeys(Bounds bounds) : bounds_(bounds), hash_key_(32, '\0') {
    crypto::random_bytes(hash_key_.data(), hash_key_.size());
}

std::string CarriedKeys::digest(const TenantId& tenant, std::string_view secret) const {
    // A tenant's name holds no zero byte, so the two parts cannot be confused.
    auto text = tenant.str() + '\0';
    text += secret;
    WipeAtEnd wiped{text};
    return std::string{crypto::as_view(crypto::hmac_sha256(hash_key_, text))};
}

std::optional<Result<CarriedKeys::Key>> CarriedKeys::recall(const TenantId& tenant, const CarriedText& carried) {
    using Answer = std::optional<Result<Key>>;
    auto meaning = read_carried(carried);
    switch (meaning.is) {
        case CarriedMeaning::Is::refused: return Answer{fail(Remedy::quarantine, std::move(meaning.why))};
        case CarriedMeaning::Is::recipient:
            return Answer{std::make_shared<const CarriedKey>(CarriedKey{.recipient = *meaning.recipient})};
        case CarriedMeaning::Is::secret: break;
    }
    // The length is looked at before any work is done.
    if (auto usable = check_secret(carried.text); !usable) return Answer{std::unexpected(usable.error())};

    auto id = digest(tenant, carried.text);
    std::scoped_lock lock{mutex_};
    if (auto known = find(tenant, id)) return Answer{std::move(known)};
    return std::nullopt;
}

CarriedKeys::Key CarriedKeys::find(const TenantId& tenant, const std::string& id) {
    auto keys = by_tenant_.find(tenant.str());
    if (keys == by_tenant_.end()) return nullptr;
    auto known = keys->second.find(id);
    if (known == keys->second.end()) return nullptr;
    known->second.used = ++uses_;
    return known->second.key;
}

Result<CarriedKeys::Key> CarriedKeys::derive(const TenantId& tenant, std::string_view secret) {
    auto id = digest(tenant, secret);
    {
        std::scoped_lock lock{mutex_};
        if (auto known = find(tenant, id)) return known;
    }
    TRY(auto recipient, derive_recipient(tenant, secret));
    std::scoped_lock lock{mutex_};
    if (auto known = find(tenant, id)) return known;
    if (!make_room(tenant.str()))
        return fail(Remedy::back_off, "more keys derived from secrets are in use than can be remembered");
    auto key = std::make_shared<const CarriedKey>(CarriedKey{.recipient = recipient, .derived = true});
    by_tenant_[tenant.str()][id] = {.key = key, .used = ++uses_};
    ++remembered_;
    return key;
}

bool CarriedKeys::forget_one(OfTenant& keys) {
    auto oldest = keys.end();
    for (auto one = keys.begin(); one != keys.end(); ++one)
        if (is_idle(one->second) && (oldest == keys.end() || one->second.used < oldest->second.used)) oldest = one;
    if (oldest == keys.end()) return false;
    keys.erase(oldest);
    --remembered_;
    return true;
}

bool CarriedKeys::make_room(const std::string& tenant) {
    if (auto own = by_tenant_.find(tenant);
        own != by_tenant_.end() && own->second.size() >= bounds_.remembered_of_tenant_max && !forget_one(own->second))
        return false;
    if (remembered_ < bounds_.remembered_max) return true;
    // Of the tenant that has most idle ones, so that nobody is pushed out by whoever makes up names.
    auto idle = [](const auto& entry) {
        return std::ranges::count_if(entry.second, [](const auto& one) { return is_idle(one.second); });
    };
    auto most = std::ranges::max_element(by_tenant_, {}, idle);
    if (!forget_one(most->second)) return false;
    if (most->second.empty()) by_tenant_.erase(most);
    return true;
}

bool CarriedKeys::has_room(const TenantId& tenant) const {
    std::scoped_lock lock{mutex_};
    auto has_idle = [](const OfTenant& keys) {
        return std::ranges::any_of(keys, [](const auto& one) { return is_idle(one.second); });
    };
    auto own = by_tenant_.find(tenant.str());
    if (own != by_tenant_.end() && own->second.size() >= bounds_.remembered_of_tenant_max) return has_idle(own->second);
    return remembered_ < bounds_.remembered_max ||
           std::ranges::any_of(by_tenant_, [&](const auto& entry) { return has_idle(entry.second); });
}

std::size_t CarriedKeys::remembered() const {
    std::scoped_lock lock{mutex_};
    return remembered_;
}

}  // namespace boatswain::tenancy
