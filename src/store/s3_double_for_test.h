// A small S3 in memory for tests, on loopback: it stores, lists and checks signatures as S3 does, and has the habits of
// the stores that people were seen to use.
//
// The signature of each request is computed again from what arrived (sigv4_test.cc holds Amazon's own vectors for that
// computation), so that a key with a blank too many is refused here as it is there.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "store/http_server_for_test.h"
#include "store/sigv4.h"

namespace boatswain::store::test {

enum class Lists { version_2, version_1, version_1_with_repeats, version_1_in_circles, nothing_of_ours };

// What a store does in another way than Amazon's.
struct Habits {
    std::optional<std::string> head_length{};  // of a HEAD; "" leaves the header out
    bool keeps_metadata = true;
    bool knows_ranges = true;
    bool keeps_objects = true;        // else it says 200 to a put, without an ETag, and forgets it
    bool loses_first_answer = false;  // stores the first object and closes the connection without a word
    Lists lists = Lists::version_2;
    std::size_t page_max = 2;
    std::optional<ScriptedAnswer> always{};  // instead of all of the above
};

class S3Double {
  public:
    // Whom it knows, and where it is.
    std::string access_key = "AKTEST", secret_key = "the/secret+key", token{}, region = "us-east-1";
    Habits habits{};

    S3Double() {
        server_.answer_with([this](const SeenRequest& request) { return answer(request); });
    }

    std::string url() const { return server_.url(); }
    std::vector<SeenRequest> seen() const { return server_.seen(); }

  private:
    struct Object {
        std::string bytes, hash;
    };
    struct Asked {
        std::string method, path;  // the path encoded, as it was sent
        NameValues query;          // decoded
        std::string_view parameter(std::string_view name) const {
            auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
            return found == query.end() ? std::string_view{} : std::string_view{found->second};
        }
    };

    static ScriptedAnswer refuse(int status, const std::string& code, const std::string& message = "no") {
        return {.status = status, .body = "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>"};
    }

    static Asked asked_of(const std::string& line) {
        Asked asked;
        asked.method = line.substr(0, line.find(' '));
        auto target = line.substr(asked.method.size() + 1, line.rfind(' ') - asked.method.size() - 1);
        asked.path = target.substr(0, target.find('?'));
        for (auto rest = target.substr(std::min(target.size(), asked.path.size() + 1)); !rest.empty();) {
            auto pair = rest.substr(0, rest.find('&'));
            rest.erase(0, pair.size() + 1);
            auto name = pair.substr(0, pair.find('='));
            asked.query.emplace_back(name, percent_decode(pair.substr(name.size() + 1)).value());
        }
        return asked;
    }

    // Nothing when the request is signed with the secret that belongs to the access key.
    std::optional<ScriptedAnswer> problem_with_signature(const SeenRequest& request, const Asked& asked) const {
        auto header = [&](const std::string& name) {
            auto found = request.headers.find(name);
            return found == request.headers.end() ? std::string{} : found->second;
        };
        auto given = header("authorization");
        auto part = [&](const std::string& name) {
            auto at = given.find(name + "=");
            return at == std::string::npos
                       ? std::string{}
                       : given.substr(at + name.size() + 1, given.find(',', at) - at - name.size() - 1);
        };
        auto scope = part("Credential");
        if (scope.substr(0, scope.find('/')) != access_key) return refuse(403, "InvalidAccessKeyId");
        if (header("x-amz-security-token") != token) return refuse(400, "InvalidToken");
        NameValues headers;
        for (auto names = part("SignedHeaders"); !names.empty();) {
            auto name = names.substr(0, names.find(';'));
            names.erase(0, name.size() + 1);
            headers.emplace_back(name, header(name));
        }
        auto hash = header("x-amz-content-sha256"), date = header("x-amz-date");
        if (hash != to_hex(crypto::sha256(request.body))) return refuse(400, "XAmzContentSHA256Mismatch");
        auto time = parse_time(date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6, 2) + "T" +
                               date.substr(9, 2) + ":" + date.substr(11, 2) + ":" + date.substr(13, 2) + "Z");
        if (!time) return refuse(403, "AccessDenied");
        auto right = authorization(
            {.method = asked.method,
             .path = asked.path,
             .query = asked.query,
             .headers = headers,
             .payload_hash = hash},
            {.access_key = access_key, .secret_key = secret_key, .region = region, .service = "s3", .time = *time});
        return given == right ? std::nullopt : std::optional{refuse(403, "SignatureDoesNotMatch")};
    }

