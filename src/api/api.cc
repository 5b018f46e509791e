#include "api/api.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>

#include "http/websocket.h"
#include "net/error.h"

namespace boatswain::api {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator&&;
using asio::experimental::awaitable_operators::operator||;
using http::AnswerWriter;
using net::Task;

constexpr int unauthorized = 401, forbidden = 403, not_found = 404, not_allowed = 405, too_many = 429,
              client_gone = 499, unavailable = 503;

bool is_form(std::string_view content_type) {
    constexpr std::string_view form = "application/x-www-form-urlencoded";
    return content_type.substr(0, form.size()) == form &&
           (content_type.size() == form.size() || content_type[form.size()] == ';');
}

// A list with commas; items are not trimmed, as Loki does not.
bool has_flag(std::string_view flags, std::string_view wanted) {
    while (!flags.empty()) {
        auto one = flags.substr(0, flags.find(','));
        if (one == wanted) return true;
        flags.remove_prefix(std::min(flags.size(), one.size() + 1));
    }
    return false;
}

// What a tenant may ask for: what its line says, and the server's where it says nothing.
QuestionLimits with(QuestionLimits limits, const TenantLimits& own) {
    limits.bytes_max = own.read_max.value_or(limits.bytes_max);
    limits.range_max = own.range_max.value_or(limits.range_max);
    if (own.timeout) limits.time_max = limits.stream_time_max = *own.timeout;
    return limits;
}

// A page of another origin makes a visitor's browser ask: it is not answered. What is no browser names no origin.
bool is_of_own_origin(const http::Request& request) {
    auto origin = request.field("origin");
    auto scheme = origin.find("://");
    return origin.empty() || (scheme != origin.npos && origin.substr(scheme + 3) == request.field("host"));
}

// What comes out of `pieces`, until the client leaves.
Task<void> send_over(http::WebSocketWriter& socket, http::Pieces& pieces) {
    auto ended = co_await (pieces.send(socket) || socket.listen());
    co_return ended.index() == 0 ? std::get<0>(std::move(ended)) : std::get<1>(std::move(ended));
}

http::Answer refuse_method(const char* allowed) {
    auto answer = error_answer(not_allowed, "405 method not allowed");
    answer.fields.emplace_back("Allow", allowed);
    return answer;
}

}  // namespace

// One request, for the log.
struct Api::Asked {
    std::chrono::steady_clock::time_point began;
    std::string_view route = "other";
    std::string peer;
    std::optional<Token> who;
    std::uint64_t bytes_read = 0;
    bool is_logged = true;
    const Question* question = nullptr;
};

Api::Api(boost::asio::any_io_executor executor, Sources sources, TokenFile& tokens, ApiOptions options,
         Metrics& metrics, Log& log)
    : sources_(std::move(sources)),
      tokens_(tokens),
      options_(std::move(options)),
      metrics_(metrics),
      log_(log),
      limits_(options_.limits, sources_.clock),
      audit_(options_.audit),
      fleet_(sources_, options_.fleet_key),
      turns_(executor, options_.queries_waiting_of_a_tenant),
      follow_turns_(executor, 0),
      workers_(executor, options_.queries, options_.queries_waiting),
      follow_workers_(std::move(executor), options_.followers, 0) {
    if (options_.client_names) client_names_.emplace(*options_.client_names, sources_.clock);
}

http::Handler Api::handler() {
    return [this](http::Request request, AnswerWriter& writer) { return serve(std::move(request), writer); };
}

std::function<int(const http::Request& head)> Api::admits_body() {
    return [this](const http::Request& head) {
        if (who(head)) return 0;
        // Nobody's body is waited for: the keys are asked for, and who comes again is known.
        auto* issuer = options_.oidc;
        if (issuer != nullptr && issuer->who(bearer_of(head.field("authorization"))).is_key_unknown)
            (void)issuer->ask_again();
        return unauthorized;
    };
}

