#include "store/s3_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/content_range.h"
#include "store/xml.h"

namespace boatswain::store {
namespace {

using testing::HasSubstr;

std::string listing(const std::string& inside) {
    return R"(<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>)" +
           inside + "</ListBucketResult>";
}

std::string refusal(const std::string& body) {
    auto page = parse_list(body);
    if (page) return "accepted";
    EXPECT_EQ(page.error().remedy, Remedy::back_off);
    return page.error().what;
}

TEST(S3Answers, ReadAListingWithItsContinuation) {
    auto page =
        parse_list(listing("<IsTruncated>true</IsTruncated><NextContinuationToken>1x+/=</NextContinuationToken>"
                           "<Contents><Key>a/b</Key><Size>42</Size><Owner><ID>o</ID></Owner></Contents>"
                           "<Contents><Key>a/c</Key><Size>0</Size></Contents>"
                           "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>"));
    ASSERT_TRUE(page);
    ASSERT_EQ(page->objects.size(), 2U);
    EXPECT_EQ(page->objects[0].key, "a/b");
    EXPECT_EQ(page->objects[0].size, 42U);
    EXPECT_EQ(page->objects[1].size, 0U);
    EXPECT_THAT(page->prefixes, testing::ElementsAre("d/"));
    EXPECT_EQ(page->next, "1x+/=");
}

TEST(S3Answers, DecodeEntitiesAndUrlEncodingInThatOrder) {
    auto page = parse_list(
        listing("<EncodingType>url</EncodingType><Contents><Key>a%2Bb+c%C3%A9&amp;%26</Key><Size>1</Size></Contents>"));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->objects[0].key, "a+b c\xC3\xA9&&");
    page = parse_list(listing("<Contents><Key>a&lt;&#233;&#x1F600;+%41</Key><Size>1</Size></Contents>"));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->objects[0].key, "a<\xC3\xA9\xF0\x9F\x98\x80+%41");
}

TEST(S3Answers, RefuseAListingThatIsNone) {
    EXPECT_THAT(refusal(""), HasSubstr("no element"));
    EXPECT_THAT(refusal("<html><body>Please log in</body></html>"), HasSubstr("no ListBucketResult"));
    EXPECT_THAT(refusal("{\"json\":true}"), HasSubstr("text outside"));
    EXPECT_THAT(refusal(listing("<IsTruncated>true</IsTruncated>")), HasSubstr("how to go on"));
    EXPECT_THAT(refusal(listing("<Contents><Key>a</Key><Size>-1</Size></Contents>")), HasSubstr("not a number"));
    EXPECT_THAT(refusal(listing("<Contents><Key>a</Key><Size>99999999999999999999</Size></Contents>")),
                HasSubstr("not a number"));
    EXPECT_THAT(refusal(listing("<Contents><Size>1</Size></Contents>")), HasSubstr("key is missing"));
    EXPECT_THAT(refusal(listing("<EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents>")),
                HasSubstr("wrongly encoded"));
    auto whole = listing("<Contents><Key>a</Key><Size>1</Size></Contents>");
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_list(whole.substr(0, size))) << size;
}

TEST(S3Answers, HoldNoMoreKeysThanAPageMay) {
    std::string many;
    for (int i = 0; i < 1001; ++i) many += "<Contents><Key>k</Key><Size>1</Size></Contents>";
    EXPECT_THAT(refusal(listing(many)), HasSubstr("more than 1000 keys"));
}

TEST(S3Answers, ReadAnErrorsCodeAndRegion) {
    auto error = parse_error(
        R"(<?xml version="1.0"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong</Message>)"
        "<Region>eu-west-1</Region><RequestId>x</RequestId></Error>");
    EXPECT_EQ(error.code, "AuthorizationHeaderMalformed");
    EXPECT_EQ(error.message, "the region 'us-east-1' is wrong");
    EXPECT_EQ(error.region, "eu-west-1");
    EXPECT_EQ(parse_error("<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>").code,
              "ExpiredTokenException");
    EXPECT_EQ(parse_error("<html>").code, "");
}

TEST(S3Answers, MakeAnErrorsTextFitForATerminal) {
    auto error =
        parse_error("<Error><Code>&#27;[31mX</Code><Message>" + std::string(10'000, 'm') + "</Message></Error>");
    EXPECT_EQ(error.code, "\\x1b[31mX");
    EXPECT_LT(error.message.size(), 300U);
}

TEST(S3Answers, ReadTheCredentialsOfAnAssumedRole) {
    auto found = parse_assumed_role(
        "<AssumeRoleWithWebIdentityResponse "
        "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials>"
        "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</"
        "SessionToken><Expiration>2026-11-23T10:00:00Z</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->access_key, "ASIA1");
    EXPECT_EQ(found->expires, parse_time("2026-11-23T10:00:00Z"));
    EXPECT_FALSE(parse_assumed_role(
        "<AssumeRoleResponse><R><Credentials><AccessKeyId>A</AccessKeyId></Credentials></R></AssumeRoleResponse>"));
    EXPECT_FALSE(parse_assumed_role(
        "<AssumeRoleResponse><R><Credentials><AccessKeyId>A\nB</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        "<Expiration>2026-11-23T10:00:00Z</Expiration></Credentials></R></AssumeRoleResponse>"));
}

TEST(Xml, RefusesWhatAnAttackerWouldWrite) {
    auto refused = [](const std::string& text) { return !read_xml(text, {}); };
    EXPECT_TRUE(refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"));
    EXPECT_TRUE(refused("<a>&x;</a>"));
    EXPECT_TRUE(refused("<a>&#0;</a>"));
    EXPECT_TRUE(refused("<a>&#xD800;</a>"));
    EXPECT_TRUE(refused("<a>&#x110000;</a>"));
    EXPECT_TRUE(refused("<a>&#99999999999;</a>"));
    EXPECT_TRUE(refused("<a>&" + std::string(1000, 'x')));
    EXPECT_TRUE(refused("<a><b></a></b>"));
    EXPECT_TRUE(refused("<a/><b/>"));
    EXPECT_TRUE(refused("</a>"));
    EXPECT_TRUE(refused("<a"));
    EXPECT_TRUE(refused("<a x='>"));
    EXPECT_TRUE(refused("<>"));
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "<a>";
    EXPECT_TRUE(refused(deep));
}

TEST(Xml, PassesOverWhatIsNotOurs) {
    std::string text;
    auto close = [&](XmlPath path, const std::string& own) { text += std::string{path} + "=" + own + ";"; };
    EXPECT_TRUE(
        read_xml("\xEF\xBB\xBF<?xml version='1.0'?><!-- <a> --><a x=\"1>2\" y='\"'>\n<b/>v<![CDATA[<&]]></a >\n",
                 {.open = {}, .close = close}));
    EXPECT_EQ(text, "a/b=;a=\nv<&;");
}

TEST(ContentRange, SaysWhereAPartLies) {
    auto range = parse_content_range("bytes 10-19/443");
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, 10U);
    EXPECT_EQ(range->last, 19U);
    EXPECT_EQ(range->size, 443U);
    for (auto wrong : {"", "bytes */443", "bytes 0-9/*", "bytes 9-0/443", "bytes 0-443/443", "bytes 0-9/443x",
                       "bytes -1-9/443", "items 0-9/443", "bytes 0-99999999999999999999/443"})
        EXPECT_FALSE(parse_content_range(wrong)) << wrong;
}

}  // namespace
}  // namespace boatswain::store
