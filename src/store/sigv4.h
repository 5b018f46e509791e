// AWS Signature Version 4, in the Authorization header: proves to S3 and STS who asks, without sending the secret.
//
// Pure functions of their arguments. Source: "Signature Version 4 signing process" and "Authenticating Requests (AWS
// Signature Version 4)" in the AWS documentation; sigv4_test.cc holds their vectors.
//
// What is signed must be what is sent, byte for byte: send canonical_path() and canonical_query() as they are, and
// every header given here (host included) with the values given here.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/client/http_client.h"

namespace boatswain::store {

using http::NameValues;

struct RequestToSign {
    std::string_view method;        // "GET"
    std::string_view path;          // canonical_path() of the decoded path
    const NameValues& query;        // decoded
    const NameValues& headers;      // with host and x-amz-date; names in any case
    std::string_view payload_hash;  // lower-case hex of the body's SHA-256
};

struct SigningScope {
    std::string_view access_key;
    std::string_view secret_key;
    std::string_view region;   // "us-east-1"
    std::string_view service;  // "s3"
    Timestamp time;            // the one that x-amz-date says
};

// Percent-encodes every byte but A-Z a-z 0-9 - . _ ~, and '/' where `keep_slashes`. Unlike base/bytes.h it leaves parts
// of dots alone: the server decodes and encodes again, and must find the same.
std::string uri_encode(std::string_view text, bool keep_slashes = false);

// S3's rule: each byte encoded once, no "." or ".." resolved.
std::string canonical_path(std::string_view path);

// "a=1&b=", encoded and in order.
std::string canonical_query(const NameValues& query);

// "20130524T000000Z", for x-amz-date.
std::string amz_date(Timestamp time);

// The first step of the process; its own function because its errors are what signing goes wrong by.
std::string canonical_request(const RequestToSign& request);

// The value of the Authorization header.
std::string authorization(const RequestToSign& request, const SigningScope& scope);

}  // namespace boatswain::store
