#include "store/credential_json.h"

#include <simdjson.h>

#include "base/bytes.h"

namespace boatswain::store {

Result<Credentials> parse_credentials(std::string_view json, const CredentialShape& shape) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::padded_string padded{json};
    WipeAtEnd wiped{padded};
    if (parser.parse(padded).get(document) != simdjson::SUCCESS)
        return fail(Remedy::back_off, "the answer is not JSON");
    auto member = [&](std::string_view name) {
        std::string_view value;
        return document[name].get(value) == simdjson::SUCCESS ? std::string{value} : std::string{};
    };
    if (auto code = member("Code"); !code.empty() && code != "Success")
        return fail(Remedy::back_off, "the answer says " + printable(code));
    std::int64_t version = 0;
    if (shape.says_version_1 && (document["Version"].get(version) != simdjson::SUCCESS || version != 1))
        return fail(Remedy::back_off, "the answer does not say \"Version\": 1");
    auto secret_key = member("SecretAccessKey"), token = member(shape.token);
    WipeAtEnd wiped_key{secret_key}, wiped_token{token};
    Credentials found{
        .access_key = member("AccessKeyId"), .secret_key = Secret{secret_key}, .session_token = Secret{token}};
    if (auto problem = tidy(found)) return fail(Remedy::back_off, *problem);
    auto expiration = member("Expiration");
    found.expires = parse_time(trimmed(expiration));
    if (!found.expires && !expiration.empty())
        return fail(Remedy::back_off, "the answer's Expiration is not a time: " + printable(expiration));
    if (!found.expires && shape.must_expire)
        return fail(Remedy::back_off, "the answer does not say when its credentials expire");
    return found;
}

}  // namespace boatswain::store
