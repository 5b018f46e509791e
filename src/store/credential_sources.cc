#include "store/credential_sources.h"

#include <simdjson.h>

#include "base/bytes.h"
#include "base/url_text.h"
#include "http/http_client.h"
#include "store/s3_answers.h"
#include "store/sigv4.h"

namespace boatswain::store {
namespace {

using http::HttpAnswer;

using namespace std::chrono_literals;

constexpr std::uint64_t credentials_file_bytes_max = 1 << 20;
constexpr std::uint64_t token_file_bytes_max = 64 << 10;
constexpr std::string_view link_local_metadata = "http://169.254.169.254";
constexpr auto metadata_timeout = 2s;  // it is on this host or nowhere
constexpr auto sts_timeout = 20s;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

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

Result<Credentials> parse_metadata_credentials(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::padded_string padded{json};
    if (parser.parse(padded).get(document) != simdjson::SUCCESS)
        return fail(Remedy::back_off, "the answer is not JSON");
    auto member = [&](const char* name) {
        std::string_view value;
        return document[name].get(value) == simdjson::SUCCESS ? std::string{value} : std::string{};
    };
    if (auto code = member("Code"); !code.empty() && code != "Success")
        return fail(Remedy::back_off, "the answer says " + printable(code));
    auto secret_key = member("SecretAccessKey"), token = member("Token");
    WipeAtEnd wiped_key{secret_key}, wiped_token{token};
    Credentials found{
        .access_key = member("AccessKeyId"), .secret_key = Secret{secret_key}, .session_token = Secret{token}};
    found.expires = parse_time(member("Expiration"));
    if (auto problem = problem_with(found)) return fail(Remedy::back_off, *problem);
    if (!found.expires) return fail(Remedy::back_off, "the answer does not say when its credentials expire");
    return found;
}

}  // namespace

MaybeCredentials from_environment(const Environment& environment) {
    auto access_key = environment("AWS_ACCESS_KEY_ID");
    auto secret_key = environment("AWS_SECRET_ACCESS_KEY");
    if (!access_key && !secret_key) return std::nullopt;
    if (!secret_key) return fail(Remedy::stop, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
    if (!access_key) return fail(Remedy::stop, "AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not");
    auto token = environment("AWS_SESSION_TOKEN").value_or("");
    WipeAtEnd wiped_key{*secret_key}, wiped_token{token};
    Credentials found{.access_key = *access_key,
                      .secret_key = Secret{*secret_key},
                      .session_token = Secret{token},
                      .source = "the environment"};
    if (auto problem = problem_with(found))
        return fail(Remedy::stop, *problem + " (AWS_ACCESS_KEY_ID and its like in the environment)");
    return found;
}

MaybeCredentials from_shared_file(const Environment& environment, const std::optional<std::string>& wanted) {
    auto home = environment("HOME");
    auto named_file = environment("AWS_SHARED_CREDENTIALS_FILE");
    if (!named_file && !home) return std::nullopt;
    Path path = named_file ? Path{*named_file} : Path{*home} / ".aws" / "credentials";
    auto named_profile = wanted ? wanted : environment("AWS_PROFILE");
    auto profile = named_profile.value_or("default");

    auto text = read_file(path, credentials_file_bytes_max);
    bool missing = !text && text.error().remedy == Remedy::re_resolve;
    if (missing && !named_file && !named_profile) return std::nullopt;
    if (!text) return fail(Remedy::stop, "credentials: " + text.error().what);
    WipeAtEnd wiped{*text};
    auto where = "profile \"" + printable(profile) + "\" of " + path.string();
    auto found = from_profile(*text, profile);
    if (!found) return std::unexpected(std::move(found).error().within(where));
    if (!*found && named_profile) return fail(Remedy::stop, "there is no " + where);
    if (*found) {
        (*found)->source = where;
        (*found)->renewable = true;
    }
    return found;
}

MaybeCredentials from_web_identity(const Environment& environment, HttpClient& http, const std::string& region) {
    auto token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
    auto role = environment("AWS_ROLE_ARN");
    if (!token_file || !role) return std::nullopt;
    auto token = read_file(*token_file, token_file_bytes_max);
    if (!token) return fail(Remedy::back_off, "web identity: " + token.error().what);
    WipeAtEnd wiped_token{*token};

    auto endpoint =
        without_slash(environment("AWS_ENDPOINT_URL_STS").value_or("https://sts." + region + ".amazonaws.com"));
    auto form = form_encoded({{"Action", "AssumeRoleWithWebIdentity"},
                              {"Version", "2011-06-15"},
                              {"RoleArn", *role},
                              {"RoleSessionName", environment("AWS_ROLE_SESSION_NAME").value_or("boatswain")},
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
    if (environment("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
    auto endpoint =
        without_slash(environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(std::string{link_local_metadata}));
    auto doing = "instance metadata at " + printable(url_for_people(endpoint));

    auto token =
        ask_metadata(http, "PUT", endpoint + "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    if (!token || token->status == 404 || token->status == 405) return std::nullopt;  // not on such an instance
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
    auto found = parse_metadata_credentials(answer.body);
    WipeAtEnd wiped{answer.body};
    if (!found) return std::unexpected(std::move(found).error().within(doing));
    found->source = doing;
    found->renewable = true;
    return std::move(*found);
}

}  // namespace boatswain::store
