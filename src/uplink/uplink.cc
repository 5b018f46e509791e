#include "uplink/uplink.h"

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <random>

#include "base/bytes.h"
#include "http/answer_reader.h"
#include "live/proof.h"
#include "net/error.h"

namespace boatswain::uplink {
namespace {

using boost::asio::experimental::awaitable_operators::operator||;
using live::Kind;
using net::after;

constexpr std::uint16_t default_port = 3101;
constexpr std::chrono::milliseconds dial_max{15'000};
constexpr std::string_view with_tls = "https://", without_tls = "http://";
constexpr int switching_protocols = 101;
constexpr std::size_t sending_bytes_kept = 1U << 20;

// Half of the pause to all of it: hosts that lost their hub at one moment do not come back at one.
std::chrono::milliseconds with_chance(std::chrono::milliseconds pause) {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::chrono::milliseconds{std::uniform_int_distribution<long>{pause.count() / 2, pause.count()}(random)};
}

}  // namespace

Result<HubAddress> parse_hub(std::string_view text) {
    HubAddress hub{.address = {}, .tls = text.starts_with(with_tls), .text = std::string{text}};
    auto wrong = [&] {
        return fail(Remedy::stop,
                    "a hub is https://HOST:PORT (or http://HOST:PORT), not \"" + std::string{text} + "\"");
    };
    if (!hub.tls && !text.starts_with(without_tls)) return wrong();
    text.remove_prefix(hub.tls ? with_tls.size() : without_tls.size());
    if (text.ends_with('/')) text.remove_suffix(1);
    if (text.empty() || text.find_first_of("/?#@ ") != text.npos) return wrong();
    std::string address{text};
    bool has_port = text.ends_with(']') ? false : text.find(':') != text.npos;
    if (!has_port) address += ":" + std::to_string(default_port);
    auto parsed = net::parse_address(address);
    if (!parsed || parsed->is_unix() || parsed->port == 0) return wrong();
    hub.address = std::move(*parsed);
    return hub;
}

Uplink::Uplink(boost::asio::any_io_executor executor, HubAddress hub, net::Tls* tls, const Self& self,
               const StreamGround& ground, Log& log)
    : executor_(std::move(executor)),
      hub_(std::move(hub)),
      tls_(tls),
      self_(self),
      ground_(ground),
      log_(log),
      due_(executor_),
      connected_gauge_(
          ground.metrics.gauge("boatswain_live_hub_connected", "Whether the hub is connected", {{"hub", hub_.text}})),
      streams_gauge_(
          ground.metrics.gauge("boatswain_live_streams", "Tenants that the hub follows here", {{"hub", hub_.text}})) {}

boost::asio::awaitable<void> Uplink::run() {
    for (auto pause = redial_min;;) {
        auto began = ground_.clock.steady();
        auto ended = co_await attend();
        bool was_connected = std::exchange(connected_, false);
        connected_gauge_.set(0);
        streams_gauge_.set(0);
        streams_.clear();
        out_.clear();
        if (net::is_cancelled(ended.error())) co_return;
        auto why = ended.error().what;
        if (was_connected || trouble_ != why)
            log_.warning("hub not connected: lines are seen when they reach the store",
                         {{"hub", hub_.text}, {"error", why}});
        trouble_ = why;
        if (was_connected && ground_.clock.steady() - began > redial_max) pause = redial_min;
        co_await net::sleep_for(with_chance(pause));
        pause = std::min(pause * 2, redial_max);
    }
}

net::Task<void> Uplink::attend() {
    std::string rest;
    CO_TRY(auto connection, co_await dial(rest));
    live::MessageReader reader{*connection, std::move(rest)};
    CO_CHECK(co_await shake_hands(*connection, reader));
    connected_ = true;
    connected_gauge_.set(1);
    trouble_.reset();
    log_.info("hub connected", {{"hub", hub_.text}});
    auto ended = co_await (obey_orders(reader) || send_what_is_due(*connection));
    co_return ended.index() == 0 ? std::get<0>(std::move(ended)) : std::get<1>(std::move(ended));
}

net::Task<std::unique_ptr<net::Connection>> Uplink::dial(std::string& rest) {
    auto until = after(dial_max);
    CO_TRY(auto connection, co_await net::connect(executor_, hub_.address, tls_, until));
    auto request = "GET " + std::string{live::path} + " HTTP/1.1\r\nHost: " + net::to_text(hub_.address) +
                   "\r\nConnection: Upgrade\r\nUpgrade: " + std::string{live::protocol} + "\r\n\r\n";
    CO_CHECK(co_await connection->write(request, until));
    http::AnswerReader answer{true};
    std::string body;
    while (!answer.head_complete()) {
        std::array<char, 4096> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the read
        CO_TRY(auto got, co_await connection->read_some(piece, until));
        if (got == 0) co_return fail(Remedy::back_off, "the hub has closed the connection");
        CO_CHECK(answer.feed({piece.data(), got}, body));
    }
    if (answer.status() != switching_protocols)
        co_return fail(Remedy::back_off, "it is no hub: it answers " + std::to_string(answer.status()));
    rest = std::move(answer.rest());
    co_return connection;
}

net::Task<void> Uplink::shake_hands(net::Connection& connection, live::MessageReader& reader) {
    auto until = after(dial_max);
    CO_TRY(auto first, co_await reader.next(until));
    if (first.kind != Kind::challenge) co_return fail(Remedy::quarantine, "the hub did not challenge");
    CO_TRY(hub_nonce_, live::parse_challenge(first.payload));
    live::Hello hello{.host = ground_.spool.host(),
                      .epoch = ground_.spool.epoch(),
                      .run = self_.run,
                      .version = self_.version,
                      .nonce = live::nonce(),
                      .proof = {}};
    live::Handshake said{.hub_nonce = hub_nonce_,
                         .agent_nonce = hello.nonce,
                         .host = hello.host,
                         .epoch = hello.epoch,
                         .run = hello.run};
    hello.proof = live::proof_of(live::Who::agent, self_.key, said);
    auto text = live::message(Kind::hello, live::to_json(hello));
    CO_CHECK(co_await connection.write(text, until));
    CO_TRY(auto second, co_await reader.next(until));
    if (second.kind == Kind::ended) {
        CO_TRY(auto refusal, live::parse_order(second.payload));
        co_return fail(Remedy::back_off, "the hub refuses this host: " + printable(refusal.reason));
    }
    if (second.kind != Kind::welcome) co_return fail(Remedy::quarantine, "the hub did not welcome");
    CO_TRY(auto proof, live::parse_welcome(second.payload));
    if (!live::is_proof(proof, live::Who::hub, self_.key, said))
        co_return fail(Remedy::back_off, "the hub does not know this host's key (fleet.key)");
    co_return Result<void>{};
}

net::Task<void> Uplink::obey_orders(live::MessageReader& reader) {
    for (;;) {
        CO_TRY(auto message, co_await reader.next(after(live::silence_max)));
        CO_CHECK(obey(message));
        due_.notify();
    }
}

Result<void> Uplink::obey(const live::Message& message) {
    if (message.kind == Kind::ping) {
        live::append_message(out_, Kind::pong, {});
        return {};
    }
    TRY(auto order, live::parse_order(message.payload));
    switch (message.kind) {
        case Kind::follow: begin_stream(order); return {};
        case Kind::mark:
            if (auto found = streams_.find(order.stream); found != streams_.end()) found->second->ask_mark(order.mark);
            return {};
        case Kind::end:
            streams_.erase(order.stream);
            streams_gauge_.set(static_cast<double>(streams_.size()));
            return {};
        default: return fail(Remedy::quarantine, "the hub sent what no hub sends");
    }
}

void Uplink::end_stream(std::uint32_t number, std::string_view reason) {
    streams_.erase(number);
    live::append_message(out_, Kind::ended, live::to_json({.stream = number, .reason = std::string{reason}}));
}

void Uplink::begin_stream(const live::StreamOrder& order) {
    auto tenant = TenantId::parse_any(order.tenant);
    if (!tenant || streams_.contains(order.stream)) return end_stream(order.stream, "no such tenant or stream");
    if (streams_.size() == streams_max) return end_stream(order.stream, "too many tenants are followed here");
    auto stream = TenantStream::open(ground_, *tenant, order.stream, hub_nonce_, [this] { due_.notify(); });
    if (!stream) return end_stream(order.stream, stream.error().what);
    streams_.emplace(order.stream, std::move(*stream));
    streams_gauge_.set(static_cast<double>(streams_.size()));
}

net::Task<void> Uplink::send_what_is_due(net::Connection& connection) {
    for (;;) {
        bool waits = std::ranges::any_of(streams_, [](const auto& one) { return one.second->waits(); });
        if (waits)
            co_await due_.wait_for(send_pause);
        else
            co_await due_.wait();
        // Kept, so that its memory is not asked for ten times a second; but not what a burst needed.
        if (sending_.capacity() > sending_bytes_kept) sending_ = {};
        sending_.clear();
        sending_ += std::exchange(out_, {});
        auto& out = sending_;
        for (auto at = streams_.begin(); at != streams_.end();) {
            auto& stream = *(at++)->second;
            if (auto appended = stream.append_due(out); !appended) end_stream(stream.number(), appended.error().what);
        }
        if (!out.empty()) CO_CHECK(co_await connection.write(out, after(live::write_max)));
        co_await net::sleep_for(send_pause);
    }
}

}  // namespace boatswain::uplink
