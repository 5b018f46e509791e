// serve: Loki's HTTP API over sealed segments (api/api.h), and the web page that asks it (page/page.h).
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>

#include "api/api.h"
#include "api/signed_tokens.h"
#include "base/descriptor_limit.h"
#include "base/metrics.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/serving_tls.h"
#include "cell/cells.h"
#include "heartbeat/key.h"
#include "http/mounts.h"
#include "hub/hub.h"
#include "oidc/issuer.h"
#include "open/identity.h"
#include "page/page.h"
#include "query/crew.h"
#include "query/known_footers.h"
#include "store/store.h"

namespace boatswain::tool {
namespace {

namespace asio = boost::asio;

int failed_with(Console& console, const Error& error) {
    console.complain(error.what);
    return exit_error;
}

// How many tenants have a key; each file is read once, so that a broken one is found now.
Result<std::size_t> check_identities(const Path& directory) {
    std::size_t count = 0;
    std::error_code problem;
    for (std::filesystem::directory_iterator at{directory, problem}, end; !problem && at != end;
         at.increment(problem)) {
        if (at->path().extension() != ".key") continue;
        auto identities = open::read_identity_file(at->path());
        if (!identities) return std::unexpected(std::move(identities).error());
        if (identities->empty())
            return fail(Remedy::stop,
                        at->path().string() + ": there is no identity (AGE-SECRET-KEY-1...) in this file");
        ++count;
    }
    if (problem) return fail(Remedy::stop, "read " + directory.string() + ": " + problem.message(), problem);
    return count;
}

std::optional<Path> file_of(const std::string& name) { return name.empty() ? std::nullopt : std::optional<Path>{name}; }

// So that a broken file is found now.
Result<void> check_files(const Serve& request) {
    if (!request.limits.empty()) {
        TRY(auto text, read_file(request.limits, api::limits_file_bytes_max));
        if (auto parsed = api::parse_limits(text); !parsed)
            return std::unexpected(std::move(parsed).error().within(request.limits));
    }
    if (!request.client_names.empty()) {
        TRY(auto text, read_file(request.client_names, api::client_names_bytes_max));
        if (auto parsed = api::parse_client_names(text); !parsed)
            return std::unexpected(std::move(parsed).error().within(request.client_names));
    }
    if (!request.signing_keys.empty()) CHECK(api::read_signing_keys(request.signing_keys));
    return api::AuditLog{file_of(request.audit)}.probe();
}

// Where the page signs its reader in: nothing without `client_id`, and until the issuer has answered once.
std::optional<page::LoginServer> login_server(oidc::Issuer* issuer) {
    if (issuer == nullptr || issuer->settings().client_id.empty()) return std::nullopt;
    auto endpoints = issuer->endpoints();
    if (!endpoints) return std::nullopt;
    return page::LoginServer{.issuer = issuer->settings().issuer,
                             .authorization_endpoint = std::move(endpoints->authorization),
                             .token_endpoint = std::move(endpoints->token),
                             .client_id = issuer->settings().client_id,
                             .scope = issuer->settings().scope,
                             .names_itself = endpoints->names_itself};
}

// What answers which path. The API answers 401 without a token, whatever the path; what needs none has a mount of its
// own before it.
http::Handler handler_of(const page::Page& page, api::Api& api) { return http::mounted({page.mount()}, api.handler()); }

}  // namespace

int run(const Serve& request, Console& console) {
    Log log{console.clock, STDERR_FILENO, request.log_format, LogLevel::info};
    // Connections alone are as many as shells and service managers give by default.
    raise_descriptor_limit();
    auto on_wait = [&log](const store::Waiting& waiting) {
        log.warning("the store does not answer", {{"doing", waiting.doing}, {"why", waiting.why}});
    };
    auto store = store::open_store_to_read(request.store, console.clock, {.on_wait = on_wait});
    if (!store) return failed_with(console, store.error());
    auto tenants = request.end_to_end ? Result<std::size_t>{0} : check_identities(request.identities);
    if (!tenants) return failed_with(console, tenants.error());
    auto tokens = api::read_tokens(request.tokens);
    if (!tokens) return failed_with(console, tokens.error());
    if (auto files = check_files(request); !files) return failed_with(console, files.error());
    // Agents show no certificate to the hub.
    std::unique_ptr<ServingTls> tls, hub_tls;
    if (!request.certificate.empty()) {
        net::ServerTlsFiles files{.certificate = request.certificate, .key = request.key};
        hub_tls = std::make_unique<ServingTls>(files);
        files.client_ca = request.client_ca;
        files.client_crl = request.client_crl;
        tls = std::make_unique<ServingTls>(std::move(files));
        for (auto* one : {tls.get(), hub_tls.get()})
            if (auto opened = one->open(); !opened) return failed_with(console, opened.error());
    }
    std::optional<heartbeat::Key> fleet_key;
    if (!request.fleet_key.empty()) {
        auto read = heartbeat::read_key(request.fleet_key);
        if (!read) return failed_with(console, read.error());
        fleet_key = std::move(*read);
    }
    Metrics metrics;
    std::unique_ptr<oidc::Issuer> issuer;
    if (!request.oidc.empty()) {
        auto settings = oidc::read_settings(request.oidc);
        if (!settings) return failed_with(console, settings.error());
        issuer = std::make_unique<oidc::Issuer>(std::move(*settings), console.clock, log, metrics);
    }
    const auto cells_max = std::max(request.cells, request.queries);
    // Of each cell, and of those who follow, who are answered here.
    const auto footer_cache = request.footer_cache / (cells_max + 1);
    auto executable = cell::open_this_executable();
    if (!executable) return failed_with(console, executable.error());
    cell::Cells cells{std::move(*executable),
                      **store,
                      request.identities,
                      {.cells_max = cells_max,
                       .questions_max = request.queries,
                       .memory = request.memory,
                       .footer_cache = footer_cache,
                       .version = BOATSWAIN_VERSION},
                      console.clock,
                      metrics,
                      log};
    // Without a key nothing is opened.
    auto missing = request.end_to_end ? Result<std::string>{} : cells.probe();
    if (!missing) return failed_with(console, missing.error());
    if (!missing->empty()) log.warning("cells are confined by seccomp alone", {{"missing", *missing}});
    if (request.check) {
        if (issuer)
            if (auto fetched = issuer->fetch(); !fetched) return failed_with(console, fetched.error());
        if (auto probed = (*store)->probe(); !probed) return failed_with(console, probed.error());
        console.out.write("ready to serve: " + counted(*tenants, "key") + ", " + counted(tokens->size(), "token") +
                          (issuer ? ", " + counted(issuer->keys(), "key") + " of " + issuer->settings().issuer : "") +
                          (request.client_ca.empty() ? "" : ", clients by certificate") +
                          (tls ? ", with TLS\n" : ", without TLS\n"));
        return exit_ok;
    }

    asio::io_context io{1};
    if (issuer) issuer->start();
    query::Crew crew;
    query::KnownFooters known{footer_cache};
    std::unique_ptr<hub::Hub> agents;
    std::unique_ptr<http::Server> hub_server;
    if (!request.hub.empty()) {
        agents = std::make_unique<hub::Hub>(io.get_executor(), *fleet_key, metrics, log);
        auto opened = http::Server::open(io.get_executor(), request.hub, agents->handler(),
                                         {.limits = hub::Hub::limits(), .tls = hub_tls ? hub_tls->tls() : nullptr});
        if (!opened) return failed_with(console, opened.error());
        hub_server = std::move(*opened);
    }
    api::TokenFile token_file{request.tokens, console.clock};
    api::Sources sources{.store = **store,
                         .identities = request.identities,
                         .limits = {.memory = request.memory,
                                    .bytes_max = request.read_max,
                                    .time_max = request.timeout,
                                    .range_max = request.range_max},
                         .clock = console.clock,
                         .version = BOATSWAIN_VERSION,
                         .crew = &crew,
                         .known = &known,
                         .hub = agents.get(),
                         .answering = request.end_to_end ? nullptr : &cells};
    api::Api api{io.get_executor(),
                 std::move(sources),
                 token_file,
                 {.queries = request.queries,
                  .queries_of_a_tenant = request.queries_per_tenant,
                  .limits = file_of(request.limits),
                  .audit = file_of(request.audit),
                  .signing_keys = file_of(request.signing_keys),
                  .oidc = issuer.get(),
                  .wants_certificates = !request.client_ca.empty(),
                  .client_names = file_of(request.client_names),
                  .fleet_key = fleet_key},
                 metrics,
                 log};
    page::Page page{request.embed_in, [issuer = issuer.get()] { return login_server(issuer); }};
    auto server = http::Server::open(io.get_executor(), request.listen, handler_of(page, api),
                                     {.limits = api::Api::limits(),
                                      .tls = tls ? tls->tls() : nullptr,
                                      .admits_body = api.admits_body(),
                                      .on_exception = [&log](const std::string& what) {
                                          log.error("a request ended with an error", {{"error", what}});
                                      }});
    if (!server) return failed_with(console, server.error());
    if (tls) {
        tls->watch(io.get_executor(), log);
        hub_tls->watch(io.get_executor(), log);
    }
    asio::signal_set signals{io, SIGTERM, SIGINT};
    signals.async_wait([&](const boost::system::error_code& code, int) {
        if (!code) (*server)->stop();
        api.end();
    });
    asio::co_spawn(io, (*server)->run(), [&](std::exception_ptr failure) {
        signals.cancel();
        if (tls) {
            tls->stop();
            hub_tls->stop();
        }
        if (hub_server) hub_server->stop();
        if (failure) std::rethrow_exception(failure);
    });
    if (hub_server) {
        log.info("hub for agents", {{"address", hub_server->address()}});
        asio::co_spawn(io, hub_server->run(), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
    }
    log.info("serving", {{"address", (*server)->address()},
                         {"store", (*store)->describe()},
                         {"tenants", *tenants},
                         {"tokens", tokens->size()},
                         {"tls", tls ? "yes" : "no"}});
    io.run();
    log.info("ended");
    return exit_ok;
}

}  // namespace boatswain::tool