    ScriptedAnswer answer(const SeenRequest& request) {
        if (habits.always) return *habits.always;
        auto asked = asked_of(request.line);
        if (auto refused = problem_with_signature(request, asked)) return *refused;
        auto key = percent_decode(asked.path.substr(std::min(asked.path.size(), std::string{"/logs/"}.size()))).value();
        if (key.empty()) return list(asked);
        auto there = objects_.find(key);
        if (asked.method == "PUT") return put(request, key);
        if (there == objects_.end()) return refuse(404, "NoSuchKey");
        if (asked.method == "HEAD") return head(there->second);
        return get(request, there->second);
    }

    ScriptedAnswer put(const SeenRequest& request, const std::string& key) {
        bool only_new = request.headers.contains("if-none-match");
        if (only_new && objects_.contains(key)) return refuse(412, "PreconditionFailed");
        if (!habits.keeps_objects) return {};
        objects_[key] = {request.body, request.headers.at("x-amz-meta-sha256")};
        if (std::exchange(habits.loses_first_answer, false)) return {.cut_after_request = true};
        return {.headers = {"ETag: \"e\""}};
    }

    ScriptedAnswer head(const Object& object) const {
        ScriptedAnswer answer;
        auto length = habits.head_length.value_or(std::to_string(object.bytes.size()));
        answer.without_length = length.empty();
        if (!length.empty()) answer.headers.push_back("Content-Length: " + length);
        if (habits.keeps_metadata) answer.headers.push_back("x-amz-meta-sha256: " + object.hash);
        return answer;
    }

    ScriptedAnswer get(const SeenRequest& request, const Object& object) const {
        auto asked = request.headers.find("range");
        if (asked == request.headers.end() || !habits.knows_ranges) return {.body = object.bytes};
        auto text = asked->second.substr(std::string{"bytes="}.size());
        auto size = object.bytes.size();
        auto dash = text.find('-');
        auto first = dash == 0 ? size - std::min(size, std::stoul(text.substr(1))) : std::stoul(text.substr(0, dash));
        auto last = dash == 0 ? size - 1 : std::min(size - 1, std::stoul(text.substr(dash + 1)));
        if (first >= size) return refuse(416, "InvalidRange");
        return {.status = 206,
                .headers = {"Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                            std::to_string(size)},
                .body = object.bytes.substr(first, last - first + 1)};
    }

    // A page of names, in order: objects, and what they have in common up to a '/'.
    ScriptedAnswer list(const Asked& asked) const {
        if (habits.lists == Lists::nothing_of_ours) return {.body = "<ListAllMyBucketsResult/>"};
        bool version_2 = habits.lists == Lists::version_2;
        std::string prefix{asked.parameter("prefix")};
        std::string after{asked.parameter(version_2 ? "continuation-token" : "marker")};
        if (version_2 && after.empty()) after = asked.parameter("start-after");
        if (habits.lists == Lists::version_1_in_circles) after.clear();
        bool repeats = habits.lists == Lists::version_1_with_repeats;
        std::map<std::string, bool> names;  // whether it is a prefix
        for (const auto& [key, object] : objects_) {
            if (!key.starts_with(prefix)) continue;
            auto slash = asked.parameter("delimiter").empty() ? std::string::npos : key.find('/', prefix.size());
            auto name = slash == std::string::npos ? key : key.substr(0, slash + 1);
            if (name > after || (repeats && name == after)) names.emplace(name, slash != std::string::npos);
        }
        std::string body = "<ListBucketResult><EncodingType>url</EncodingType>", last;
        std::size_t count = 0;
        bool more = false;
        for (const auto& [name, is_prefix] : names) {
            if ((more = count == habits.page_max + (repeats ? 1 : 0))) break;
            ++count;
            last = name;
            body += is_prefix ? "<CommonPrefixes><Prefix>" + uri_encode(name) + "</Prefix></CommonPrefixes>"
                              : "<Contents><Key>" + uri_encode(name) + "</Key><Size>" +
                                    std::to_string(objects_.at(name).bytes.size()) + "</Size></Contents>";
        }
        body += std::string{"<IsTruncated>"} + (more ? "true" : "false") + "</IsTruncated>";
        if (more && version_2) body += "<NextContinuationToken>" + last + "</NextContinuationToken>";
        // As Amazon does: only with a delimiter.
        if (more && habits.lists == Lists::version_1 && !asked.parameter("delimiter").empty())
            body += "<NextMarker>" + uri_encode(last) + "</NextMarker>";
        return {.body = body + "</ListBucketResult>"};
    }

    std::map<std::string, Object> objects_;
    HttpServer server_;  // last: its thread uses all of the above, and ends first
};

}  // namespace boatswain::store::test
