// The server's side of WebSocket (RFC 6455), for answers that go on and on: what a worker makes goes out as messages,
// and what the client says is heard for its pings and its end alone.
//
// Our own, over net::Connection: Beast's stream wants Asio's sockets, and all that is needed of the protocol is below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.h"
#include "net/event.h"

namespace boatswain::http {

// A client's message is read past; a frame longer than this ends the connection.
inline constexpr std::size_t websocket_frame_bytes_max = 64U << 10;

enum class WebSocketFrame : std::uint8_t { text = 1, close = 8, ping = 9, pong = 10 };

// What a request for a WebSocket is to be answered with (Sec-WebSocket-Accept); nothing where it asks for none.
std::optional<std::string> websocket_accept(const Request& request);

// A frame as a server sends it: whole, not masked.
std::string websocket_frame(WebSocketFrame kind, std::string_view payload);
// Of a close frame. Codes: RFC 6455 section 7.4.1.
std::string websocket_close(std::uint16_t code, std::string_view reason);

// Reads frames of a client, in any pieces.
class WebSocketReader {
  public:
    struct Frame {
        std::uint8_t kind = 0;  // the opcode
        std::string payload;
    };
    void feed(std::string_view bytes) { waiting_ += bytes; }
    // The next whole frame; nothing: more bytes are needed. Remedy::quarantine for what no client may send.
    Result<std::optional<Frame>> next();

  private:
    std::string waiting_;
};

// Goes out on a connection that becomes a WebSocket with the first piece: each line of a piece is a message, and an
// empty one a ping. Belongs to the I/O thread.
class WebSocketWriter final : public AnswerWriter {
  public:
    // `to` is borrowed.
    WebSocketWriter(boost::asio::any_io_executor executor, AnswerWriter& to, std::string accept);

    net::Task<void> send(Answer answer) override { return to_.send(std::move(answer)); }
    net::Task<void> begin(Answer answer) override;
    net::Task<void> write(std::string_view piece) override;
    net::Task<net::Connection*> upgrade(std::string, Fields, std::string&) override;
    bool begun() const override { return to_.begun(); }
    int status() const override { return to_.status(); }
    std::uint64_t bytes() const override { return bytes_; }

    // Beside the sending, and until the client has closed: answers its pings.
    net::Task<void> listen();
    net::Task<void> close(std::uint16_t code, std::string_view reason);

  private:
    net::Task<void> put(std::string frame);

    AnswerWriter& to_;
    const std::string accept_;
    net::Connection* connection_ = nullptr;
    std::string rest_;  // what came behind the request
    net::Event opened_, free_;
    bool busy_ = false;
    std::uint64_t bytes_ = 0;
};

}  // namespace boatswain::http
