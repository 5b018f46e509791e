// The agent's connection to one hub, made again and again for as long as the agent runs: it says which tenants'
// lines the hub wants, and sends them as they are read (docs/formats/live.md).
//
// Invariants
//   - Nothing waits for a hub: what it does not take in time is dropped here, counted, and in the store.
//   - Lines leave sealed to their tenant's recipients. What a hub says chooses no key.
//   - Until the hub has proven that it knows the host's key, the agent says the host's name and nothing else.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "heartbeat/key.h"
#include "live/message.h"
#include "net/connection.h"
#include "net/event.h"
#include "uplink/stream.h"

namespace boatswain::uplink {

inline constexpr std::size_t hubs_max = 8;
inline constexpr std::size_t streams_max = 256;                 // tenants that one hub follows here
inline constexpr std::chrono::milliseconds send_pause{100};     // between two records of a stream
inline constexpr std::chrono::milliseconds redial_min{500};     // pause between two attempts to connect: doubled
inline constexpr std::chrono::milliseconds redial_max{30'000};  // up to this, with chance in it

// "https://HOST:PORT", or "http://HOST:PORT" for a network that is trusted; the port is 3101 where none is said.
struct HubAddress {
    net::Address address;
    bool tls = true;
    std::string text;  // as it was given
};
Result<HubAddress> parse_hub(std::string_view text);

struct Self {
    heartbeat::HostKey key;
    std::string version;
    std::string run;  // drawn by chance with each start
};

class Uplink {
  public:
    // All but `hub` is borrowed. `tls` where the hub speaks it.
    Uplink(boost::asio::any_io_executor executor, HubAddress hub, net::Tls* tls, const Self& self,
           const StreamGround& ground, Log& log);
    Uplink(const Uplink&) = delete;
    Uplink& operator=(const Uplink&) = delete;

    boost::asio::awaitable<void> run();  // until cancelled
    // Why the hub is not reached, as a sentence; nothing when all is well, or not known yet.
    const std::optional<std::string>& trouble() const { return trouble_; }

  private:
    net::Task<void> attend();  // one connection, until it ends
    net::Task<std::unique_ptr<net::Connection>> dial(std::string& rest);
    net::Task<void> shake_hands(net::Connection& connection, live::MessageReader& reader);
    net::Task<void> obey_orders(live::MessageReader& reader);
    net::Task<void> send_what_is_due(net::Connection& connection);
    Result<void> obey(const live::Message& message);
    void begin_stream(const live::StreamOrder& order);
    void end_stream(std::uint32_t number, std::string_view reason);

    boost::asio::any_io_executor executor_;
    const HubAddress hub_;
    net::Tls* const tls_;
    const Self& self_;
    const StreamGround& ground_;
    Log& log_;
    // Of the connection that there is.
    std::string hub_nonce_;
    std::map<std::uint32_t, std::unique_ptr<TenantStream>> streams_;
    std::string out_;  // messages that wait to be sent beside those of streams
    std::string sending_;
    net::Event due_;
    std::optional<std::string> trouble_;
    bool connected_ = false;
    Gauge& connected_gauge_;
    Gauge& streams_gauge_;
};

}  // namespace boatswain::uplink
