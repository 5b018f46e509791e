#include "guard/request.h"

#include <gtest/gtest.h>

#include "guard/allow.h"

namespace boatswain::guard {
namespace {

Judged<Request> parse(std::string_view line, std::string_view fields = "Host: x\r\n") {
    return parse_request(std::string{line} + "\r\n" + std::string{fields} + "\r\n");
}

int status(const Judged<Request>& judged) { return judged ? 200 : judged.error().status; }

TEST(Request, IsReadWithItsPathAndQueryAsTheyWereSent) {
    auto request =
        parse("GET /v1.41/containers/web/logs?follow=1&tail=%31 HTTP/1.1", "Host: docker\r\nX-Any: \xc3\xa9\r\n");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->method, "GET");
    EXPECT_EQ(request->path, "/v1.41/containers/web/logs");
    EXPECT_EQ(request->query, "follow=1&tail=%31");
    EXPECT_EQ(request->upgrade, "");
    EXPECT_FALSE(request->http_1_0);
    EXPECT_TRUE(parse("GET /info HTTP/1.0", "")->http_1_0);
    EXPECT_EQ(
        parse("POST /x HTTP/1.1", "Host: x\r\nConnection: Upgrade\r\nUPGRADE: TCP \r\nContent-Length: 0\r\n")->upgrade,
        "tcp");
}

TEST(Request, WithAMalformedRequestLineIsRefused) {
    using namespace std::literals;
    for (auto line : {"GET /info"sv, "GET  /info HTTP/1.1"sv, "GET /info  HTTP/1.1"sv, "GET /in fo HTTP/1.1"sv,
                      "get /info HTTP/1.1"sv, "GET info HTTP/1.1"sv, "GET http://x/info HTTP/1.1"sv, "GET * HTTP/1.1"sv,
                      " GET /info HTTP/1.1"sv, "GET /in\tfo HTTP/1.1"sv, "GET /in\rfo HTTP/1.1"sv,
                      "GET /in\nfo HTTP/1.1"sv, "GET /in\0fo HTTP/1.1"sv, "GET /\xc3\xa9 HTTP/1.1"sv,
                      "GET /info#x HTTP/1.1"sv, ""sv, "GET\t/info\tHTTP/1.1"sv, "AAAAAAAAAAAAAAAAA /info HTTP/1.1"sv})
        EXPECT_EQ(status(parse(line)), 400) << line;
    for (auto line : {"GET /info HTTP/1.2", "GET /info HTTP/2.0", "GET /info HTTP/01.1", "GET /info http/1.1",
                      "GET /info HTTP/1.1 "})
        EXPECT_NE(status(parse(line)), 200) << line;
}

TEST(Request, WithFieldsThatTwoReadersCouldTakeDifferentlyIsRefused) {
    using namespace std::literals;
    for (auto fields :
         {""sv, "Host: a\r\nHost: a\r\n"sv, "Host: a\r\n folded: b\r\n"sv, "Host: a\r\n\tfolded\r\n"sv,
          "Host : a\r\n"sv, ": a\r\nHost: a\r\n"sv, "Host: a\r\nno colon\r\n"sv,
          "Host: a\r\nX: a\nTransfer-Encoding: chunked\r\n"sv, "Host: a\r\nX: a\rY: b\r\n"sv, "Host: a\r\nX: \0\r\n"sv,
          "Host: a\r\nX\0: a\r\n"sv, "Host: a\r\nX(): a\r\n"sv, "Host: a\r\nUpgrade: tcp\r\nUpgrade: h2c\r\n"sv,
          "Host: a\r\nUpgrade:\r\n"sv, "Host: a\r\nX: \x7f\r\n"sv})
        EXPECT_EQ(status(parse("GET /info HTTP/1.1", fields)), 400) << fields;
}

TEST(Request, WithABodyInAnyFormIsRefused) {
    for (std::string_view field : {"Content-Length: 1", "Content-Length: 00", "Content-Length: +0",
                                   "Content-Length: 0x0", "Content-Length:", "Content-Length: 0\r\nContent-Length: 0",
                                   "Content-Length: 0, 0", "Transfer-Encoding: chunked", "transfer-encoding: identity",
                                   "Transfer-Encoding:", "Transfer-Encoding: \tchunked", "Trailer: X",
                                   "Expect: 100-continue", "Transfer-Encoding: chunked\r\nContent-Length: 0"}) {
        auto request = parse("GET /info HTTP/1.1", "Host: x\r\n" + std::string{field} + "\r\n");
        ASSERT_TRUE(request) << field;
        EXPECT_TRUE(request->body) << field;
        auto allowed = judge(*request, {.attach = true});
        ASSERT_FALSE(allowed) << field;
        EXPECT_EQ(allowed.error().status, 413) << field;
    }
    EXPECT_FALSE(parse("GET /info HTTP/1.1", "Host: x\r\nContent-Length: 0\r\n")->body);
}

TEST(Request, ThatIsTooLongOrHasTooManyFieldsIsRefused) {
    EXPECT_EQ(status(parse("GET /" + std::string(request_bytes_max, 'a') + " HTTP/1.1")), 431);
    std::string fields = "Host: x\r\n";
    for (std::size_t i = 1; i < request_fields_max; ++i) fields += "A: b\r\n";
    EXPECT_EQ(status(parse("GET /info HTTP/1.1", fields)), 200);
    EXPECT_EQ(status(parse("GET /info HTTP/1.1", fields + "A: b\r\n")), 431);
}

}  // namespace
}  // namespace boatswain::guard
