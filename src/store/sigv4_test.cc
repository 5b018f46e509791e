#include "store/sigv4.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace boatswain::store {
namespace {

constexpr std::string_view hash_of_no_body = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// --- The AWS Signature Version 4 Test Suite ("AWS General Reference", service "service", 2015-08-30T12:36:00Z) ---

struct SuiteCase {
    std::string name;
    std::string method = "GET";
    std::string path = "/";  // decoded
    NameValues query{};
    NameValues headers{};
    std::string body{};
    std::string signature;
};

const std::string suite_session_token =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/"
    "qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+"
    "xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

const std::vector<SuiteCase> suite{
    {.name = "get-vanilla-query-order-key-case",
     .query = {{"Param2", "value2"}, {"Param1", "value1"}},
     .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {.name = "get-vanilla-utf8-query",
     .query = {{"\xE1\x88\xB4", "bar"}},
     .signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {.name = "get-unreserved",
     .path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     .signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {.name = "get-vanilla-query-unreserved",
     .query = {{"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}},
     .signature = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {.name = "get-utf8",
     .path = "/\xE1\x88\xB4",
     .signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {.name = "get-space",
     .path = "/example space/",
     .signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {.name = "get-header-key-duplicate",
     .headers = {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     .signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {.name = "get-header-value-trim",
     .headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {.name = "post-vanilla",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-header-value-case",
     .method = "POST",
     .headers = {{"My-Header1", "VALUE1"}},
     .signature = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {.name = "post-x-www-form-urlencoded",
     .method = "POST",
     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
     .body = "Param1=value1",
     .signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {.name = "post-sts-header-before",
     .method = "POST",
     .headers = {{"X-Amz-Security-Token", suite_session_token}},
     .signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
};

TEST(SigV4, SignsEveryRequestOfTheOfficialTestSuiteAsItSays) {
    for (const auto& example : suite) {
        auto headers = example.headers;
        headers.emplace_back("Host", "example.amazonaws.com");
        headers.emplace_back("X-Amz-Date", "20150830T123600Z");
        auto path = canonical_path(example.path);
        auto hash = to_hex(crypto::sha256(example.body));
        auto signed_as = authorization(
            {.method = example.method, .path = path, .query = example.query, .headers = headers, .payload_hash = hash},
            {.access_key = "AKIDEXAMPLE",
             .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
             .region = "us-east-1",
             .service = "service",
             .time = *parse_time("2015-08-30T12:36:00Z")});
        EXPECT_TRUE(signed_as.ends_with("Signature=" + example.signature)) << example.name << ": " << signed_as;
    }
}

// --- The examples of the Amazon S3 API Reference, "Examples: Signature Calculations" ---

std::string signed_as_s3(std::string_view method, std::string_view path, const NameValues& query, NameValues headers,
                         std::string_view hash) {
    headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
    headers.emplace_back("x-amz-content-sha256", hash);
    headers.emplace_back("x-amz-date", "20130524T000000Z");
    auto encoded = canonical_path(path);
    return authorization({.method = method, .path = encoded, .query = query, .headers = headers, .payload_hash = hash},
                         {.access_key = "AKIAIOSFODNN7EXAMPLE",
                          .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                          .region = "us-east-1",
                          .service = "s3",
                          .time = *parse_time("2013-05-24T00:00:00Z")});
}

TEST(SigV4, SignsTheGetOfARangeAsTheS3Reference) {
    EXPECT_EQ(signed_as_s3("GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, hash_of_no_body),
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
              "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
              "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, SignsThePutOfAnObjectAsTheS3Reference) {
    auto header =
        signed_as_s3("PUT", "/test$file.text", {},
                     {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                     to_hex(crypto::sha256("Welcome to Amazon S3.")));
    EXPECT_TRUE(header.ends_with("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
        << header;
}

TEST(SigV4, SignsAQueryWithoutAValueAsTheS3Reference) {
    auto header = signed_as_s3("GET", "/", {{"lifecycle", ""}}, {}, hash_of_no_body);
    EXPECT_TRUE(header.ends_with("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
        << header;
}

TEST(SigV4, SignsAListingAsTheS3Reference) {
    auto header = signed_as_s3("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, hash_of_no_body);
    EXPECT_TRUE(header.ends_with("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
        << header;
}

TEST(SigV4, EncodesAKeyThatIsPercentEncodedAlreadyOnceMore) {
    EXPECT_EQ(canonical_path("/bucket/v1/tenant=a%2Fb/x+y.age"), "/bucket/v1/tenant%3Da%252Fb/x%2By.age");
}

TEST(SigV4, LeavesPartsOfDotsAlone) { EXPECT_EQ(canonical_path("/a/../.b"), "/a/../.b"); }

TEST(SigV4, OrdersAQueryByItsEncodedNames) {
    EXPECT_EQ(canonical_query({{"b", "2"}, {"a", "x/y z"}, {"\xC3\xA9", ""}}), "%C3%A9=&a=x%2Fy%20z&b=2");
}

}  // namespace
}  // namespace boatswain::store
