#include "http/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::http {
namespace {

using ::testing::StartsWith;

Request asking(std::string key = "dGhlIHNhbXBsZSBub25jZQ==") {
    return {.method = "GET",
            .fields = {{"connection", "keep-alive, Upgrade"},
                       {"upgrade", "websocket"},
                       {"sec-websocket-version", "13"},
                       {"sec-websocket-key", std::move(key)}}};
}

std::string masked(std::uint8_t first, std::string_view payload) {
    std::string frame{static_cast<char>(first), static_cast<char>(0x80 | payload.size())};
    const std::string mask{"\x01\x02\x03\x04"};
    frame += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ mask[i % 4]);
    return frame;
}

TEST(WebSocket, AcceptsAsTheSpecificationsExample) {
    EXPECT_EQ(websocket_accept(asking()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") << "RFC 6455 section 1.3";
}

TEST(WebSocket, AcceptsNothingElse) {
    for (std::size_t left_out = 0; left_out < 4; ++left_out) {
        auto request = asking();
        request.fields.erase(request.fields.begin() + static_cast<std::ptrdiff_t>(left_out));
        EXPECT_FALSE(websocket_accept(request)) << left_out;
    }
    auto post = asking();
    post.method = "POST";
    EXPECT_FALSE(websocket_accept(post));
    EXPECT_FALSE(websocket_accept(asking("short")));
}

TEST(WebSocket, WritesLengthsOfEverySize) {
    EXPECT_EQ(websocket_frame(WebSocketFrame::text, "Hello"), "\x81\x05Hello") << "RFC 6455 section 5.7";
    EXPECT_THAT(websocket_frame(WebSocketFrame::text, std::string(256, 'x')),
                StartsWith(std::string("\x81\x7e\x01\0", 4)));
    EXPECT_THAT(websocket_frame(WebSocketFrame::text, std::string(65536, 'x')),
                StartsWith(std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10)));
    auto close = websocket_close(1001, std::string(500, 'x'));
    EXPECT_LE(close.size(), 2U + 125U) << "a control frame is short";
    EXPECT_THAT(close, StartsWith(std::string("\x88") + static_cast<char>(close.size() - 2) + "\x03\xe9"));
}

TEST(WebSocket, ReadsFramesInPieces) {
    WebSocketReader reader;
    auto bytes = masked(0x81, "Hello") + masked(0x89, "ping");
    std::string seen;
    for (char c : bytes) {
        reader.feed({&c, 1});
        auto frame = reader.next();
        ASSERT_TRUE(frame);
        if (*frame) seen += std::to_string((*frame)->kind) + (*frame)->payload + " ";
    }
    EXPECT_EQ(seen, "1Hello 9ping ");
}

TEST(WebSocket, RefusesWhatNoClientSends) {
    WebSocketReader open;
    open.feed(websocket_frame(WebSocketFrame::text, "not masked"));
    EXPECT_FALSE(open.next());
    WebSocketReader large;
    large.feed(std::string("\x81\xff\0\0\0\0\xff\xff\xff\xff", 10));
    EXPECT_FALSE(large.next());
    WebSocketReader long_ping;
    long_ping.feed(std::string("\x89\xfe\x01\0", 4));
    EXPECT_FALSE(long_ping.next());
}

}  // namespace
}  // namespace boatswain::http
