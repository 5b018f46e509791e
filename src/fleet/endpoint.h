// One of the two systems behind its addresses: any of several servers may answer, and the one that leads may be
// another.
//
// Invariants
//   - Credentials go to the scheme, host and port of a configured address and to no other, wherever a server redirects.
//   - A question (GET, and Mesos' POST of a call that only reads) is put to each address until one answers; an order
//     (anything that changes something) goes once, to the address that answered last: when its answer is lost the next
//     poll sees what became of it.
//   - What goes over http, readable for all on its way, goes through no proxy but the one that was named for it: who
//     set http_proxy for a host hardly meant these credentials. Over https a proxy of the environment only carries.
//   - Every call ends by its time limit, every answer by its bound.
// Leaders: a Mesos master that does not lead answers 307 with "Location: //host:port/path"; Marathon proxies to its
// leader, except for its events (302). 502 and 503 are an election. Source: apache/mesos src/master/http.cpp,
// mesosphere/marathon LeaderProxyFilter.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "http/client/http_client.h"

namespace boatswain::fleet {

// Of one answer. A whole look at a cluster of 5,000 agents takes 70 MiB (docs/operate/fleet.md).
inline constexpr std::uint64_t answer_bytes_max = 64ULL << 20;
inline constexpr int redirects_max = 3;
inline constexpr std::size_t addresses_max = 16;
inline constexpr std::uint64_t credential_bytes_max = 64 << 10;

// "basic USER:PASSWORD", "token TOKEN" (DC/OS) or "bearer TOKEN", one line: the value of an Authorization header.
Result<std::string> parse_credential(std::string_view text);

// Where the credential is: a file, read again each time so that it can be renewed, or a text from the environment.
struct CredentialSource {
    std::optional<Path> file;
    std::optional<std::string> text;
    Result<std::optional<std::string>> authorization() const;
};

// "http://a:8080,https://b/path": without the '/' at the end. A name and password in it are refused.
Result<std::vector<std::string>> parse_addresses(std::string_view text);

// "http://HOST:PORT" or "https://HOST:PORT" of a proxy. A name and password in it are refused.
Result<std::string> parse_proxy(std::string_view text);

// "http://host:port" of a URL, the port made explicit; empty when it is not http or https.
std::string origin_of(std::string_view url);
// Where a Location leads, from `url`; empty when nowhere.
std::string resolve(std::string_view url, std::string_view location);

struct EndpointOptions {
    std::string name;  // "Marathon", in errors
    std::vector<std::string> addresses;
    CredentialSource credential;
    std::optional<Path> ca_file;
    std::string proxy{};                        // for all addresses; empty: see above
    std::chrono::milliseconds timeout{30'000};  // of one call
    const std::atomic<bool>* give_up = nullptr;
};

class Endpoint {
  public:
    explicit Endpoint(EndpointOptions options);

    // The answer of whichever server leads, of any status but 502, 503 and redirects. Remedy::back_off when none does,
    // Remedy::stop when all refuse us or a certificate is not trusted.
    Result<http::HttpAnswer> ask(std::string_view path, std::string_view post_body = {});
    Result<http::HttpAnswer> order(const std::string& method, std::string_view path, std::string_view body = {});

    // An answer that goes on: its bytes are handed over until `on_bytes` returns false, the server ends it, or
    // nothing comes for `silence_max`.
    Result<void> follow(std::string_view path, std::string_view post_body, const std::string& accept,
                        std::chrono::seconds silence_max, const std::function<bool(std::string_view)>& on_bytes);

    const std::vector<std::string>& addresses() const { return options_.addresses; }
    const std::string& name() const { return options_.name; }

  private:
    struct Call {
        std::string method;
        std::string_view path, body;
        std::string accept = "application/json";
        const std::function<bool(std::string_view)>* on_bytes = nullptr;
    };
    Result<http::HttpAnswer> at_each(const Call& call, http::HttpClient& client);
    Result<http::HttpAnswer> at(const std::string& address, const Call& call, http::HttpClient& client);
    bool is_configured(std::string_view url) const;

    const EndpointOptions options_;
    http::HttpClient http_;
    std::atomic<std::size_t> last_good_{0};
};

}  // namespace boatswain::fleet
