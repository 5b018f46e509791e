#include "hub/hub.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <functional>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "hub/stream_reader.h"
#include "live/message.h"
#include "live/proof.h"
#include "net/error.h"
#include "net/event.h"

namespace boatswain::hub {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;
using live::Kind;
using net::after;
using net::Task;

constexpr std::chrono::milliseconds handshake_max{15'000};
constexpr int not_found = 404, upgrade_required = 426;

// One agent's stream of one tenant.
struct Stream {
    TenantId tenant;
    StreamReader reader;
    std::uint32_t mark = 0;  // the last one asked for
};

// A connection to an agent.
struct Agent {
    Agent(net::Connection& to, const asio::any_io_executor& executor) : connection(to), due(executor) {}
    net::Connection& connection;
    std::string nonce, host, epoch, run;
    std::string out;  // messages to be sent
    net::Event due;
    std::uint32_t streams_begun = 0;
    std::map<std::uint32_t, Stream> streams;
    std::map<TenantId, std::uint32_t> stream_of;

    void send(Kind kind, std::string_view payload) {
        live::append_message(out, kind, payload);
        if (out.size() > orders_bytes_max) connection.close();
        due.notify();
    }
};

// A tenant that is followed.
struct Topic {
    std::shared_ptr<const std::vector<open::Identity>> identities;
    std::vector<std::weak_ptr<Follower>> followers;

    void tell(const LiveEvent& event) const {
        for (const auto& follower : followers)
            if (auto there = follower.lock()) there->add(event);
    }
};

std::unexpected<Error> nonsense(std::string_view what) { return fail(Remedy::quarantine, std::string{what}); }

}  // namespace

struct Hub::State : std::enable_shared_from_this<Hub::State> {
    State(asio::any_io_executor on, heartbeat::Key fleet_key, Metrics& metrics, Log& to)
        : executor(std::move(on)),
          key(std::move(fleet_key)),
          log(to),
          agents_gauge(metrics.gauge("boatswain_hub_agents", "Agents that are connected to this hub")),
          topics_gauge(metrics.gauge("boatswain_hub_followed_tenants", "Tenants that somebody follows at this hub")),
          refused_agents(metrics.counter("boatswain_hub_refused_agents_total",
                                         "Agents that did not prove their host's key, or said what no agent says")),
          bytes(metrics.counter("boatswain_hub_record_bytes_total", "Bytes of sealed records that agents sent")) {}

    Task<void> attend(http::Request request, http::AnswerWriter& writer);
    Task<void> shake_hands(Agent& agent, live::MessageReader& reader);
    Task<void> listen(Agent& agent, live::MessageReader& reader);
    Task<void> talk(Agent& agent) const;
    Result<void> hear(Agent& agent, const live::Message& message);
    Result<void> hear_part(Agent& agent, const live::Message& message);
    void begin_stream(Agent& agent, const TenantId& tenant, const Topic& topic);
    void end_stream(Agent& agent, std::uint32_t number, std::string_view reason);
    void leave(Agent& agent);

    void begin(const TenantId& tenant, std::shared_ptr<const std::vector<open::Identity>> identities,
               const std::shared_ptr<Follower>& follower);
    void ask_mark(const TenantId& tenant, const std::string& host);
    void ask_streams(const TenantId& tenant);
    static void send_mark(Agent& agent, const TenantId& tenant);
    void look_after(const TenantId& tenant);

