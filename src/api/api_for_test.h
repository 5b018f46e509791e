// For tests: the API as clients meet it, by raw requests over a socket; a store of two tenants in memory.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/api.h"
#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "http/serving_for_test.h"
#include "query/store_for_test.h"

namespace boatswain::api::testing {

using namespace query::testing;
using namespace std::chrono;
using boatswain::testing::TestDirectory;
using http::testing::Peer;
using http::testing::Serving;

// Who answers in all tests of a program, where it is not this process (cell/api_in_cells.cc).
using MakeAnswering = std::unique_ptr<Answering> (*)(store::Store& store, const Path& identities, std::uint64_t memory,
                                                     const Clock& clock, Metrics& metrics, Log& log);
inline MakeAnswering make_answering = nullptr;

inline const Timestamp ten = at("2026-11-23T10:00:00Z");

class ApiTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto cart = source("acme", "shop/cart", "cart-1"), db = source("acme", "shop/db", "db-1");
        add(store, key("acme", ten, 1),
            {{cart,
              {{.time = ten, .bytes = "level=info msg=\"started <b>\""},
               {.time = ten + seconds{2}, .bytes = "level=error msg=\"no stock\"", .stream = Stream::err}}},
             {db,
              {{.time = ten + seconds{1}, .bytes = "ready \xff"},
               {.time = ten + seconds{3}, .bytes = "rotated-away", .gap = true}}}},
            acme);
        add(store, key("globex", ten, 1),
            {{source("globex", "web", "web-1"), {{.time = ten, .bytes = "hello globex"}}}}, globex);
        std::filesystem::create_directories(place / "keys");
        boatswain::testing::write(place / "keys/acme.key", acme.str() + "\n");
        boatswain::testing::write(place / "keys/globex.key", globex.str() + "\n");
        of_acme = token("acme");
        of_globex = token("globex");
    }
    std::string token(std::string_view whose, std::vector<std::string> apps = {}) {
        auto made = make_token(tenant(whose), {}, std::move(apps));
        EXPECT_TRUE(change_tokens(place / "tokens", [&](std::vector<Token>& tokens) -> Result<void> {
            tokens.push_back(made.token);
            return {};
        }));
        return std::string{made.text.view()};
    }
    Sources sources_of(store::Store& of) {
        if (make_answering != nullptr)
            answering = make_answering(of, place / "keys", limits.memory, clock, metrics, log);
        return {.store = of,
                .identities = place / "keys",
                .limits = limits,
                .clock = clock,
                .version = "1.2.3",
                .answering = answering.get()};
    }
    void start() {
        serving = std::make_unique<Serving>(
            Serving::MakeService{[this](const boost::asio::any_io_executor& executor) -> http::Service {
                api = std::make_unique<Api>(executor, sources_of(store), tokens, options, metrics, log);
                return api->handler();
            }},
            Api::limits());
    }
    void TearDown() override {
        if (serving) serving->stop();
        api.reset();  // its workers end before the context that they post to
        serving.reset();
    }
    std::string ask(const std::string& request) {
        if (!serving) start();
        return Peer{*serving}.ask(request);
    }
    std::string get(const std::string& path, const std::string& who, const std::string& fields = {}) {
        return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                   (who.empty() ? "" : "Authorization: Bearer " + who + "\r\n") + fields + "\r\n");
    }
    static std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
    // In the day of the lines.
    std::string loki(const std::string& path, const std::string& who, const std::string& fields = {}) {
        return get("/loki/api/v1/" + path + (path.contains('?') ? "&" : "?") +
                       "start=2026-11-23T09:00:00Z&end=2026-11-23T11:00:00Z",
                   who, fields);
    }
    std::string query_range(const std::string& query, const std::string& who, const std::string& more = {},
                            const std::string& fields = {}) {
        return loki("query_range?query=" + percent_encode(query) + more, who, fields);
    }

    MemoryStore store;
    open::Identity acme = open::Identity::generate(), globex = open::Identity::generate();
    TestDirectory place;
    SystemClock clock;
    Metrics metrics;
    Fd log_file{::open((place / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    TokenFile tokens{place / "tokens", clock};
    QuestionLimits limits;
    ApiOptions options;
    std::unique_ptr<Answering> answering;
    std::unique_ptr<Api> api;
    std::unique_ptr<Serving> serving;
    std::string of_acme, of_globex;
};

inline constexpr const char* everything = R"({app=~".+"})";

}  // namespace boatswain::api::testing
