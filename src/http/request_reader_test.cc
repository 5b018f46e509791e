#include "http/request_reader.h"

#include <gtest/gtest.h>

#include "http/request_head.h"

namespace boatswain::http {
namespace {

const std::string form =
    "POST /LogDriver.StartLogging?a=b HTTP/1.1\r\nHost: %2Frun\r\nContent-Length: 12\r\n"
    "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n{\"File\":\"/\"}";

int refused(std::string_view bytes, std::uint64_t body_bytes_max = 64) {
    RequestReader reader{body_bytes_max};
    reader.feed(bytes);
    auto outcome = reader.next();
    EXPECT_FALSE(outcome.request) << bytes;
    return outcome.refusal;
}

TEST(RequestReader, ReadsRequestsHoweverTheyAreCut) {
    auto two = form + form;
    for (std::size_t piece : {std::size_t{1}, std::size_t{7}, two.size()}) {
        RequestReader reader{12};
        int seen = 0;
        for (std::size_t at = 0; at < two.size(); at += piece) {
            reader.feed(std::string_view{two}.substr(at, piece));
            for (auto outcome = reader.next(); outcome.request; outcome = reader.next()) {
                EXPECT_EQ(outcome.request->path, "/LogDriver.StartLogging");
                EXPECT_EQ(outcome.request->query, "a=b");
                EXPECT_EQ(outcome.request->field("host"), "%2Frun");
                EXPECT_EQ(outcome.request->body, "{\"File\":\"/\"}");
                EXPECT_TRUE(outcome.request->keep_alive);
                ++seen;
            }
        }
        EXPECT_EQ(seen, 2);
        EXPECT_FALSE(reader.in_request());
    }
}

TEST(RequestReader, AsksOnceForABodyThatWaitsToBeAskedFor) {
    RequestReader reader{64};
    reader.feed("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_TRUE(reader.next().wants_continue);
    EXPECT_FALSE(reader.next().wants_continue);
    reader.feed("ab");
    EXPECT_EQ(reader.next().request.value().body, "ab");
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n"), 417);
}

TEST(RequestReader, RefusesBodiesThatAreTooLongOrChunked) {
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65\r\n\r\n"), 413);
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", 0), 413);
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n"), 413);
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 0), 413);
}

TEST(RequestReader, RefusesWhatTwoReadersMayReadAsTwoRequests) {
    const std::string host = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (std::string bad : {
             "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
             "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
             "Content-Length: 1, 1\r\n\r\n",
             "Content-Length: +1\r\n\r\n",
             "Content-Length: 0x1\r\n\r\n",
             "Content-Length: -1\r\n\r\n",
             "Content-Length: \r\n\r\n",
             "Content-Length: 99999999999999999999\r\n\r\n",
             "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
             "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
             "Transfer-Encoding: gzip, chunked\r\n\r\n",
             "Transfer-Encoding: xchunked\r\n\r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
             "Content-Length : 1\r\n\r\n",
             "X: a\r\n folded\r\n\r\n",
             "X: a\r\n\tfolded\r\n\r\n",
             "X: a\nContent-Length: 5\r\n\r\n",
             "X: a\rContent-Length: 5\r\n\r\n",
             "Host: y\r\n\r\n",
             ": nameless\r\n\r\n",
             "no colon\r\n\r\n",
             "X: \x7f\r\n\r\n",
             "X(y: 1\r\n\r\n",
         })
        EXPECT_EQ(refused(host + bad), 400) << bad;
    EXPECT_EQ(refused(host + std::string{"X: a\0b\r\n\r\n", 10}), 400) << "NUL";
    EXPECT_EQ(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestReader, RefusesRequestLinesThatAreNone) {
    for (const char* line :
         {"GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /a b HTTP/1.1", "GET / HTTP/1.2",
          "GET / HTTP/2.0", "GET / http/1.1", "GET /", "GET x HTTP/1.1", "GET http://x/ HTTP/1.1", "GET\t/ HTTP/1.1",
          "GET /\xc3\xa4 HTTP/1.1", "* / HTTP 1.1", "\x16\x03\x01 hello"})
        EXPECT_EQ(refused(std::string{line} + "\r\nHost: x\r\n\r\n"), 400) << line;
    EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
    EXPECT_EQ(refused("GET / HTTP/1.1\nHost: x\n\n"), 0) << "no end of a head: it waits for more, until a timeout";
}

TEST(RequestReader, RefusesAHeadThatIsTooLongOrHasTooManyFields) {
    EXPECT_EQ(refused(std::string(request_head_bytes_max + 1, 'a')), 431);
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(request_head_bytes_max, 'a') + "\r\n\r\n"), 431);
    std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (std::size_t i = 0; i < request_fields_max; ++i) many += "X: y\r\n";
    EXPECT_EQ(refused(many + "\r\n"), 400);
}

}  // namespace
}  // namespace boatswain::http
