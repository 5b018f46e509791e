// The S3 server that with_rgw.sh starts, as its owner: what Store does not offer.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "store/s3.h"
#include "store/sigv4.h"

namespace boatswain::live {

using namespace store;

inline const SystemClock system_clock;

inline std::string from_wrapper(std::string_view name) {
    auto value = process_environment(name);
    if (!value) throw std::runtime_error(std::string{name} + " is not set: run this by with_rgw.sh");
    return *value;
}

// A signed request of a kind that Store does not offer.
inline Result<HttpAnswer> ask(const std::string& method, const std::string& path, const NameValues& form,
                              const std::string& service) {
    auto endpoint = from_wrapper("RGW_ENDPOINT");
    auto body = canonical_query(form);
    auto hash = to_hex(crypto::sha256(body));
    auto now = system_clock.now();
    NameValues headers{{"Host", endpoint.substr(7)},
                       {"x-amz-date", amz_date(now)},
                       {"x-amz-content-sha256", hash},
                       {"Content-Type", "application/x-www-form-urlencoded"}};
    auto access_key = from_wrapper("AWS_ACCESS_KEY_ID"), secret_key = from_wrapper("AWS_SECRET_ACCESS_KEY");
    headers.emplace_back(
        "Authorization",
        authorization({.method = method, .path = path, .query = {}, .headers = headers, .payload_hash = hash},
                      {.access_key = access_key,
                       .secret_key = secret_key,
                       .region = "us-east-1",
                       .service = service,
                       .time = now}));
    HttpClient http{{}};
    return http.send({.method = method, .url = endpoint + path, .headers = headers, .body = body});
}

inline void make_bucket(const std::string& name) {
    auto made = ask("PUT", "/" + name, {}, "s3");
    if (!made || made->status != 200)
        throw std::runtime_error("cannot make bucket " + name + ": " + (made ? made->body : made.error().what));
}

}  // namespace boatswain::live
