#include "store/credentials.h"

#include <algorithm>

#include "store/credential_sources.h"

namespace boatswain::store {
namespace {

constexpr std::size_t key_bytes_max = 512;
constexpr std::size_t token_bytes_max = 16 << 10;

bool fits_a_header(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool stands_in_quotes(std::string_view text) {
    return text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
}

constexpr std::string_view where_to_put_them =
    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, "
    "or write a shared credentials file (AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials); neither a container's "
    "service (AWS_CONTAINER_CREDENTIALS_FULL_URI) nor an instance metadata service gave any either";

// What keeps one part from standing in a header.
std::optional<std::string> problem_of(std::string_view what, std::string_view text, std::size_t bytes_max) {
    auto the = "the " + std::string{what};
    if (stands_in_quotes(text)) return the + " stands in quotes: take them away";
    if (std::ranges::any_of(text, is_blank)) return the + " holds a blank or newline inside";
    if (!fits_a_header(text)) return the + " is malformed: it holds a character that is not printable ASCII";
    if (text.size() > bytes_max) return the + " is malformed: longer than " + std::to_string(bytes_max) + " bytes";
    return std::nullopt;
}

}  // namespace

std::optional<std::string> tidy(Credentials& credentials) {
    credentials.access_key = std::string{trimmed(credentials.access_key)};
    credentials.secret_key = Secret{trimmed(credentials.secret_key.view())};
    credentials.session_token = Secret{trimmed(credentials.session_token.view())};
    if (credentials.access_key.empty()) return "the access key is missing";
    if (credentials.secret_key.empty()) return "the secret key is missing";
    auto problem = problem_of("access key", credentials.access_key, key_bytes_max);
    if (!problem) problem = problem_of("secret key", credentials.secret_key.view(), key_bytes_max);
    if (!problem) problem = problem_of("session token", credentials.session_token.view(), token_bytes_max);
    return problem;
}

CredentialChain::CredentialChain(HttpClient& http, const Clock& clock, Environment environment,
                                 CredentialOptions options)
    : http_(http), clock_(clock), environment_(std::move(environment)), options_(std::move(options)) {}

bool CredentialChain::is_fresh() const {
    if (!kept_ || refused_) return false;
    auto now = clock_.now();
    if (!kept_->expires) return now - asked_ < reread_after;
    return now < *kept_->expires - refresh_before_expiry || (now < *kept_->expires && now - asked_ < ask_again_after);
}

Result<Credentials> CredentialChain::get() {
    std::lock_guard lock{mutex_};
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
    std::lock_guard lock{mutex_};
    // Another thread may have asked for new ones meanwhile.
    if (kept_ && kept_->access_key == credentials.access_key && kept_->session_token == credentials.session_token)
        refused_ = true;
}

Result<Credentials> CredentialChain::find() {
    if (options_.profile) {
        TRY(auto found, from_shared_files(environment_, options_));
        if (found) return std::move(*found);
        return fail(
            Remedy::stop,
            "no credentials: there is no shared credentials file (AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials)");
    }
    TRY(auto found, from_environment(environment_));
    if (!found) {
        TRY(found, from_web_identity(environment_, http_, options_.region));
    }
    if (!found) {
        TRY(found, from_shared_files(environment_, options_));
    }
    if (!found) {
        TRY(found, from_container(environment_, http_));
    }
    if (found) return std::move(*found);
    auto instance = from_instance_metadata(environment_, http_);
    if (!instance && instance.error().remedy == Remedy::re_resolve)
        return fail(Remedy::stop, std::string{where_to_put_them} + ": " + instance.error().what);
    if (!instance) return std::unexpected(std::move(instance).error());
    if (!*instance) return fail(Remedy::stop, std::string{where_to_put_them});
    return std::move(**instance);
}

}  // namespace boatswain::store
