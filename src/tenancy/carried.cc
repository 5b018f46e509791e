#include "tenancy/carried.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "tenancy/derive.h"

namespace boatswain::tenancy {
namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view spaces = " \t\r\n";
    auto first = text.find_first_not_of(spaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view upper_case) {
    auto same = [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 'a' + 'A' : a) == b; };
    return text.size() >= upper_case.size() && std::ranges::equal(text.substr(0, upper_case.size()), upper_case, same);
}

}  // namespace

CarriedKeys::CarriedKeys() : hash_key_(32, '\0') {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(hash_key_.data()), static_cast<int>(hash_key_.size())) != 1)
        throw std::runtime_error("OpenSSL gives no random bytes");
}

std::string CarriedKeys::digest(const TenantId& tenant, std::string_view secret) const {
    // A tenant's name holds no zero byte, so the two parts cannot be confused.
    auto text = tenant.str() + '\0';
    text += secret;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), hash_key_.data(), static_cast<int>(hash_key_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes, &size);
    OPENSSL_cleanse(text.data(), text.size());
    return {reinterpret_cast<const char*>(bytes), size};
}

std::optional<Result<segment::Recipient>> CarriedKeys::recall(const TenantId& tenant, std::string_view carried) const {
    using Answer = std::optional<Result<segment::Recipient>>;
    auto text = trim(carried);
    if (starts_with_ignoring_case(text, "AGE-SECRET-KEY-"))
        return Answer{fail(Remedy::quarantine,
                           "an age identity (a private key) is carried where a recipient or a secret is meant")};
    if (text.starts_with("age1")) {
        auto recipient = segment::Recipient::parse(text);
        // The text may be a secret that only looks like a recipient, so the error says no more than this.
        if (!recipient) return Answer{fail(Remedy::quarantine, "begins with \"age1\" but is not an age recipient")};
        return recipient;
    }
    // What cannot be derived from is told at once: the length is looked at before any work is done.
    if (carried.size() < secret_bytes_min || carried.size() > secret_bytes_max)
        return derive_recipient(tenant, carried);

    auto id = digest(tenant, carried);
    std::scoped_lock lock{guard_};
    if (auto known = by_digest_.find(id); known != by_digest_.end()) return Answer{known->second};
    return std::nullopt;
}

Result<segment::Recipient> CarriedKeys::resolve(const TenantId& tenant, std::string_view carried) {
    if (auto known = recall(tenant, carried)) return std::move(*known);
    TRY(auto recipient, derive_recipient(tenant, carried));
    auto id = digest(tenant, carried);
    std::scoped_lock lock{guard_};
    if (by_digest_.emplace(id, recipient).second) oldest_first_.push_back(std::move(id));
    if (by_digest_.size() > remembered_max) {
        by_digest_.erase(oldest_first_.front());
        oldest_first_.pop_front();
    }
    return recipient;
}

std::size_t CarriedKeys::remembered() const {
    std::scoped_lock lock{guard_};
    return by_digest_.size();
}

}  // namespace boatswain::tenancy
