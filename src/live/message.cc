#include "live/message.h"

#include <array>

#include "base/json_reader.h"
#include "base/json_writer.h"

namespace boatswain::live {
namespace {

constexpr std::size_t length_bytes = 4, text_bytes_max = 1024;
constexpr std::size_t read_bytes = 64U << 10;

std::unexpected<Error> nonsense(std::string_view what) {
    return fail(Remedy::quarantine, "live: " + std::string{what});
}

Result<std::string> text_of(const json::object& fields, std::string_view name) {
    auto text = json::view_of(fields, name);
    if (text.size() > text_bytes_max) return nonsense(std::string{name} + " is too long");
    return std::string{text};
}

// Nothing in it is "nothing"; a number that does not fit is refused.
Result<std::uint32_t> number_of(const json::object& fields, std::string_view name) {
    auto number = json::integer_of(fields, name);
    if (number < 0 || number > UINT32_MAX) return nonsense(std::string{name} + " is out of range");
    return static_cast<std::uint32_t>(number);
}

Result<json::object> parse_json(json::parser& parser, std::string_view text) {
    if (text.size() > json_bytes_max) return nonsense("a message is too long");
    return json::parse_object(parser, text, "live message");
}

bool is_kind(char c) { return std::string_view{"CHWFMEPOARNSX"}.contains(c); }

}  // namespace

void append_number(std::string& out, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

void append_number(std::string& out, std::uint64_t number) {
    append_number(out, static_cast<std::uint32_t>(number >> 32));
    append_number(out, static_cast<std::uint32_t>(number));
}

std::uint64_t number_of(std::string_view bytes) {
    std::uint64_t number = 0;
    for (unsigned char c : bytes) number = number << 8 | c;
    return number;
}

void append_head(std::string& out, Kind kind, std::size_t payload_bytes) {
    append_number(out, static_cast<std::uint32_t>(payload_bytes + 1));
    out += static_cast<char>(kind);
}

void append_message(std::string& out, Kind kind, std::string_view payload) {
    append_head(out, kind, payload.size());
    out += payload;
}

std::string message(Kind kind, std::string_view payload) {
    std::string out;
    append_message(out, kind, payload);
    return out;
}

net::Task<Message> MessageReader::next(net::Deadline until) {
    std::size_t wanted = length_bytes;
    for (bool has_length = false;;) {
        if (!has_length && waiting_.size() >= length_bytes) {
            auto length = number_of(std::string_view{waiting_}.substr(0, length_bytes));
            if (length == 0 || length > message_bytes_max) co_return nonsense("a message of no allowed length");
            wanted = length_bytes + static_cast<std::size_t>(length);
            has_length = true;
        }
        if (has_length && waiting_.size() >= wanted) break;
        std::array<char, read_bytes> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the read
        CO_TRY(auto got, co_await connection_.read_some(piece, until));
        if (got == 0) co_return fail(Remedy::back_off, "live: the peer has closed the connection");
        waiting_.append(piece.data(), got);
    }
    char kind = waiting_[length_bytes];
    if (!is_kind(kind)) co_return nonsense("a message of an unknown type");
    Message message{.kind = static_cast<Kind>(kind),
                    .payload = waiting_.substr(length_bytes + 1, wanted - length_bytes - 1)};
    waiting_.erase(0, wanted);
    co_return message;
}

std::string challenge_json(std::string_view nonce) { return json_object().member("nonce", nonce).take(); }

Result<std::string> parse_challenge(std::string_view json) {
    json::parser parser;
    TRY(auto fields, parse_json(parser, json));
    TRY(auto nonce, text_of(fields, "nonce"));
    if (nonce.size() != 64) return nonsense("a challenge without a nonce");
    return nonce;
}

std::string to_json(const Hello& hello) {
    return json_object()
        .member("host", hello.host)
        .member("epoch", hello.epoch)
        .member("run", hello.run)
        .member("version", hello.version)
        .member("nonce", hello.nonce)
        .member("proof", hello.proof)
        .take();
}

Result<Hello> parse_hello(std::string_view json) {
    json::parser parser;
    TRY(auto fields, parse_json(parser, json));
    Hello hello;
    TRY(hello.host, text_of(fields, "host"));
    TRY(hello.epoch, text_of(fields, "epoch"));
    TRY(hello.run, text_of(fields, "run"));
    TRY(hello.version, text_of(fields, "version"));
    TRY(hello.nonce, text_of(fields, "nonce"));
    TRY(hello.proof, text_of(fields, "proof"));
    if (hello.host.empty() || hello.epoch.empty() || hello.run.empty() || hello.nonce.size() != 64)
        return nonsense("a hello without host, epoch, run or nonce");
    return hello;
}

std::string welcome_json(std::string_view proof) { return json_object().member("proof", proof).take(); }

Result<std::string> parse_welcome(std::string_view json) {
    json::parser parser;
    TRY(auto fields, parse_json(parser, json));
    return text_of(fields, "proof");
}

std::string to_json(const StreamOrder& order) {
    auto json = json_object();
    json.member("stream", std::uint64_t{order.stream});
    if (order.mark > 0) json.member("mark", std::uint64_t{order.mark});
    return json.member_unless_empty("tenant", order.tenant).member_unless_empty("reason", order.reason).take();
}

Result<StreamOrder> parse_order(std::string_view json) {
    json::parser parser;
    TRY(auto fields, parse_json(parser, json));
    StreamOrder order;
    TRY(order.stream, number_of(fields, "stream"));
    TRY(order.mark, number_of(fields, "mark"));
    TRY(order.tenant, text_of(fields, "tenant"));
    TRY(order.reason, text_of(fields, "reason"));
    return order;
}

std::string to_bytes(const PartBytes& part) {
    std::string out;
    out.reserve(2 * length_bytes + part.bytes.size());
    append_number(out, part.stream);
    append_number(out, part.part);
    out += part.bytes;
    return out;
}

Result<PartBytes> parse_part(std::string_view payload) {
    if (payload.size() < 2 * length_bytes) return nonsense("a message is too short");
    return PartBytes{.stream = static_cast<std::uint32_t>(number_of(payload.substr(0, length_bytes))),
                     .part = static_cast<std::uint32_t>(number_of(payload.substr(length_bytes, length_bytes))),
                     .bytes = payload.substr(2 * length_bytes)};
}

}  // namespace boatswain::live
