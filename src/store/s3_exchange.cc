// How S3Store speaks: each request is signed, sent, judged, and sent again when that may help.
#include <curl/curl.h>

#include <algorithm>
#include <random>
#include <thread>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "store/s3.h"
#include "store/sigv4.h"

namespace boatswain::store {
namespace {

// The hex SHA-256 of nothing.
constexpr std::string_view hash_of_no_body = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// So that a person who waits is not left alone for a long pause.
constexpr std::chrono::milliseconds slice_max{500};

std::chrono::milliseconds so_far(const Clock& clock, std::chrono::steady_clock::time_point began) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - began);
}

std::uint64_t random_seed() { return std::random_device{}(); }

}  // namespace

// What one exchange has tried: new credentials and the server's clock help once or never.
struct S3Store::Attempts {
    Backoff backoff;
    std::chrono::steady_clock::time_point began;
    bool asked_for_new_credentials = false;
    bool set_clock = false;
};

std::string S3Store::host() const {
    auto host = options_.endpoint.substr(options_.endpoint.find("://") + 3);
    return options_.path_style ? host : options_.bucket + "." + host;
}

Result<HttpAnswer> S3Store::attempt(const Call& call, const Credentials& credentials, const Attempts& attempts) {
    auto now = clock_.now() + std::chrono::seconds{clock_offset_seconds_.load()};
    auto payload_hash = call.payload_hash.empty() ? std::string{hash_of_no_body} : call.payload_hash;
    auto path = canonical_path((options_.path_style ? "/" + options_.bucket : "") + "/" + call.key);

    auto headers = call.headers;
    headers.emplace_back("Host", host());
    headers.emplace_back("x-amz-date", amz_date(now));
    headers.emplace_back("x-amz-content-sha256", payload_hash);
    if (!credentials.session_token.empty())
        headers.emplace_back("x-amz-security-token", credentials.session_token.view());
    headers.emplace_back("Authorization", authorization({.method = call.method,
                                                         .path = path,
                                                         .query = call.query,
                                                         .headers = headers,
                                                         .payload_hash = payload_hash},
                                                        {.access_key = credentials.access_key,
                                                         .secret_key = credentials.secret_key.view(),
                                                         .region = options_.region,
                                                         .service = "s3",
                                                         .time = now}));

    auto scheme = options_.endpoint.substr(0, options_.endpoint.find("://") + 3);
    auto query = canonical_query(call.query);
    http::HttpRequest request{.method = std::string{call.method},
                              .url = scheme + host() + path + (query.empty() ? "" : "?" + query),
                              .headers = std::move(headers),
                              .body = call.body,
                              .answer_bytes_max = call.answer_bytes_max};
    if (options_.on_wait)
        request.on_silence = [&](std::chrono::milliseconds) {
            options_.on_wait({.doing = call.doing,
                              .why = "no answer from " + options_.endpoint + " yet",
                              .so_far = so_far(clock_, attempts.began)});
        };
    return http_.send(request);
}

Refusal S3Store::judge_attempt(const Call& call, const Result<HttpAnswer>& answer, const std::string& not_s3,
                               const Credentials& credentials) const {
    if (answer)
        return judge(*answer, {.method = call.method,
                               .bucket = options_.bucket,
                               .endpoint = options_.endpoint,
                               .credentials = credentials,
                               .lists = call.key.empty(),
                               .not_s3 = not_s3});
    auto remedy = answer.error().remedy;
    // Only an object that we read can be too long to be right. Anything else that long is not from S3, and what we put
    // is not to blame.
    bool reads_an_object = call.method == "GET" && !call.key.empty();
    if (remedy == Remedy::quarantine && !reads_an_object) remedy = Remedy::back_off;
    return {remedy == Remedy::back_off ? Reaction::ask_again : Reaction::give_up, remedy,
            "no usable answer from " + options_.endpoint + ": " + answer.error().what};
}

// Whether the source of the refused credentials has others now. Asked once a call.
bool S3Store::has_new_credentials(const Credentials& refused, Attempts& attempts) {
    credentials_.refused(refused);
    if (std::exchange(attempts.asked_for_new_credentials, true) || !refused.renewable) return false;
    auto fresh = credentials_.get();
    return fresh && (fresh->access_key != refused.access_key || fresh->session_token != refused.session_token);
}

// Does what the refusal calls for. Nothing when the next attempt may begin, else the error to give up with.
std::optional<Error> S3Store::recover(const Call& call, Refusal refusal, const Result<HttpAnswer>& answer,
                                      const Credentials& credentials, Attempts& attempts) {
    switch (refusal.reaction) {
        case Reaction::give_up: break;
        case Reaction::new_credentials:
            if (has_new_credentials(credentials, attempts)) return std::nullopt;
            // A session that renews itself will do so; keys that last are for a person.
            if (credentials.renewable && !credentials.session_token.empty()) refusal.remedy = Remedy::back_off;
            break;
        case Reaction::set_clock:
            if (std::exchange(attempts.set_clock, true) || !learn_clock(*answer)) break;
            return std::nullopt;
        case Reaction::ask_again:
            auto delay =
                attempts.backoff.next(answer ? parse_retry_after(answer->header("retry-after")) : std::nullopt);
            if (!delay) {
                if (attempts.backoff.attempts() > 1)
                    refusal.what += " (" + std::to_string(attempts.backoff.attempts()) + " attempts)";
                break;
            }
            wait(call, refusal.what, *delay, attempts);
            return std::nullopt;
    }
    return Error{.remedy = refusal.remedy, .what = call.doing + ": " + refusal.what};
}

// Before the next attempt.
void S3Store::wait(const Call& call, const std::string& why, std::chrono::milliseconds delay,
                   const Attempts& attempts) const {
    while (delay.count() > 0) {
        auto slice = options_.on_wait ? std::min(delay, slice_max) : delay;
        options_.sleep ? options_.sleep(slice) : std::this_thread::sleep_for(slice);
        delay -= slice;
        if (options_.on_wait)
            options_.on_wait({.doing = call.doing, .why = why, .so_far = so_far(clock_, attempts.began)});
    }
}

Result<HttpAnswer> S3Store::exchange(const Call& call) {
    Attempts attempts{.backoff = Backoff{options_.retry, clock_, random_seed()}, .began = clock_.steady()};
    for (;;) {
        auto credentials = credentials_.get();
        if (!credentials) return std::unexpected(std::move(credentials).error().within(call.doing));
        auto answer = attempt(call, *credentials, attempts);
        bool accepted = answer && std::ranges::find(call.accepted, answer->status) != call.accepted.end();
        auto problem = accepted && call.problem_in ? call.problem_in(*answer) : std::nullopt;
        if (accepted && !problem) return answer;
        auto refusal = judge_attempt(call, answer, problem.value_or(""), *credentials);
        if (auto error = recover(call, std::move(refusal), answer, *credentials, attempts))
            return std::unexpected(std::move(*error));
    }
}

bool S3Store::learn_clock(const HttpAnswer& answer) {
    auto server = curl_getdate(std::string{answer.header("date")}.c_str(), nullptr);
    if (server < 0) return false;
    auto ours = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    clock_offset_seconds_ = static_cast<std::int64_t>(server) - ours;
    return true;
}

}  // namespace boatswain::store
