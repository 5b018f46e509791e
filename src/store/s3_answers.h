// What S3 and STS answer, read from XML. The bytes come from outside: bounded, checked, fuzzed (s3_answers_fuzz.cc).
//
// Source: Amazon S3 API Reference, "ListObjectsV2", "ListObjects" and "Error responses"; AWS STS API Reference,
// "AssumeRoleWithWebIdentity".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/credentials.h"
#include "store/store.h"

namespace boatswain::store {

// The keys of one answer; S3 sends at most 1000.
inline constexpr std::size_t listed_max = 1000;

// <Error>, of S3 (the root) or STS (below <ErrorResponse>). Every member may be empty.
struct S3Error {
    std::string code;     // "NoSuchBucket"
    std::string message;  // for people
    std::string region;   // where the bucket is, with AuthorizationHeaderMalformed and PermanentRedirect
};

// Never fails: a body that is no error document gives an empty one.
S3Error parse_error(std::string_view body);

// <ListBucketResult>. Keys and prefixes as they are in the bucket. Remedy::back_off when the body is not one: something
// between us and the server answered in its place.
//
// A server that speaks only version 1 of the listing gives no token: its page goes on behind a name, NextMarker or the
// last of the page, and page.next is then one that name_to_go_on_behind() knows.
Result<ListPage> parse_list(std::string_view body);

// The name of such a `next`, in the bucket; nothing for a token.
std::optional<std::string_view> name_to_go_on_behind(std::string_view next);

// <AssumeRoleWithWebIdentityResponse> and <AssumeRoleResponse>.
Result<Credentials> parse_assumed_role(std::string_view body);

}  // namespace boatswain::store