// A balancer or a Grafana is one peer with many connections; and an answer under way is worth more than a newcomer.
http::Limits Api::limits() {
    constexpr std::size_t connections_max = 1024;
    return {.connections_max = connections_max,
            .connections_of_a_peer_max = connections_max,
            .answering_gives_way = false,
            .body_bytes_max = form_bytes_max,
            .idle_timeout = std::chrono::milliseconds{60'000}};
}

void Api::note(const Asked& asked, int status, std::uint64_t bytes) {
    metrics_
        .counter("boatswain_serve_requests_total", "Requests to Loki's API",
                 {{"route", std::string{asked.route}}, {"status", std::to_string(status)}})
        .add();
    metrics_.counter("boatswain_serve_read_bytes_total", "Bytes read of the store to answer").add(asked.bytes_read);
    account(asked, status, bytes);
    if (!asked.is_logged) return;
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(sources_.clock.steady() - asked.began).count();
    // Neither the query nor the path as it was sent: what people look for is theirs.
    log_.info("request answered", {{"route", asked.route},
                                   {"status", status},
                                   {"tenant", asked.who ? asked.who->tenant.str() : std::string{"-"}},
                                   {"token", asked.who ? asked.who->id : std::string{"-"}},
                                   {"peer", asked.peer},
                                   {"bytes", bytes},
                                   {"read_bytes", asked.bytes_read},
                                   {"ms", took}});
}

void Api::account(const Asked& asked, int status, std::uint64_t bytes) {
    if (asked.question == nullptr) return;
    const auto& question = *asked.question;
    auto query = question.given.value("query");
    auto written = audit_.write({.time = question.now,
                                 .token = question.who.id,
                                 .tenant = question.who.tenant.str(),
                                 .peer = asked.peer,
                                 .route = asked.route,
                                 .name = question.name.empty() ? question.given.value("key") : question.name,
                                 .query = query.empty() ? question.given.value("match[]") : query,
                                 .start = question.given.value("start"),
                                 .end = question.given.value("end"),
                                 .status = status,
                                 .bytes = bytes,
                                 .read_bytes = asked.bytes_read});
    if (written) return;
    metrics_.counter("boatswain_serve_audit_failures_total", "Reads whose line could not be written at once").add();
    log_.error("the audit log cannot be written", {{"error", written.error().what}});
}

Task<void> Api::send(Asked& asked, http::Answer answer, AnswerWriter& writer) {
    auto status = answer.status;
    auto bytes = answer.body.size();
    auto sent = co_await writer.send(std::move(answer));
    note(asked, sent ? status : client_gone, bytes);
    co_return sent;
}

Task<void> Api::serve(http::Request request, AnswerWriter& writer) {
    Asked asked{.began = sources_.clock.steady(), .peer = request.peer, .who = {}};
    bool reads = request.method == "GET" || request.is_head();
    if (request.path == "/ready" || request.path == "/metrics") {
        asked.route = request.path == "/ready" ? "ready" : "metrics";
        asked.is_logged = false;
        if (!reads) co_return co_await send(asked, refuse_method("GET, HEAD"), writer);
        http::Answer answer;
        if (asked.route == "ready") {
            answer = readiness();
        } else {
            metrics_.gauge("boatswain_serve_queries_running", "Questions that run now")
                .set(static_cast<double>(workers_.busy()));
            metrics_.gauge("boatswain_serve_followers", "Requests that follow now")
                .set(static_cast<double>(follow_workers_.busy()));
            metrics_.gauge("boatswain_serve_queries_waiting", "Questions that wait for a worker")
                .set(static_cast<double>(workers_.waiting()));
            answer = {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.text()};
        }
        co_return co_await send(asked, std::move(answer), writer);
    }
    if (request.path == fleet_path) co_return co_await answer_operator(asked, request, writer);
    CO_TRY(asked.who, co_await who_in_time(request));
    if (!asked.who) co_return co_await send(asked, error_answer(unauthorized, "unauthorized"), writer);
    co_return co_await answer_question(asked, request, writer);
}

// A tenant's token, whatever it may read, is nobody's here.
Task<void> Api::answer_operator(Asked& asked, const http::Request& request, AnswerWriter& writer) {
    bool may_ask = !options_.wants_certificates || request.certificate;
    auto who = may_ask ? tokens_.find_operator(bearer_of(request.field("authorization"))) : std::nullopt;
    if (!who) co_return co_await send(asked, error_answer(unauthorized, "unauthorized"), writer);
    asked.route = "fleet";
    if (request.method != "GET" && !request.is_head())
        co_return co_await send(asked, refuse_method("GET, HEAD"), writer);
    auto job = [&](const http::Workers::GivenUp& given_up) -> Result<Reply> { return fleet_.answer(given_up); };
    auto reply = co_await workers_.run(job);
    if (!reply && net::is_cancelled(reply.error())) co_return std::unexpected(std::move(reply).error());
    if (!reply) co_return co_await send(asked, error_answer(too_many, "too many outstanding requests"), writer);
    asked.bytes_read = reply->bytes_read;
    if (!reply->trouble.empty()) log_.error("the fleet cannot be read", {{"error", reply->trouble}});
    auto written = audit_.write({.time = sources_.clock.now(),
                                 .token = who->id,
                                 .tenant = "",
                                 .peer = asked.peer,
                                 .route = asked.route,
                                 .status = reply->answer.status,
                                 .bytes = reply->answer.body.size(),
                                 .read_bytes = reply->bytes_read});
    if (!written)
        co_return co_await send(asked, error_answer(unavailable, "this server cannot account for what it answers"),
                                writer);
    co_return co_await send(asked, std::move(reply->answer), writer);
}

Task<void> Api::answer_question(Asked& asked, const http::Request& request, AnswerWriter& writer) {
    auto found = route_of(request.path);
    if (!found) co_return co_await send(asked, error_answer(not_found, "404 page not found"), writer);
    const auto& route = found->route;
    asked.route = route.path;
    bool is_post = request.method == "POST";
    if (is_post ? !route.takes_posts : request.method != "GET" && !request.is_head())
        co_return co_await send(asked, refuse_method(route.takes_posts ? "GET, HEAD, POST" : "GET, HEAD"), writer);
    bool has_form = is_post && is_form(request.field("content-type"));
    auto given = Parameters::parse(request.query, has_form ? std::string_view{request.body} : std::string_view{});
    if (!given) co_return co_await send(asked, error_answer(400, given.error().what), writer);

    Question question{.route = route,
                      .name = std::move(found->name),
                      .who = *asked.who,
                      .given = std::move(*given),
                      .categorised = has_flag(request.field("x-loki-response-encoding-flags"), "categorize-labels"),
                      .byte_range = std::string{request.field("range")},
                      .now = sources_.clock.now()};
    auto allowed = limits_.of(asked.who->tenant);
    if (auto trouble = limits_.trouble())
        log_.error("limits of tenants cannot be read: those of before hold", {{"error", trouble->what}});
    question.limits = with(sources_.limits, allowed);
    // Who follows waits for no block of a compressor to be full.
    if (!route.follows) question.coding = http::coding_of(request.field("accept-encoding"));
    question.ending = &ending_;
    // Who would get another tenant's lines now, or those of other apps, has to ask again.
    if (route.follows)
        question.still_may = [this, &request, &asked] {
            auto now = who(request);
            return now && now->tenant == asked.who->tenant && now->apps == asked.who->apps;
        };
    if (auto written = audit_.probe(); !written) {
        log_.error("the audit log cannot be written: nobody is served", {{"error", written.error().what}});
        co_return co_await send(asked, error_answer(unavailable, "this server cannot account for what it answers"),
                                writer);
    }
    asked.question = &question;
    std::optional<http::WebSocketWriter> socket;
    if (route.is_socket) {
        if (!is_of_own_origin(request))
            co_return co_await send(asked, error_answer(forbidden, "another origin's page"), writer);
        auto accept = http::websocket_accept(request);
        if (!accept) co_return co_await send(asked, error_answer(400, "Bad Request"), writer);
        socket.emplace(co_await asio::this_coro::executor, writer, std::move(*accept));
    }
    if (!route.reads_store) {
        auto reply = answer(question, sources_, {false});
        co_return co_await send(asked, std::move(reply.answer), writer);
    }

    auto running_max =
        route.follows ? options_.followers_of_a_tenant : allowed.queries.value_or(options_.queries_of_a_tenant);
    CO_TRY(auto turn, co_await (route.follows ? follow_turns_ : turns_).take(asked.who->tenant, running_max));
    if (!turn) co_return co_await send(asked, error_answer(too_many, "too many outstanding requests"), writer);

    auto* elsewhere = route.follows || route.is_sealed ? nullptr : sources_.answering;
    http::Pieces pieces{co_await asio::this_coro::executor, elsewhere ? http::Coding::none : question.coding};
    auto job = [&](const http::Workers::GivenUp& given_up) -> Result<Reply> {
        return elsewhere ? elsewhere->answer(question, given_up, pieces)
                         : answer(question, sources_, given_up, &pieces);
    };
    auto ask = [&]() -> Task<Reply> {
        auto answered = co_await (route.follows ? follow_workers_ : workers_).run(job);
        pieces.end();
        co_return answered;
    };
    auto [reply, sent] = co_await (ask() && (socket ? send_over(*socket, pieces) : pieces.send(writer)));
    if (!reply && net::is_cancelled(reply.error())) {
        note(asked, client_gone, 0);
        co_return std::unexpected(std::move(reply).error());
    }
    if (!reply) co_return co_await send(asked, error_answer(too_many, "too many outstanding requests"), writer);
    asked.bytes_read = reply->bytes_read;
    bool is_streamed = pieces.has_sent();
    if (!reply->trouble.empty())
        log_.error("question not answered",
                   {{"route", asked.route}, {"tenant", asked.who->tenant.str()}, {"error", reply->trouble}});
    if (!is_streamed) co_return co_await send(asked, std::move(reply->answer), writer);
    if (socket && sent) {
        constexpr std::uint16_t going_away = 1001, server_fault = 1011;
        (void)co_await socket->close(reply->is_whole ? going_away : server_fault, reply->answer.body);
    }
    note(asked, sent ? writer.status() : client_gone, socket ? socket->bytes() : writer.bytes());
    if (sent && !reply->is_whole) co_return fail(Remedy::stop, "the answer is not whole");
    co_return sent;
}

}  // namespace boatswain::api
