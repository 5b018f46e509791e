// One HTTP exchange at a time per calling thread, over libcurl.
//
// Used for S3, and for Marathon and Mesos. Handles are kept and reused, so connections are too. Thread-safe: each
// exchange takes a handle of its own. Redirects are not followed (a signed request is for one host), only http and
// https are spoken, an answer is cut off at a bound, and a connection over which nothing moves is given up. Proxies are
// those of the environment (http_proxy, no_proxy), except for requests that say `direct` or name one.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::http {

using NameValues = std::vector<std::pair<std::string, std::string>>;

struct HttpOptions {
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::seconds stall_max{30};  // less than stall_bytes_per_second for this long: given up
    std::uint64_t stall_bytes_per_second = 1024;
    std::chrono::milliseconds exchange_max{900'000};  // of a whole exchange, however steadily it trickles
    std::optional<Path> ca_file;                      // PEM; the system's authorities when not given
};

struct HttpRequest {
    std::string method = "GET";  // GET, HEAD, PUT, POST, PATCH, DELETE
    std::string url;             // encoded
    NameValues headers;
    std::string_view body;
    std::uint64_t answer_bytes_max = 64 << 10;
    std::optional<std::chrono::milliseconds> timeout;  // instead of connect_timeout and exchange_max, when shorter
    bool direct = false;                               // through no proxy
    std::string proxy{};                               // or through this one: http://HOST:PORT, https://HOST:PORT
    // An answer that goes on and on: its bytes are handed here as they come (of a status below 300), and not kept.
    // When it returns false the exchange ends, successfully. exchange_max does not count then, stall_max does.
    std::function<bool(std::string_view bytes)> on_bytes{};
    // Called about once a second while nothing moves in either direction, for a second or longer by then.
    std::function<void(std::chrono::milliseconds silent)> on_silence{};
    // Looked at about once a second: when it says so the exchange is given up (Remedy::stop). Borrowed.
    const std::atomic<bool>* give_up = nullptr;
};

struct HttpAnswer {
    int status = 0;
    NameValues headers;  // names in lower case
    std::string body;

    // The first header of this name (lower case), or an empty text.
    std::string_view header(std::string_view name) const;
};

class HttpClient {
  public:
    static constexpr std::size_t idle_handles_max = 8;
    static constexpr std::size_t header_bytes_max = 64 << 10;

    explicit HttpClient(HttpOptions options);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // An answer of any status is a success here. No connection, a connection that broke or stalled: Remedy::back_off
    // (what the server did with the request is then unknown). A certificate that is not trusted, a CA file that cannot
    // be read: Remedy::stop. An answer longer than its bound: Remedy::quarantine. A time-out has std::errc::timed_out
    // as its cause.
    Result<HttpAnswer> send(const HttpRequest& request);

  private:
    struct Handle;
    std::unique_ptr<Handle> take();
    void put_back(std::unique_ptr<Handle> handle);

    const HttpOptions options_;
    std::mutex idle_guard_;
    std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace boatswain::http
