// Any bytes as a set of keys, and any bytes as a token for a set that is good: refused, or unknown; never good.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oidc/claims.h"
#include "oidc/key_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::vector all{crypto::SignatureKind::rs256, crypto::SignatureKind::es256, crypto::SignatureKind::eddsa};
    // The key of RFC 8037's example, whose private half signs nothing here.
    static const auto known = oidc::KeySet::parse(
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})", all);
    std::string claims;
    if (!known || known->check(text, claims) == oidc::Signature::good) std::abort();
    if (auto set = oidc::KeySet::parse(text, all)) {
        if (set->size() > oidc::keys_max) std::abort();
        (void)set->check(text, claims);
    }
    oidc::Settings settings;
    settings.issuer = "i";
    settings.audiences = {"a"};
    if (auto bearer = oidc::bearer_of(text, settings, Timestamp{std::chrono::seconds{1'800'000'000}}))
        if (bearer->tenant.str().starts_with('_') || bearer->tenant.str().empty()) std::abort();
    return 0;
}
