// Loki's HTTP API over sealed segments: who asks, what, and with what limits.
//
//   /loki/api/v1/...    routes.h
//   /ready, /metrics    GET alone
//   fleet_path          for an operator's token alone, which opens nothing else
//
// The tenant comes from the token alone: no field, path or parameter names one. Everything but /ready and /metrics
// needs a token, and is answered alike without one, whether it is there or not; neither of those two names anybody.
//
// Belongs to the I/O thread; questions run on workers.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <string>

#include "api/audit.h"
#include "api/client_names.h"
#include "api/fleet_view.h"
#include "api/questions.h"
#include "api/tenant_limits.h"
#include "api/tokens.h"
#include "api/turns.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/server.h"
#include "http/workers.h"
#include "oidc/issuer.h"

namespace boatswain::api {

// A query may come as a form.
inline constexpr std::uint64_t form_bytes_max = 512U << 10;
inline constexpr std::string_view fleet_path = "/boatswain/api/v1/fleet";
// A request whose token names a new key of the issuer waits so long for the keys.
inline constexpr std::chrono::milliseconds keys_wait_max{5'000};

struct ApiOptions {
    std::size_t queries = 8;              // that run at a time
    std::size_t queries_waiting = 64;     // and that wait for their turn
    std::size_t queries_of_a_tenant = 4;  // that run
    std::size_t queries_waiting_of_a_tenant = 32;
    std::size_t followers = 200;  // at a time; each has a thread
    std::size_t followers_of_a_tenant = 50;
    std::optional<Path> limits{};               // a file: tenant_limits.h
    std::optional<Path> audit{};                // a file: audit.h
    std::optional<Path> signing_keys{};         // a file: signed_tokens.h
    oidc::Issuer* oidc = nullptr;               // whose tokens are accepted, too; borrowed
    bool wants_certificates = false;            // nobody is served without a client's certificate
    std::optional<Path> client_names{};         // a file: client_names.h
    std::optional<heartbeat::Key> fleet_key{};  // proves heartbeats, for an operator
};

class Api {
  public:
    // All borrowed.
    Api(boost::asio::any_io_executor executor, Sources sources, TokenFile& tokens, ApiOptions options, Metrics& metrics,
        Log& log);

    http::Handler handler();
    // The server ends: those who follow are told, and go.
    void end() { ending_ = true; }
    // For the server: of whom it reads the body of a request.
    std::function<int(const http::Request& head)> admits_body();
    static http::Limits limits();

  private:
    struct Asked;
    net::Task<void> serve(http::Request request, http::AnswerWriter& writer);
    net::Task<void> answer_question(Asked& asked, const http::Request& request, http::AnswerWriter& writer);
    net::Task<void> answer_operator(Asked& asked, const http::Request& request, http::AnswerWriter& writer);
    net::Task<void> send(Asked& asked, http::Answer answer, http::AnswerWriter& writer);
    // Who asks (who.cc); nothing: nobody.
    std::optional<Token> who(const http::Request& request);
    std::optional<Token> who_bears(std::string_view authorization);
    // The same; where the token names a key of the issuer that is not known, after the keys were fetched again.
    net::Task<std::optional<Token>> who_in_time(const http::Request& request);
    http::Answer readiness();
    void note(const Asked& asked, int status, std::uint64_t bytes);
    void account(const Asked& asked, int status, std::uint64_t bytes);

    Sources sources_;
    TokenFile& tokens_;
    const ApiOptions options_;
    Metrics& metrics_;
    Log& log_;
    std::atomic<bool> ending_ = false;
    LimitsFile limits_;
    AuditLog audit_;
    std::optional<ClientNamesFile> client_names_;
    FleetView fleet_;
    Turns turns_;         // of questions
    Turns follow_turns_;  // of those who follow: none waits
    http::Workers workers_;
    http::Workers follow_workers_;
};

}  // namespace boatswain::api
