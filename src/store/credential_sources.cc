#include "store/credential_sources.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/url_text.h"
#include "http/client/http_client.h"
#include "store/credential_json.h"
#include "store/s3_answers.h"
#include "store/sigv4.h"

namespace boatswain::store {
namespace {

using http::HttpAnswer;

using namespace std::chrono_literals;

constexpr std::uint64_t token_file_bytes_max = 64 << 10;
constexpr std::string_view link_local_metadata = "http://169.254.169.254";
constexpr std::string_view link_local_metadata_6 = "http://[fd00:ec2::254]";
constexpr auto metadata_timeout = 2s;  // it is on this host or nowhere
constexpr auto sts_timeout = 20s;

std::string without_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

std::string form_encoded(const NameValues& fields) { return canonical_query(fields); }

Result<HttpAnswer> ask_metadata(HttpClient& http, const std::string& method, std::string url, NameValues headers) {
    return http.send({.method = method,
                      .url = std::move(url),
                      .headers = std::move(headers),
                      .timeout = metadata_timeout,
                      .direct = true});
}

std::string metadata_endpoint(const Environment& environment) {
    auto mode = setting(environment, {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"});
    bool six = mode && (*mode == "IPv6" || *mode == "ipv6" || *mode == "IPV6");
    return without_slash(setting(environment, {"AWS_EC2_METADATA_SERVICE_ENDPOINT"})
                             .value_or(std::string{six ? link_local_metadata_6 : link_local_metadata}));
}

// An instance gives the token's answer a life of one hop, unless its owner sets another: a container's bridge is one
// more, and the answer never arrives.
std::unexpected<Error> nobody_answers(const std::string& doing, const Error& error) {
    auto what = doing + " does not answer: " + error.what;
    if (error.cause == std::errc::timed_out)
        what +=
            "; in a container the instance's hop limit must be 2 (aws ec2 modify-instance-metadata-options "
            "--http-put-response-hop-limit 2)";
    return fail(Remedy::re_resolve, std::move(what));
}

}  // namespace

MaybeCredentials from_environment(const Environment& environment) {
    auto access_key = setting(environment, {"AWS_ACCESS_KEY_ID"});
    auto secret_key = setting(environment, {"AWS_SECRET_ACCESS_KEY"});
    if (!access_key && !secret_key) return std::nullopt;
    if (!secret_key) return fail(Remedy::stop, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
    if (!access_key) return fail(Remedy::stop, "AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not");
    auto token = setting(environment, {"AWS_SESSION_TOKEN"}).value_or("");
    WipeAtEnd wiped_key{*secret_key}, wiped_token{token};
    Credentials found{.access_key = *access_key,
                      .secret_key = Secret{*secret_key},
                      .session_token = Secret{token},
                      .source = "the environment"};
    if (auto problem = tidy(found))
        return fail(Remedy::stop, *problem + " (AWS_ACCESS_KEY_ID and its like in the environment)");
    return found;
}

MaybeCredentials from_web_identity(const Environment& environment, HttpClient& http, const std::string& region) {
    auto token_file = setting(environment, {"AWS_WEB_IDENTITY_TOKEN_FILE"});
    auto role = setting(environment, {"AWS_ROLE_ARN"});
    if (!token_file || !role) return std::nullopt;
    auto token = read_file(*token_file, token_file_bytes_max);
    if (!token) return fail(Remedy::back_off, "web identity: " + token.error().what);
    WipeAtEnd wiped_token{*token};

    auto endpoint = endpoint_setting(environment, "STS")
                        .value_or("https://sts." + region + "." + std::string{amazon_domain(region)});
    auto form =
        form_encoded({{"Action", "AssumeRoleWithWebIdentity"},
                      {"Version", "2011-06-15"},
                      {"RoleArn", *role},
                      {"RoleSessionName", setting(environment, {"AWS_ROLE_SESSION_NAME"}).value_or("boatswain")},
                      {"WebIdentityToken", std::string{trimmed(*token)}}});
    WipeAtEnd wiped_form{form};
    auto doing = "web identity of " + printable(*role) + " at " + printable(url_for_people(endpoint));
    auto answer = http.send({.method = "POST",
                             .url = endpoint + "/",
                             .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                             .body = form,
                             .timeout = sts_timeout});
    if (!answer) return std::unexpected(std::move(answer).error().within(doing));
    if (answer->status != 200) {
        auto error = parse_error(answer->body);
        bool refused = answer->status == 400 || answer->status == 403;
        return fail(refused ? Remedy::stop : Remedy::back_off,
                    doing + ": " + std::to_string(answer->status) + " " + error.code + " " + error.message);
    }
    auto found = parse_assumed_role(answer->body);
    WipeAtEnd wiped_answer{answer->body};
    if (!found) return std::unexpected(std::move(found).error().within(doing));
    found->source = doing;
    found->renewable = true;
    return std::move(*found);
}

MaybeCredentials from_instance_metadata(const Environment& environment, HttpClient& http) {
    if (is_true(environment, "AWS_EC2_METADATA_DISABLED")) return std::nullopt;
    auto endpoint = metadata_endpoint(environment);
    auto doing = "instance metadata at " + printable(url_for_people(endpoint));

    auto token =
        ask_metadata(http, "PUT", endpoint + "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    if (!token) return nobody_answers(doing, token.error());
    if (token->status == 404 || token->status == 405) return std::nullopt;  // not on such an instance
    if (token->status != 200) return fail(Remedy::back_off, doing + ": no token: " + std::to_string(token->status));
    NameValues with_token{{"X-aws-ec2-metadata-token", std::string{trimmed(token->body)}}};

    auto roles_url = endpoint + "/latest/meta-data/iam/security-credentials/";
    TRY(auto roles, ask_metadata(http, "GET", roles_url, with_token));
    if (roles.status == 404) return std::nullopt;  // an instance without a role
    auto role = std::string{trimmed(std::string_view{roles.body}.substr(0, roles.body.find('\n')))};
    if (roles.status != 200 || role.empty())
        return fail(Remedy::back_off, doing + ": no role: " + std::to_string(roles.status));

    TRY(auto answer, ask_metadata(http, "GET", roles_url + uri_encode(role), with_token));
    if (answer.status != 200)
        return fail(Remedy::back_off, doing + ": no credentials: " + std::to_string(answer.status));
    auto found = parse_credentials(answer.body, {.token = "Token", .must_expire = true});
    WipeAtEnd wiped{answer.body};
    if (!found) return std::unexpected(std::move(found).error().within(doing));
    found->source = doing;
    found->renewable = true;
    return std::move(*found);
}

}  // namespace boatswain::store
