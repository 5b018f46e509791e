// A store in a bucket of S3, or of a server that speaks its language. Measured against Ceph RGW (docs/operate/s3.md).
//
// Invariants
//   - An object is put with `If-None-Match: *`: it is created or refused; only replace() overwrites. Whether what was
//     there is the same is decided by the SHA-256 it carries (x-amz-meta-sha256), or by its bytes.
//   - An answer counts only when it looks like S3's own (a put has an ETag): a proxy's page is trouble, not success.
//   - Every call ends: see RetryOptions for how long it may start new attempts, HttpOptions for how long one may take.
//   - No error holds a secret key or a session token. Access keys are named, as S3's own answers do.
#pragma once

#include <atomic>
#include <functional>

#include "http/client/http_client.h"
#include "store/credentials.h"
#include "store/retry.h"
#include "store/s3_refusal.h"
#include "store/store.h"
#include "store/url.h"

namespace boatswain::store {

using http::HttpOptions;
using http::NameValues;

struct S3Options {
    std::string bucket;
    std::string prefix;    // without '/' at either end; may be empty
    std::string endpoint;  // "https://s3.eu-west-1.amazonaws.com"
    std::string region;
    bool path_style = false;
    std::optional<std::string> profile;
    HttpOptions http;
    RetryOptions retry;
    Environment environment = process_environment;
    std::function<void(std::chrono::milliseconds)> sleep;  // between attempts; empty: sleeps
    std::function<void(const Waiting&)> on_wait{};         // as OpenOptions has it
    std::string no_programs_because{};
};

// What the url says, completed from the environment (AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_CA_BUNDLE)
// and with S3's defaults. Remedy::stop when a variable holds what cannot be one.
Result<S3Options> complete(const S3Url& url, Environment environment);

class S3Store final : public Store {
  public:
    static constexpr std::uint64_t object_bytes_max = 256ULL << 20;  // of an object that read() reads whole
    static constexpr std::uint64_t listing_bytes_max = 16ULL << 20;  // of the XML of one page
    static constexpr std::uint64_t error_bytes_max = 64ULL << 10;    // of a refusal's body

    S3Store(S3Options options, const Clock& clock);

    Result<PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<RangeBytes> read(std::string_view key, Range range) override;
    Result<std::string> read(std::string_view key) override;
    Result<ListPage> list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) override;
    Result<void> probe() override;
    std::string describe() const override;

  private:
    // One request as its caller means it; signing, retrying and judging are added by exchange().
    struct Call {
        std::string_view method = "GET";
        std::string key;  // in the bucket, prefix included; empty for the bucket itself
        NameValues query{};
        NameValues headers{};
        std::string_view body{};
        std::string payload_hash{};  // hex; empty: of no body
        std::uint64_t answer_bytes_max = error_bytes_max;
        std::vector<int> accepted{200};
        // What keeps an accepted answer from being S3's; empty: nothing.
        std::function<std::optional<std::string>(const HttpAnswer&)> problem_in{};
        std::string doing{};  // "put s3://bucket/key"
    };
    struct Attempts;  // what one exchange has tried already

    Result<std::string> full_key(std::string_view key, std::string_view verb) const;
    std::string doing(std::string_view verb, std::string_view full_key) const;
    Result<HttpAnswer> exchange(const Call& call);
    Result<HttpAnswer> attempt(const Call& call, const Credentials& credentials, const Attempts& attempts);
    Result<PutOutcome> compare(const Call& put, std::string_view bytes, std::string_view sha256);
    Result<std::uint64_t> object_size(const std::string& key, const std::string& doing);
    Refusal judge_attempt(const Call& call, const Result<HttpAnswer>& answer, const std::string& not_s3,
                          const Credentials& credentials) const;
    void wait(const Call& call, const std::string& why, std::chrono::milliseconds delay,
              const Attempts& attempts) const;
    std::optional<Error> recover(const Call& call, Refusal refusal, const Result<HttpAnswer>& answer,
                                 const Credentials& credentials, Attempts& attempts);
    bool has_new_credentials(const Credentials& refused, Attempts& attempts);
    bool learn_clock(const HttpAnswer& answer);
    std::string host() const;

    const S3Options options_;
    const Clock& clock_;
    HttpClient http_;
    CredentialChain credentials_;
    std::atomic<std::int64_t> clock_offset_seconds_{0};  // the server's clock minus ours, once it complained
};

}  // namespace boatswain::store
