// Messages between an agent and a hub: docs/formats/live.md is the specification.
//
// Everything a peer says is bounded and checked here, before anybody acts on it. Remedy::quarantine for what is no
// message, or says what it must not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/connection.h"
#include "net/task.h"

namespace boatswain::live {

inline constexpr std::string_view path = "/boatswain/live";
inline constexpr std::string_view protocol = "boatswain-live/1";

// Type and payload of one message, in bytes.
inline constexpr std::size_t message_bytes_max = (2U << 20) + (64U << 10);
inline constexpr std::size_t json_bytes_max = 64U << 10;
// How often a hub asks whether the agent is there, and after how long a silence either gives the other up.
inline constexpr std::chrono::milliseconds ping_pause{15'000};
inline constexpr std::chrono::milliseconds silence_max{45'000};
// For a peer that takes nothing.
inline constexpr std::chrono::milliseconds write_max{30'000};

enum class Kind : char {
    challenge = 'C',
    hello = 'H',
    welcome = 'W',
    follow = 'F',
    mark = 'M',
    end = 'E',
    ping = 'P',
    pong = 'O',
    part = 'A',
    record = 'R',
    marked = 'N',
    stored = 'S',
    ended = 'X',
};

struct Message {
    Kind kind = Kind::ping;
    std::string payload;
};

// What stands before the payload of a message.
void append_head(std::string& out, Kind kind, std::size_t payload_bytes);
// Appends a message as it is sent.
void append_message(std::string& out, Kind kind, std::string_view payload);
std::string message(Kind kind, std::string_view payload);

// Reads messages one after the other.
class MessageReader {
  public:
    // `rest`: what came behind the head of the request or answer.
    MessageReader(net::Connection& connection, std::string rest) : connection_(connection), waiting_(std::move(rest)) {}
    // Remedy::back_off when the peer has closed.
    net::Task<Message> next(net::Deadline until);

  private:
    net::Connection& connection_;
    std::string waiting_;
};

// What the JSON of messages says. All texts are bounded; what is missing is empty or 0.
struct Hello {
    std::string host, epoch, run, version, nonce, proof;
};
struct StreamOrder {
    std::uint32_t stream = 0;
    std::uint32_t mark = 0;
    std::string tenant, reason;
};

std::string challenge_json(std::string_view nonce);
Result<std::string> parse_challenge(std::string_view json);
std::string to_json(const Hello& hello);
Result<Hello> parse_hello(std::string_view json);
std::string welcome_json(std::string_view proof);
Result<std::string> parse_welcome(std::string_view json);
// Of F, M, E, N, S and X.
std::string to_json(const StreamOrder& order);
Result<StreamOrder> parse_order(std::string_view json);

// `u32` stream, `u32` part, and what follows.
struct PartBytes {
    std::uint32_t stream = 0, part = 0;
    std::string_view bytes;
};
std::string to_bytes(const PartBytes& part);
Result<PartBytes> parse_part(std::string_view payload);

// Numbers in messages and records: big endian.
void append_number(std::string& out, std::uint32_t number);
void append_number(std::string& out, std::uint64_t number);
std::uint64_t number_of(std::string_view bytes);  // of 4 or 8 bytes

}  // namespace boatswain::live
