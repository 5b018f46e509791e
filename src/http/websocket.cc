#include "http/websocket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/bytes.h"

namespace boatswain::http {
namespace {

using net::after;

// RFC 6455 section 1.3.
constexpr std::string_view handshake_text = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t key_characters = 24;  // 16 bytes in base64
constexpr std::uint8_t last_piece = 0x80, masked = 0x80, length_bits = 0x7f, opcode_bits = 0x0f;
constexpr std::uint8_t two_bytes = 126, eight_bytes = 127;
constexpr std::size_t control_bytes_max = 125;
constexpr std::uint16_t normal_close = 1000;
constexpr std::chrono::milliseconds write_max{30'000};

std::string sha1(std::string_view text) {
    std::array<char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha1(),
                   nullptr) != 1)
        throw std::runtime_error{"OpenSSL: no SHA-1"};
    return {digest.data(), size};
}

// A list with commas, in any case.
bool has_word(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        auto comma = std::min(list.find(','), list.size());
        auto word = list.substr(0, comma);
        while (word.starts_with(' ')) word.remove_prefix(1);
        while (word.ends_with(' ')) word.remove_suffix(1);
        auto is_same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
        if (std::ranges::equal(word, wanted, is_same)) return true;
        list.remove_prefix(std::min(list.size(), comma + 1));
    }
    return false;
}

std::unexpected<Error> nonsense(std::string_view what) {
    return fail(Remedy::quarantine, "WebSocket: " + std::string{what});
}

}  // namespace

std::optional<std::string> websocket_accept(const Request& request) {
    auto key = request.field("sec-websocket-key");
    if (request.method != "GET" || !has_word(request.field("upgrade"), "websocket") ||
        !has_word(request.field("connection"), "upgrade") || request.field("sec-websocket-version") != "13" ||
        key.size() != key_characters)
        return std::nullopt;
    return to_base64(sha1(std::string{key} + std::string{handshake_text}));
}

std::string websocket_frame(WebSocketFrame kind, std::string_view payload) {
    std::string frame;
    frame += static_cast<char>(last_piece | static_cast<std::uint8_t>(kind));
    auto append = [&](std::size_t number, int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) frame += static_cast<char>(number >> shift);
    };
    if (payload.size() < two_bytes) {
        append(payload.size(), 1);
    } else if (payload.size() <= UINT16_MAX) {
        frame += static_cast<char>(two_bytes);
        append(payload.size(), 2);
    } else {
        frame += static_cast<char>(eight_bytes);
        append(payload.size(), 8);
    }
    frame += payload;
    return frame;
}

std::string websocket_close(std::uint16_t code, std::string_view reason) {
    std::string payload;
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code);
    payload += printable(reason, control_bytes_max - 2 - 3);  // and "..."
    return websocket_frame(WebSocketFrame::close, payload);
}

Result<std::optional<WebSocketReader::Frame>> WebSocketReader::next() {
    auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(waiting_[at]); };
    constexpr std::size_t mask_bytes = 4;
    if (waiting_.size() < 2) return std::nullopt;
    if ((byte(1) & masked) == 0) return nonsense("a client's frame that is not masked");
    std::uint64_t length = byte(1) & length_bits;
    std::size_t head = 2;
    if (auto more = length == two_bytes ? 2U : length == eight_bytes ? 8U : 0U; more > 0) {
        if (waiting_.size() < head + more) return std::nullopt;
        length = 0;
        for (std::size_t i = 0; i < more; ++i) length = length << 8 | byte(head + i);
        head += more;
    }
    Frame frame{.kind = static_cast<std::uint8_t>(byte(0) & opcode_bits), .payload = {}};
    bool is_control = frame.kind >= static_cast<std::uint8_t>(WebSocketFrame::close);
    if (length > (is_control ? control_bytes_max : websocket_frame_bytes_max)) return nonsense("a frame is too long");
    if (waiting_.size() < head + mask_bytes + length) return std::nullopt;
    frame.payload = waiting_.substr(head + mask_bytes, static_cast<std::size_t>(length));
    for (std::size_t i = 0; i < frame.payload.size(); ++i)
        frame.payload[i] = static_cast<char>(frame.payload[i] ^ waiting_[head + i % mask_bytes]);
    waiting_.erase(0, head + mask_bytes + static_cast<std::size_t>(length));
    return frame;
}

WebSocketWriter::WebSocketWriter(boost::asio::any_io_executor executor, AnswerWriter& to, std::string accept)
    : to_(to), accept_(std::move(accept)), opened_(executor), free_(executor) {}

net::Task<void> WebSocketWriter::begin(Answer) {
    Fields fields{{"Sec-WebSocket-Accept", accept_}};
    CO_TRY(connection_, co_await to_.upgrade("websocket", std::move(fields), rest_));
    opened_.notify();
    co_return Result<void>{};
}

net::Task<net::Connection*> WebSocketWriter::upgrade(std::string, Fields, std::string&) {
    co_return fail(Remedy::stop, "it is a WebSocket already");
}

net::Task<void> WebSocketWriter::write(std::string_view piece) {
    std::string frames;
    while (!piece.empty()) {
        auto end = std::min(piece.find('\n'), piece.size());
        auto line = piece.substr(0, end);
        frames += websocket_frame(line.empty() ? WebSocketFrame::ping : WebSocketFrame::text, line);
        piece.remove_prefix(std::min(piece.size(), end + 1));
    }
    if (!frames.empty()) CO_CHECK(co_await put(std::move(frames)));
    co_return Result<void>{};
}

// One writer at a time: pongs go between two pieces.
net::Task<void> WebSocketWriter::put(std::string frame) {
    while (busy_) co_await free_.wait();
    busy_ = true;
    auto written = co_await connection_->write(frame, after(write_max));
    busy_ = false;
    free_.notify();
    if (written) bytes_ += frame.size();
    co_return written;
}

net::Task<void> WebSocketWriter::listen() {
    while (connection_ == nullptr) co_await opened_.wait();
    WebSocketReader reader;
    reader.feed(rest_);
    for (;;) {
        CO_TRY(auto frame, reader.next());
        if (!frame) {
            std::array<char, 4096> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the read
            CO_TRY(auto got, co_await connection_->read_some(piece, net::no_deadline));
            if (got == 0) co_return fail(Remedy::back_off, "the client has closed the connection");
            reader.feed({piece.data(), got});
            continue;
        }
        if (frame->kind == static_cast<std::uint8_t>(WebSocketFrame::ping))
            CO_CHECK(co_await put(websocket_frame(WebSocketFrame::pong, frame->payload)));
        if (frame->kind == static_cast<std::uint8_t>(WebSocketFrame::close)) {
            CO_CHECK(co_await put(websocket_close(normal_close, "")));
            co_return fail(Remedy::back_off, "the client has ended it");
        }
    }
}

net::Task<void> WebSocketWriter::close(std::uint16_t code, std::string_view reason) {
    if (connection_ == nullptr) co_return Result<void>{};
    co_return co_await put(websocket_close(code, reason));
}

}  // namespace boatswain::http