    asio::any_io_executor executor;
    const heartbeat::Key key;
    Log& log;
    std::map<std::string, Agent*> agents;  // by host
    std::map<TenantId, Topic> topics;
    const std::shared_ptr<std::atomic<std::size_t>> waiting = std::make_shared<std::atomic<std::size_t>>(0);
    Gauge& agents_gauge;
    Gauge& topics_gauge;
    Counter& refused_agents;
    Counter& bytes;
};

Hub::Hub(asio::any_io_executor executor, heartbeat::Key key, Metrics& metrics, Log& log)
    : state_(std::make_shared<State>(std::move(executor), std::move(key), metrics, log)) {}
Hub::~Hub() = default;

http::Limits Hub::limits() {
    return {.connections_max = agents_max,
            .connections_of_a_peer_max = agents_max,
            .idle_timeout = std::chrono::milliseconds{10'000},
            .stop_grace = std::chrono::milliseconds{0}};
}

http::Handler Hub::handler() {
    return [state = state_](http::Request request, http::AnswerWriter& writer) {
        return state->attend(std::move(request), writer);
    };
}

std::shared_ptr<Follower> Hub::follow(const TenantId& tenant, std::vector<open::Identity> identities) {
    auto shared = std::make_shared<const std::vector<open::Identity>>(std::move(identities));
    std::weak_ptr<State> state = state_;
    auto executor = state_->executor;
    auto on_thread = [state, executor](auto what) {
        asio::dispatch(executor, [state, what = std::move(what)] {
            if (auto there = state.lock()) what(*there);
        });
    };
    std::unique_ptr<Follower> follower{new Follower{
        {.mark =
             [on_thread, tenant](const std::string& host) {
                 on_thread([tenant, host](State& there) { there.ask_mark(tenant, host); });
             },
         .streams = [on_thread, tenant] { on_thread([tenant](State& there) { there.ask_streams(tenant); }); }},
        state_->waiting}};
    std::shared_ptr<Follower> counted{follower.release(), [on_thread, tenant](Follower* gone) {
                                          delete gone;
                                          on_thread([tenant](State& there) { there.look_after(tenant); });
                                      }};
    on_thread([tenant, shared, weak = std::weak_ptr{counted}](State& there) {
        if (auto still = weak.lock()) there.begin(tenant, shared, still);
    });
    return counted;
}

void Hub::State::begin(const TenantId& tenant, std::shared_ptr<const std::vector<open::Identity>> identities,
                       const std::shared_ptr<Follower>& follower) {
    auto [at, is_new] = topics.try_emplace(tenant);
    auto& topic = at->second;
    if (is_new) topic.identities = std::move(identities);
    topic.followers.push_back(follower);
    topics_gauge.set(static_cast<double>(topics.size()));
    for (auto& [host, agent] : agents) {
        // A stream that begins is marked at once; for one that goes on he needs a mark of his own.
        if (!agent->stream_of.contains(tenant)) {
            begin_stream(*agent, tenant, topic);
            continue;
        }
        follower->add(Joined{.host = agent->host, .epoch = agent->epoch, .run = agent->run});
        send_mark(*agent, tenant);
    }
}

void Hub::State::send_mark(Agent& agent, const TenantId& tenant) {
    auto number = agent.stream_of.at(tenant);
    agent.send(Kind::mark, live::to_json({.stream = number, .mark = ++agent.streams.at(number).mark}));
}

void Hub::State::ask_mark(const TenantId& tenant, const std::string& host) {
    auto found = agents.find(host);
    if (found != agents.end() && found->second->stream_of.contains(tenant)) send_mark(*found->second, tenant);
}

// An agent that had no room, or whose stream broke, may take it now.
void Hub::State::ask_streams(const TenantId& tenant) {
    auto topic = topics.find(tenant);
    if (topic == topics.end()) return;
    for (auto& [host, agent] : agents)
        if (!agent->stream_of.contains(tenant)) begin_stream(*agent, tenant, topic->second);
}

// Who follows no longer is forgotten; a tenant whom nobody follows, too.
void Hub::State::look_after(const TenantId& tenant) {
    auto found = topics.find(tenant);
    if (found == topics.end()) return;
    std::erase_if(found->second.followers, [](const auto& follower) { return follower.expired(); });
    if (!found->second.followers.empty()) return;
    for (auto& [host, agent] : agents)
        if (auto stream = agent->stream_of.find(tenant); stream != agent->stream_of.end()) {
            agent->send(Kind::end, live::to_json({.stream = stream->second}));
            agent->streams.erase(stream->second);
            agent->stream_of.erase(stream);
        }
    topics.erase(found);
    topics_gauge.set(static_cast<double>(topics.size()));
}

void Hub::State::begin_stream(Agent& agent, const TenantId& tenant, const Topic& topic) {
    auto number = ++agent.streams_begun;
    StreamOrigin origin{.tenant = tenant, .host = agent.host, .epoch = agent.epoch, .hub_nonce = agent.nonce};
    auto [at, _] = agent.streams.emplace(
        number, Stream{.tenant = tenant, .reader = StreamReader{std::move(origin), *topic.identities}, .mark = 1});
    agent.stream_of.emplace(tenant, number);
    topic.tell(Joined{.host = agent.host, .epoch = agent.epoch, .run = agent.run});
    agent.send(Kind::follow, live::to_json({.stream = number, .tenant = tenant.str()}));
    agent.send(Kind::mark, live::to_json({.stream = number, .mark = at->second.mark}));
}

void Hub::State::end_stream(Agent& agent, std::uint32_t number, std::string_view reason) {
    auto found = agent.streams.find(number);
    if (found == agent.streams.end()) return;
    auto tenant = found->second.tenant;
    agent.streams.erase(found);
    agent.stream_of.erase(tenant);
    if (auto topic = topics.find(tenant); topic != topics.end())
        topic->second.tell(Left{.host = agent.host, .reason = printable(reason)});
}

Task<void> Hub::State::attend(http::Request request, http::AnswerWriter& writer) {
    if (request.path != live::path) co_return co_await writer.send(http::refusal(not_found));
    if (request.field("upgrade") != live::protocol) co_return co_await writer.send(http::refusal(upgrade_required));
    std::string rest;
    CO_TRY(auto* connection, co_await writer.upgrade(std::string{live::protocol}, {}, rest));
    Agent agent{*connection, executor};
    live::MessageReader reader{*connection, std::move(rest)};
    auto greeted = co_await shake_hands(agent, reader);
    if (!greeted) {
        if (!net::is_cancelled(greeted.error())) {
            refused_agents.add();
            log.warning("an agent was not let in",
                        {{"peer", request.peer}, {"host", printable(agent.host)}, {"error", greeted.error().what}});
        }
        co_return Result<void>{};
    }
    // The newer one is the one that works: the other may be half open.
    if (auto other = agents.find(agent.host); other != agents.end()) {
        other->second->connection.close();
        leave(*other->second);
    }
    agents[agent.host] = &agent;
    // However this ends, by an exception too.
    std::unique_ptr<Agent, std::function<void(Agent*)>> present{&agent, [this](Agent* gone) { leave(*gone); }};
    agents_gauge.set(static_cast<double>(agents.size()));
    log.info("agent connected", {{"host", agent.host}, {"peer", request.peer}});
    for (const auto& [tenant, topic] : topics) begin_stream(agent, tenant, topic);
    auto ended = co_await (listen(agent, reader) || talk(agent));
    auto outcome = ended.index() == 0 ? std::get<0>(std::move(ended)) : std::get<1>(std::move(ended));
    if (!net::is_cancelled(outcome.error()))
        log.info("agent gone", {{"host", agent.host}, {"why", outcome.error().what}});
    co_return Result<void>{};
}

void Hub::State::leave(Agent& agent) {
    auto there = agents.find(agent.host);
    if (there == agents.end() || there->second != &agent) return;
    agents.erase(there);
    agents_gauge.set(static_cast<double>(agents.size()));
    while (!agent.streams.empty()) end_stream(agent, agent.streams.begin()->first, "the agent is not connected");
}

Task<void> Hub::State::shake_hands(Agent& agent, live::MessageReader& reader) {
    auto until = after(handshake_max);
    agent.nonce = live::nonce();
    auto challenge = live::message(Kind::challenge, live::challenge_json(agent.nonce));
    CO_CHECK(co_await agent.connection.write(challenge, until));
    CO_TRY(auto message, co_await reader.next(until));
    if (message.kind != Kind::hello) co_return nonsense("it did not say who it is");
    CO_TRY(auto hello, live::parse_hello(message.payload));
    agent.host = hello.host;
    agent.epoch = hello.epoch;
    agent.run = hello.run;
    live::Handshake said{.hub_nonce = agent.nonce,
                         .agent_nonce = hello.nonce,
                         .host = hello.host,
                         .epoch = hello.epoch,
                         .run = hello.run};
    auto host_key = heartbeat::key_of(key, hello.host);
    if (!host_key || !live::is_proof(hello.proof, live::Who::agent, *host_key, said)) {
        auto refusal = live::message(Kind::ended, live::to_json({.stream = 0, .reason = "it does not prove its key"}));
        CO_CHECK(co_await agent.connection.write(refusal, until));
        co_return nonsense("it does not prove the key of its host");
    }
    auto welcome = live::message(Kind::welcome, live::welcome_json(live::proof_of(live::Who::hub, *host_key, said)));
    co_return co_await agent.connection.write(welcome, until);
}

Task<void> Hub::State::listen(Agent& agent, live::MessageReader& reader) {
    for (;;) {
        CO_TRY(auto message, co_await reader.next(after(live::silence_max)));
        CO_CHECK(hear(agent, message));
    }
}

Result<void> Hub::State::hear(Agent& agent, const live::Message& message) {
    switch (message.kind) {
        case Kind::pong: return {};
        case Kind::part:
        case Kind::record: return hear_part(agent, message);
        case Kind::marked:
        case Kind::stored:
        case Kind::ended: break;
        default: return nonsense("it sent what no agent sends");
    }
    TRY(auto order, live::parse_order(message.payload));
    auto found = agent.streams.find(order.stream);
    if (found == agent.streams.end()) return {};  // ended here a moment ago
    if (message.kind == Kind::ended) {
        log.warning("an agent ended a stream", {{"host", agent.host}, {"why", printable(order.reason)}});
        end_stream(agent, order.stream, order.reason);
        return {};
    }
    auto topic = topics.find(found->second.tenant);
    if (topic == topics.end()) return {};
    if (message.kind == Kind::stored)
        topic->second.tell(Stored{.host = agent.host, .mark = order.mark});
    else
        topic->second.tell(std::make_shared<const Marked>(
            Marked{.host = agent.host, .mark = order.mark, .sources = found->second.reader.marked()}));
    return {};
}

// A stream that is not what it should be ends alone; the agent's others go on.
Result<void> Hub::State::hear_part(Agent& agent, const live::Message& message) {
    TRY(auto part, live::parse_part(message.payload));
    auto found = agent.streams.find(part.stream);
    if (found == agent.streams.end()) return {};
    auto& stream = found->second;
    auto broken = [&](const Error& error) {
        log.warning("a stream is not what it should be", {{"host", agent.host}, {"error", error.what}});
        agent.send(Kind::end, live::to_json({.stream = part.stream}));
        end_stream(agent, part.stream, "its stream is broken");
    };
    if (message.kind == Kind::part) {
        if (auto begun = stream.reader.begin_part(part.part, part.bytes); !begun) broken(begun.error());
        return {};
    }
    bytes.add(part.bytes.size());
    auto lines = stream.reader.read(part.part, part.bytes);
    if (!lines) {
        broken(lines.error());
        return {};
    }
    if (auto topic = topics.find(stream.tenant); topic != topics.end())
        for (const auto& one : *lines) topic->second.tell(one);
    return {};
}

Task<void> Hub::State::talk(Agent& agent) const {
    auto pinged = std::chrono::steady_clock::now();
    for (;;) {
        co_await agent.due.wait_for(live::ping_pause);
        auto out = std::exchange(agent.out, {});
        if (auto now = std::chrono::steady_clock::now(); now - pinged >= live::ping_pause) {
            pinged = now;
            live::append_message(out, Kind::ping, {});
        }
        if (!out.empty()) CO_CHECK(co_await agent.connection.write(out, after(live::write_max)));
    }
}

}  // namespace boatswain::hub
