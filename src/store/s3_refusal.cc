#include "store/s3_refusal.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "store/s3_answers.h"

namespace boatswain::store {
namespace {

constexpr std::size_t location_bytes_max = 200;
constexpr std::size_t type_bytes_max = 60;

struct Rule {
    std::string_view code;
    Reaction reaction;
    Remedy remedy;
    std::string_view
        advice;  // said behind the server's message: {key} {bucket} {endpoint} {source} {rights} are filled in
};

// A table: one rule a line, its columns aligned.
// clang-format off
constexpr std::array rules{
    Rule{"SignatureDoesNotMatch", Reaction::give_up, Remedy::stop, "the secret key does not belong to access key {key}, from {source}"},
    Rule{"InvalidAccessKeyId", Reaction::new_credentials, Remedy::stop, "{endpoint} does not know access key {key}, from {source}"},
    // Ceph RGW with STS enabled says AccessDenied to a wrong secret, an unknown access key and an expired session, too.
    Rule{"AccessDenied", Reaction::new_credentials, Remedy::stop, "access key {key}, from {source}, may not do this in bucket {bucket}: the policy must allow {rights}; some servers answer so to a wrong secret key, an unknown access key or an expired session token, too"},
    Rule{"ExpiredToken", Reaction::new_credentials, Remedy::stop, "the session token of access key {key}, from {source}, has expired"},
    Rule{"TokenRefreshRequired", Reaction::new_credentials, Remedy::stop, "the session token of access key {key}, from {source}, must be renewed"},
    Rule{"InvalidToken", Reaction::new_credentials, Remedy::stop, "the session token of access key {key}, from {source}, is not valid"},
    Rule{"RequestTimeTooSkewed", Reaction::set_clock, Remedy::back_off, "this host's clock and that of {endpoint} differ too much"},
    Rule{"RequestExpired", Reaction::set_clock, Remedy::back_off, "this host's clock and that of {endpoint} differ too much"},
    Rule{"NoSuchBucket", Reaction::give_up, Remedy::stop, "there is no bucket {bucket} at {endpoint}"},
    Rule{"NoSuchKey", Reaction::give_up, Remedy::re_resolve, "no such object"},
    Rule{"AuthorizationHeaderMalformed", Reaction::give_up, Remedy::stop, ""},
    Rule{"PermanentRedirect", Reaction::give_up, Remedy::stop, "bucket {bucket} is not served at {endpoint}"},
    Rule{"TemporaryRedirect", Reaction::give_up, Remedy::back_off, "bucket {bucket} is not served at {endpoint} for now"},
    Rule{"QuotaExceeded", Reaction::give_up, Remedy::back_off, "the quota of bucket {bucket} or of its owner is used up"},
    Rule{"EntityTooLarge", Reaction::give_up, Remedy::quarantine, "the object is larger than {endpoint} accepts in one put"},
    Rule{"MaxMessageLengthExceeded", Reaction::give_up, Remedy::quarantine, "the object is larger than {endpoint} accepts in one put"},
    Rule{"KeyTooLongError", Reaction::give_up, Remedy::quarantine, "the key is longer than {endpoint} accepts"},
    Rule{"XMinioInvalidObjectName", Reaction::give_up, Remedy::quarantine, "{endpoint} does not accept a key of this form"},
    Rule{"RequestTimeout", Reaction::ask_again, Remedy::back_off, ""},
    Rule{"IncompleteBody", Reaction::ask_again, Remedy::back_off, ""},
    Rule{"SlowDown", Reaction::ask_again, Remedy::back_off, "{endpoint} asks for fewer requests"},
    Rule{"OperationAborted", Reaction::ask_again, Remedy::back_off, ""},
    Rule{"ConditionalRequestConflict", Reaction::ask_again, Remedy::back_off, "somebody else writes the same key right now"},
};
// clang-format on

// What a policy must allow for this request, and no more: whoever only reads is not asked for the right to write.
std::string_view rights_for(const RefusalContext& context) {
    if (context.method == "PUT")
        return "s3:PutObject (and s3:GetObject of the same keys, to recognise an earlier upload)";
    if (context.lists) return "s3:ListBucket (with a right to one tenant's prefix alone, name it: --tenant)";
    return "s3:GetObject";
}

std::string filled_in(std::string_view advice, const RefusalContext& context) {
    std::string out;
    while (!advice.empty()) {
        auto open = advice.find('{');
        out += advice.substr(0, open);
        if (open == std::string_view::npos) break;
        auto close = advice.find('}', open);
        auto name = advice.substr(open + 1, close - open - 1);
        if (name == "key")
            out += printable(context.credentials.access_key);
        else if (name == "bucket")
            out += context.bucket;
        else if (name == "endpoint")
            out += context.endpoint;
        else if (name == "rights")
            out += rights_for(context);
        else
            out += context.credentials.source;
        advice.remove_prefix(close + 1);
    }
    return out;
}

// Where the bucket really is, when the answer says so in a header or in its body.
std::string region_advice(const HttpAnswer& answer, const S3Error& error) {
    std::string region{answer.header("x-amz-bucket-region")};
    if (region.empty()) region = error.region;
    return region.empty() ? "" : "; the bucket is in region " + printable(region) + ": set region=" + printable(region);
}

std::string redirect_advice(const HttpAnswer& answer, const RefusalContext& context) {
    auto advice =
        "a redirect: bucket " + std::string{context.bucket} + " is not served at " + std::string{context.endpoint};
    auto target = answer.header("location");
    // Without its query: that may hold a signature.
    if (!target.empty())
        advice += ", it says, but at " + printable(target.substr(0, target.find('?')), location_bytes_max);
    return advice;
}

// What a status means when no S3 error is in the body: something in front of the store, or beside it, has answered.
std::string_view advice_of(int status, const RefusalContext& context) {
    switch (status) {
        case 400:
            return context.endpoint.starts_with("http://")
                       ? "no S3 error is in it; if the port speaks TLS, write endpoint=https://..."
                       : "no S3 error is in it; is the endpoint the one of the S3 API?";
        case 401:
        case 403: return "no S3 error is in it: a proxy, or another service than the S3 API, perhaps a console's port";
        case 405: return "no S3 error is in it: another service than the S3 API, perhaps a console's port";
        case 407:
            return "a proxy wants a name and a password: put them into https_proxy or http_proxy, or name the "
                   "endpoint's host in "
                   "no_proxy";
        case 413:
            return "something in front of the store takes no body of this size: raise its limit (nginx: "
                   "client_max_body_size), or "
                   "lower batch.flush_bytes";
        default: return "";
    }
}

Refusal judge_status(const HttpAnswer& answer, const S3Error& error, const RefusalContext& context) {
    bool passing = answer.status == 408 || answer.status == 429 || answer.status >= 500;
    if (answer.status == 501 || answer.status == 505) passing = false;
    if (passing) return {Reaction::ask_again, Remedy::back_off, ""};
    if (answer.status >= 300 && answer.status < 400)
        return {Reaction::give_up, Remedy::stop, redirect_advice(answer, context)};
    if (answer.status == 413)
        return {Reaction::give_up, Remedy::quarantine, std::string{advice_of(answer.status, context)}};
    // The answer to a HEAD has no body, whoever gives it.
    if (context.method == "HEAD" && answer.status == 404)
        return {Reaction::give_up, Remedy::re_resolve, "no such object"};
    if (context.method == "HEAD" && answer.status == 403)
        return {
            Reaction::new_credentials, Remedy::stop,
            filled_in("access key {key}, from {source}, may not read in bucket {bucket}: its policy needs s3:GetObject",
                      context)};
    auto advice = error.code.empty() ? advice_of(answer.status, context) : std::string_view{};
    return {Reaction::give_up, Remedy::stop, std::string{advice}};
}

std::string why_foreign(const HttpAnswer& answer, const RefusalContext& context) {
    std::string why{context.not_s3};
    if (auto type = answer.header("content-type"); type.starts_with("text/html"))
        why += (why.empty() ? "" : ", and ") + std::string{"it is a page (" + printable(type, type_bytes_max) + ")"};
    return "not an answer of an S3 server" + (why.empty() ? "" : ": " + why) + "; is the endpoint right?";
}

// Ceph RGW's answer to a session token that it cannot read has no message, or one about the token.
bool is_about_the_token(const S3Error& error, const RefusalContext& context) {
    return error.code == "InvalidArgument" && !context.credentials.session_token.empty() &&
           (error.message.empty() || error.message.find("oken") != std::string::npos);
}

// The server's own words first: they name the key of KMS, the header, the action that was meant.
std::string explained(const S3Error& error, const std::string& advice) {
    if (error.message.empty() || error.message == error.code) return advice;
    return advice.empty() ? error.message : error.message + "; " + advice;
}

}  // namespace

Refusal judge(const HttpAnswer& answer, const RefusalContext& context) {
    auto error = parse_error(answer.body);
    const auto* rule = std::ranges::find(rules, std::string_view{error.code}, &Rule::code);
    auto refusal = rule == rules.end() ? judge_status(answer, error, context)
                                       : Refusal{rule->reaction, rule->remedy, filled_in(rule->advice, context)};

    // No server of S3 answers so: a proxy, a load balancer or another service speaks in its place, perhaps not for
    // long.
    bool foreign = error.code.empty() && context.method != "HEAD" && (answer.status < 300 || answer.status == 404);
    if (foreign) refusal = {Reaction::ask_again, Remedy::back_off, why_foreign(answer, context)};

    if (is_about_the_token(error, context))
        refusal = {Reaction::new_credentials, Remedy::stop,
                   filled_in("perhaps the session token of access key {key}, from {source}, is not valid", context)};

    auto explanation = explained(error, refusal.what) + region_advice(answer, error);
    refusal.what = std::to_string(answer.status) + (error.code.empty() ? "" : " " + error.code);
    if (!explanation.empty()) refusal.what += " (" + explanation + ")";
    return refusal;
}

}  // namespace boatswain::store
