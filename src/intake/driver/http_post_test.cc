#include "intake/driver/http_post.h"

#include <gtest/gtest.h>

namespace boatswain::intake::driver {
namespace {

const std::string start =
    "POST /LogDriver.StartLogging HTTP/1.1\r\nHost: %2Frun\r\nContent-Length: 12\r\n"
    "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n{\"File\":\"/\"}";

int refusal(std::string_view bytes) {
    PostReader reader;
    reader.feed(bytes);
    return reader.next().refusal;
}

TEST(PostReader, ReadsRequestsHoweverTheyAreCut) {
    for (std::size_t piece : {std::size_t{1}, std::size_t{7}, start.size() * 2}) {
        PostReader reader;
        int seen = 0;
        auto two = start + start;
        for (std::size_t at = 0; at < two.size(); at += piece) {
            reader.feed(std::string_view{two}.substr(at, piece));
            for (auto outcome = reader.next(); outcome.post; outcome = reader.next()) {
                EXPECT_EQ(outcome.post->path, "/LogDriver.StartLogging");
                EXPECT_EQ(outcome.post->body, "{\"File\":\"/\"}");
                EXPECT_TRUE(outcome.post->keep_alive);
                ++seen;
            }
        }
        EXPECT_EQ(seen, 2);
        EXPECT_FALSE(reader.in_request());
    }
}

TEST(PostReader, ReadsARequestWithoutABody) {
    PostReader reader;
    reader.feed("POST /Plugin.Activate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    auto outcome = reader.next();
    ASSERT_TRUE(outcome.post);
    EXPECT_EQ(outcome.post->body, "");
    EXPECT_FALSE(outcome.post->keep_alive);
}

TEST(PostReader, RefusesWhatTheEngineDoesNotSend) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    EXPECT_EQ(refusal("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
    EXPECT_EQ(refusal("POST / HTTP/1.1\r\nContent-Length: 9000000000\r\n\r\n"), 413);
    EXPECT_EQ(refusal("POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n"), 413);
    EXPECT_EQ(refusal("\x16\x03\x01 hello\r\n\r\n"), 400);
    EXPECT_EQ(refusal("POST x HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refusal(std::string(20'000, 'a')), 431);
}

}  // namespace
}  // namespace boatswain::intake::driver
