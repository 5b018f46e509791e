#include "store/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store.h"

namespace boatswain::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

S3Url s3(std::string_view url) {
    auto parsed = parse_url(url);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
    return parsed ? std::get<S3Url>(*parsed) : S3Url{};
}

std::string refusal(std::string_view url) {
    auto parsed = parse_url(url);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().remedy, Remedy::stop);
    return parsed.error().what;
}

TEST(StoreUrl, NamesADirectoryByItsPath) {
    auto parsed = parse_url("dir:/var/lib/boatswain/store");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<DirectoryUrl>(*parsed).path, "/var/lib/boatswain/store");
}

TEST(StoreUrl, KeepsAPercentSignInADirectorysPath) {
    auto parsed = parse_url("dir:/tmp/100%/x?y");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<DirectoryUrl>(*parsed).path, "/tmp/100%/x?y");
}

TEST(StoreUrl, ReadsBucketPrefixAndParameters) {
    auto url =
        s3("s3://logs/a/b/?endpoint=http%3A%2F%2F127.0.0.1:7480/&region=eu-west-1&path_style=true&profile=p&ca_file=/"
           "etc/ca.pem");
    EXPECT_EQ(url.bucket, "logs");
    EXPECT_EQ(url.prefix, "a/b");
    EXPECT_EQ(url.endpoint, "http://127.0.0.1:7480");
    EXPECT_EQ(url.region, "eu-west-1");
    EXPECT_EQ(url.path_style, true);
    EXPECT_EQ(url.profile, "p");
    EXPECT_EQ(url.ca_file, "/etc/ca.pem");
}

TEST(StoreUrl, TakesANonAsciiPrefixAsItIsOrPercentEncoded) {
    EXPECT_EQ(s3("s3://logs/sch\xC3\xBCtz").prefix, "sch\xC3\xBCtz");
    EXPECT_EQ(s3("s3://logs/sch%C3%BCtz").prefix, "sch\xC3\xBCtz");
}

TEST(StoreUrl, NeedsNothingButABucket) {
    auto url = s3("s3://logs");
    EXPECT_EQ(url.prefix, "");
    EXPECT_FALSE(url.endpoint);
}

TEST(StoreUrl, SuggestsTheParameterThatWasProbablyMeant) {
    EXPECT_THAT(refusal("s3://logs?endpont=http://x"),
                HasSubstr("unknown parameter \"endpont\": did you mean endpoint?"));
    EXPECT_THAT(refusal("s3://logs?pathstyle=true"), HasSubstr("did you mean path_style?"));
    EXPECT_THAT(refusal("s3://logs?access_key=AK"),
                HasSubstr("known are endpoint, region, path_style, profile, ca_file"));
}

TEST(StoreUrl, SuggestsTheSchemeThatWasProbablyMeant) {
    EXPECT_THAT(refusal("/var/lib/store"), HasSubstr("did you mean dir:/var/lib/store?"));
    EXPECT_THAT(refusal("file:///x"), HasSubstr("unknown scheme \"file\": did you mean dir:PATH?"));
    EXPECT_THAT(refusal("s3a://logs"), HasSubstr("unknown scheme \"s3a\": did you mean s3://BUCKET?"));
    EXPECT_THAT(refusal("https://logs.example.net"), HasSubstr("s3://BUCKET?endpoint=https://HOST:PORT"));
    EXPECT_THAT(refusal("s3:logs"), HasSubstr("s3://BUCKET"));
    EXPECT_THAT(refusal("gopher://x"), HasSubstr("known are dir:PATH and s3://BUCKET"));
}

TEST(StoreUrl, RefusesWhatCannotBeMeant) {
    EXPECT_THAT(refusal(""), HasSubstr("empty"));
    EXPECT_THAT(refusal("dir:"), HasSubstr("names no directory"));
    EXPECT_THAT(refusal("s3://"), HasSubstr("names no bucket"));
    EXPECT_THAT(refusal("s3://a"), HasSubstr("cannot name a bucket"));
    EXPECT_THAT(refusal("s3://bu\ncket"), HasSubstr("cannot name a bucket"));
    EXPECT_THAT(refusal("s3://logs/../x"), HasSubstr("prefix"));
    EXPECT_THAT(refusal("s3://logs/a//x"), HasSubstr("prefix"));
    EXPECT_THAT(refusal("s3://logs/%zz"), HasSubstr("two hex digits"));
    EXPECT_THAT(refusal("s3://logs/%ff"), HasSubstr("UTF-8"));
    EXPECT_THAT(refusal("s3://logs/a%0Ab"), HasSubstr("control character"));
    EXPECT_THAT(refusal("s3://logs?path_style=yes"), HasSubstr("path_style is true or false"));
    EXPECT_THAT(refusal("s3://logs?region=a&region=b"), HasSubstr("given twice"));
    EXPECT_THAT(refusal("s3://logs?region="), HasSubstr("empty"));
    EXPECT_THAT(refusal("s3://logs?endpoint=ftp://x"), HasSubstr("http:// or https://"));
    EXPECT_THAT(refusal("s3://logs?endpoint=http://x/y"), HasSubstr("a host and perhaps a port"));
    for (const char* url :
         {"s3://logs?endpoint=http://user:hunter2@x", "s3://user:hunter2@logs", "s3://u%3Ahunter2%40x/"})
        EXPECT_THAT(refusal(url), AllOf(HasSubstr("a name and a password"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(refusal("s3://logs/" + std::string(600, 'x')), HasSubstr("longer than 512"));
}

TEST(StoreKey, IsMadeOfPartsThatNeedNoEncoding) {
    EXPECT_FALSE(key_problem("v1/tenant=acme/hour=2026-11-23T10/node-7/20261123T043400Z-9f3a.0000000042.age"));
    EXPECT_FALSE(key_problem("a%2Fb/.hidden/..x"));
    for (std::string key : {"", "/a", "a/", "a//b", ".", "a/..", "../a", "a b", "a\nb", "\xC3\xA9", "a+b", "a\\b"})
        EXPECT_TRUE(key_problem(key)) << key;
    EXPECT_FALSE(key_problem(std::string(1024, 'x')));
    EXPECT_TRUE(key_problem(std::string(1025, 'x')));
}

}  // namespace
}  // namespace boatswain::store
