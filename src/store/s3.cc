#include "store/s3.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "store/content_range.h"
#include "store/credential_sources.h"
#include "store/environment.h"
#include "store/key.h"
#include "store/s3_answers.h"

namespace boatswain::store {
namespace {

constexpr std::string_view metadata_sha256 = "x-amz-meta-sha256";
constexpr std::string_view objects_content_type = "application/octet-stream";

std::string default_endpoint(const std::string& region) {
    return "https://s3." + region + "." + std::string{amazon_domain(region)};
}

std::optional<std::uint64_t> content_length(const HttpAnswer& answer) {
    auto text = answer.header("content-length");
    std::uint64_t length = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return length;
}

RangeBytes cut(std::string whole, const Range& range) {
    auto size = static_cast<std::uint64_t>(whole.size());
    auto length = std::min(range.length, size);
    auto first = range.suffix ? size - length : std::min(range.first, size);
    return {.bytes = whole.substr(first, length), .first = first, .object_size = size};
}

// The server may have found other bytes than the hash says. Were they changed on the way, or are they not what we were
// told?
Error after_refused_put(Error error, std::string_view bytes, std::string_view sha256_of_bytes) {
    bool hash_refused = error.what.find("ContentSHA256Mismatch") != std::string::npos ||
                        error.what.find("BadDigest") != std::string::npos;
    if (hash_refused) error.remedy = crypto::sha256(bytes) == sha256_of_bytes ? Remedy::back_off : Remedy::quarantine;
    return error;
}

// What keeps an answer from being one of S3.
std::optional<std::string> missing_etag(const HttpAnswer& answer) {
    return answer.header("etag").empty() ? std::optional<std::string>{"it has no ETag"} : std::nullopt;
}

std::optional<std::string> problem_of_listing(const HttpAnswer& answer) {
    auto page = parse_list(answer.body);
    return page ? std::nullopt : std::optional{page.error().what};
}

std::string range_header(const Range& range) {
    if (range.suffix) return "bytes=-" + std::to_string(range.length);
    auto last = range.first > UINT64_MAX - range.length ? UINT64_MAX : range.first + range.length - 1;
    return "bytes=" + std::to_string(range.first) + "-" + std::to_string(last);
}

// Of a page that goes on behind a name: leaves out what some servers repeat, the name itself (a common prefix, most of
// all).
Result<void> go_on_behind(std::string_view name, ListPage& page, const std::string& what) {
    std::erase_if(page.objects, [&](const ObjectInfo& object) { return object.key <= name; });
    std::erase_if(page.prefixes, [&](const std::string& common) { return common <= name; });
    auto next = page.next ? name_to_go_on_behind(*page.next) : std::nullopt;
    if (!next || *next > name) return {};
    return fail(Remedy::stop, what +
                                  ": the listing does not go on: the server gives no token, and behind a name it "
                                  "answers with that name again");
}

bool is_asked_for(const ContentRange& part, const Range& range, std::size_t body_bytes) {
    auto first = range.suffix ? part.size - std::min(part.size, range.length) : range.first;
    return part.first == first && part.last - part.first + 1 == body_bytes && body_bytes <= range.length;
}

}  // namespace

Result<S3Options> complete(const S3Url& url, Environment environment) {
    S3Options options{.bucket = url.bucket, .prefix = url.prefix, .profile = url.profile};
    auto region = url.region;
    if (!region) region = setting(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
    auto of_profile = region ? std::nullopt : region_of_shared_files(environment, url.profile);
    options.region = region.value_or(of_profile.value_or("us-east-1"));
    if (auto problem = region_problem(options.region))
        return fail(Remedy::stop, (of_profile ? "region of the profile: " : "AWS_REGION: ") + *problem);
    auto endpoint = url.endpoint ? url.endpoint : endpoint_setting(environment, "S3");
    if (auto problem = endpoint ? endpoint_problem(*endpoint) : std::nullopt)
        return fail(Remedy::stop, "AWS_ENDPOINT_URL: " + *problem);
    options.endpoint = endpoint.value_or(default_endpoint(options.region));
    // A certificate for *.s3.amazonaws.com does not cover a bucket with a dot in its name.
    options.path_style = url.path_style.value_or(endpoint.has_value() || url.bucket.find('.') != std::string::npos);
    options.http.ca_file = url.ca_file;
    if (auto bundle = setting(environment, {"AWS_CA_BUNDLE"}); bundle && !options.http.ca_file)
        options.http.ca_file = *bundle;
    options.environment = std::move(environment);
    return options;
}

S3Store::S3Store(S3Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      http_(options_.http),
      credentials_(http_, clock_, options_.environment,
                   {.profile = options_.profile,
                    .region = options_.region,
                    .no_programs_because = options_.no_programs_because}) {}

std::string S3Store::describe() const {
    return "s3://" + options_.bucket + (options_.prefix.empty() ? "" : "/" + printable(options_.prefix));
}

std::string S3Store::doing(std::string_view verb, std::string_view full_key) const {
    return std::string{verb} + " s3://" + options_.bucket + "/" + printable(full_key, key_bytes_max);
}

Result<std::string> S3Store::full_key(std::string_view key, std::string_view verb) const {
    if (auto problem = key_problem(key))
        return fail(Remedy::stop, std::string{verb} + " " + describe() + ": " + *problem);
    auto full = options_.prefix.empty() ? std::string{key} : options_.prefix + "/" + std::string{key};
    if (full.size() > key_bytes_max)
        return fail(Remedy::stop, doing(verb, full) + ": with its prefix the key is longer than " +
                                      std::to_string(key_bytes_max) + " bytes");
    return full;
}

Result<PutOutcome> S3Store::put(std::string_view key, std::string_view bytes, std::string_view sha256_of_bytes) {
    if (sha256_of_bytes.size() != 32)
        return fail(Remedy::stop, "put " + describe() + ": the SHA-256 given is not 32 bytes long");
    TRY(auto full, full_key(key, "put"));
    auto hash = to_hex(sha256_of_bytes);
    Call call{.method = "PUT",
              .key = full,
              .headers = {{"Content-Type", std::string{objects_content_type}},
                          {"If-None-Match", "*"},
                          {"x-amz-checksum-sha256", to_base64(sha256_of_bytes)},
                          {std::string{metadata_sha256}, hash}},
              .body = bytes,
              .payload_hash = hash,
              .accepted = {200, 412},
              .problem_in = [](const HttpAnswer& one) { return one.status == 412 ? std::nullopt : missing_etag(one); },
              .doing = doing("put", full)};
    auto answer = exchange(call);
    if (!answer) return std::unexpected(after_refused_put(std::move(answer).error(), bytes, sha256_of_bytes));
    if (answer->status == 412) return compare(call, bytes, sha256_of_bytes);
    return PutOutcome::created;
}

Result<void> S3Store::replace(std::string_view key, std::string_view bytes, std::string_view sha256_of_bytes) {
    if (sha256_of_bytes.size() != 32)
        return fail(Remedy::stop, "replace " + describe() + ": the SHA-256 given is not 32 bytes long");
    TRY(auto full, full_key(key, "replace"));
    auto hash = to_hex(sha256_of_bytes);
    auto answer = exchange({.method = "PUT",
                            .key = full,
                            .headers = {{"Content-Type", std::string{objects_content_type}},
                                        {"x-amz-checksum-sha256", to_base64(sha256_of_bytes)},
                                        {std::string{metadata_sha256}, hash}},
                            .body = bytes,
                            .payload_hash = hash,
                            .problem_in = missing_etag,
                            .doing = doing("replace", full)});
    if (!answer) return std::unexpected(after_refused_put(std::move(answer).error(), bytes, sha256_of_bytes));
    return {};
}

// Something is there: ours from an attempt whose answer was lost, or somebody else's.
Result<PutOutcome> S3Store::compare(const Call& put, std::string_view bytes, std::string_view sha256_of_bytes) {
    // The server has just judged a put of these credentials, so 403 is no word about the credentials themselves.
    auto head = exchange(
        {.method = "HEAD", .key = put.key, .accepted = {200, 403}, .doing = put.doing + ": look at what is there"});
    if (!head && head.error().remedy == Remedy::re_resolve)
        return fail(Remedy::back_off, put.doing + ": an object was there, and then it was not");
    if (!head) return std::unexpected(std::move(head).error());
    if (head->status == 403) return PutOutcome::unseen;
    // What stands in front of a store may leave the length out, or say 0 since it sends no body: that is no other
    // length.
    auto length = content_length(*head);
    if (length && *length != bytes.size() && *length != 0) return PutOutcome::taken;
    auto there = head->header(metadata_sha256);
    if (!there.empty() && there != to_hex(sha256_of_bytes)) return PutOutcome::taken;
    if (!there.empty() && length != 0) return PutOutcome::already_there;
    auto body = exchange({.key = put.key,
                          .answer_bytes_max = std::max<std::uint64_t>(bytes.size(), error_bytes_max),
                          .accepted = {200, 403},
                          .doing = put.doing + ": read what is there"});
    if (!body && body.error().remedy == Remedy::quarantine) return PutOutcome::taken;  // it is longer than ours
    if (!body) return std::unexpected(std::move(body).error());
    if (body->status == 403) return PutOutcome::unseen;
    return body->body == bytes ? PutOutcome::already_there : PutOutcome::taken;
}

Result<std::string> S3Store::read(std::string_view key) {
    TRY(auto full, full_key(key, "read"));
    TRY(auto answer, exchange({.key = full, .answer_bytes_max = object_bytes_max, .doing = doing("read", full)}));
    return std::move(answer.body);
}

Result<RangeBytes> S3Store::read(std::string_view key, Range range) {
    TRY(auto full, full_key(key, "read"));
    auto what = doing("read", full);
    auto nothing_of_it = [&]() -> Result<RangeBytes> {
        TRY(auto size, object_size(full, what));
        return RangeBytes{.bytes = "", .first = range.suffix ? size : std::min(range.first, size), .object_size = size};
    };
    if (range.length == 0) return nothing_of_it();
    auto wanted = range_header(range);
    TRY(auto answer, exchange({.key = full,
                               .headers = {{"Range", wanted}},
                               .answer_bytes_max = std::clamp(range.length, error_bytes_max, object_bytes_max),
                               .accepted = {200, 206, 416},
                               .doing = what}));
    if (answer.status == 416) return nothing_of_it();  // it begins beyond the end
    if (answer.status == 200)
        return cut(std::move(answer.body), range);  // a server may ignore Range (RFC 9110 section 14.2)
    auto part = parse_content_range(answer.header("content-range"));
    if (!part || !is_asked_for(*part, range, answer.body.size()))
        return fail(Remedy::back_off, what + ": asked for " + wanted + " and got \"" +
                                          printable(answer.header("content-range")) + "\", " +
                                          std::to_string(answer.body.size()) + " bytes");
    return RangeBytes{.bytes = std::move(answer.body), .first = part->first, .object_size = part->size};
}

Result<std::uint64_t> S3Store::object_size(const std::string& key, const std::string& what) {
    TRY(auto head, exchange({.method = "HEAD", .key = key, .doing = what}));
    if (auto size = content_length(head); size && *size != 0) return *size;
    // It does not say, or takes the body that it does not send for the object. The first byte tells, or the whole from
    // a server that knows no ranges.
    TRY(auto first, exchange({.key = key,
                              .headers = {{"Range", "bytes=0-0"}},
                              .answer_bytes_max = object_bytes_max,
                              .accepted = {200, 206, 416},
                              .doing = what}));
    if (first.status == 416) return 0;  // there is no first byte
    if (first.status == 200) return first.body.size();
    if (auto part = parse_content_range(first.header("content-range"))) return part->size;
    return fail(Remedy::back_off, what + ": the answer does not say how long the object is");
}

Result<ListPage> S3Store::list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) {
    if (auto problem = prefix_problem(prefix)) return fail(Remedy::stop, "list " + describe() + ": " + *problem);
    auto ours = options_.prefix.empty() ? std::string{} : options_.prefix + "/";
    auto what = doing("list", ours + std::string{prefix});
    Call call{.query = {{"list-type", "2"},
                        {"encoding-type", "url"},
                        {"max-keys", std::to_string(listed_max)},
                        {"prefix", ours + std::string{prefix}}},
              .answer_bytes_max = listing_bytes_max,
              .problem_in = problem_of_listing,
              .doing = what};
    if (delimited) call.query.emplace_back("delimiter", "/");
    auto behind = next ? name_to_go_on_behind(*next) : std::nullopt;
    if (behind) {
        call.query.emplace_back("marker", *behind);
        call.query.emplace_back("start-after", *behind);
    } else if (next) {
        call.query.emplace_back("continuation-token", *next);
    }
    TRY(auto answer, exchange(call));
    auto page = parse_list(answer.body);
    if (!page) return std::unexpected(std::move(page).error().within(what));
    if (behind) CHECK(go_on_behind(*behind, *page, what));

    // A bucket may hold what others put there: names that are no keys of ours are not seen.
    auto leave_out = [&](const std::string& key, auto problem_of) {
        bool is_ours = key.starts_with(ours) && key.substr(ours.size()).starts_with(prefix) &&
                       !problem_of(key.substr(ours.size()));
        if (is_ours) return false;
        ++page->foreign;
        if (key.starts_with(ours)) page->last_foreign = std::max(page->last_foreign, key.substr(ours.size()));
        return true;
    };
    std::erase_if(page->objects, [&](const ObjectInfo& object) { return leave_out(object.key, key_problem); });
    std::erase_if(page->prefixes, [&](const std::string& common) { return leave_out(common, prefix_problem); });
    for (auto& object : page->objects) object.key.erase(0, ours.size());
    for (auto& common : page->prefixes) common.erase(0, ours.size());
    return std::move(*page);
}

Result<void> S3Store::probe() {
    auto prefix = options_.prefix.empty() ? std::string{} : options_.prefix + "/";
    CHECK(exchange({.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", prefix}},
                    .problem_in = problem_of_listing,
                    .doing = "look into " + describe()}));
    return {};
}

}  // namespace boatswain::store
