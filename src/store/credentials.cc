#include "store/credentials.h"

#include <algorithm>
#include <cstdlib>

#include "store/credential_sources.h"

namespace boatswain::store {
namespace {

constexpr std::size_t key_bytes_max = 512;
constexpr std::size_t token_bytes_max = 16 << 10;

bool fits_a_header(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

constexpr std::string_view where_to_put_them =
    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, "
    "or write a "
    "shared credentials file (AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials); no instance metadata service gave any "
    "either";

}  // namespace

std::optional<std::string> problem_with(const Credentials& credentials) {
    if (credentials.access_key.empty()) return "the access key is missing";
    if (credentials.secret_key.empty()) return "the secret key is missing";
    if (!fits_a_header(credentials.access_key) || credentials.access_key.size() > key_bytes_max)
        return "the access key is malformed";
    if (!fits_a_header(credentials.secret_key.view()) || credentials.secret_key.size() > key_bytes_max)
        return "the secret key is malformed";
    if (!fits_a_header(credentials.session_token.view()) || credentials.session_token.size() > token_bytes_max)
        return "the session token is malformed";
    return std::nullopt;
}

std::optional<std::string> process_environment(std::string_view name) {
    const char* value = std::getenv(std::string{name}.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

CredentialChain::CredentialChain(HttpClient& http, const Clock& clock, Environment environment,
                                 std::optional<std::string> profile, std::string region)
    : http_(http),
      clock_(clock),
      environment_(std::move(environment)),
      profile_(std::move(profile)),
      region_(std::move(region)) {}

bool CredentialChain::is_fresh() const {
    if (!kept_ || refused_) return false;
    auto now = clock_.now();
    if (!kept_->expires) return now - asked_ < reread_after;
    return now < *kept_->expires - refresh_before_expiry || (now < *kept_->expires && now - asked_ < ask_again_after);
}

Result<Credentials> CredentialChain::get() {
    std::lock_guard lock{guard_};
    if (is_fresh()) return *kept_;
    auto found = find();
    asked_ = clock_.now();
    if (found) {
        kept_ = std::move(*found);
        refused_ = false;
        return *kept_;
    }
    if (!kept_) return found;
    // The source fails for now. What it gave before serves as long as it is valid.
    if (!refused_ && (!kept_->expires || clock_.now() < *kept_->expires)) return *kept_;
    auto error = std::move(found).error();
    if (kept_->renewable) error.remedy = Remedy::back_off;
    return std::unexpected(std::move(error));
}

void CredentialChain::refused(const Credentials& credentials) {
    std::lock_guard lock{guard_};
    // Another thread may have asked for new ones meanwhile.
    if (kept_ && kept_->access_key == credentials.access_key && kept_->session_token == credentials.session_token)
        refused_ = true;
}

Result<Credentials> CredentialChain::find() {
    if (profile_) {
        TRY(auto found, from_shared_file(environment_, profile_));
        if (found) return std::move(*found);
        return fail(
            Remedy::stop,
            "no credentials: there is no shared credentials file (AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials)");
    }
    TRY(auto found, from_environment(environment_));
    if (!found) {
        TRY(found, from_web_identity(environment_, http_, region_));
    }
    if (!found) {
        TRY(found, from_shared_file(environment_, std::nullopt));
    }
    if (!found) {
        TRY(found, from_instance_metadata(environment_, http_));
    }
    if (!found) return fail(Remedy::stop, std::string{where_to_put_them});
    return std::move(*found);
}

}  // namespace boatswain::store
