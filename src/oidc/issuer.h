// An issuer of tokens (OpenID Connect): its keys, fetched by a thread of their own, and who presents a token of it.
//
// Invariants
//   - Nobody waits for the issuer: whoever asks gets the answer by the keys that are held.
//   - The set of keys is always that of one fetch, whole: a key that the issuer took out ends all its tokens with the
//     next fetch.
//   - A set that could not be fetched again is used for `keep_keys`, then for nothing. A file that cannot be read is no
//     set at once.
//   - However many tokens name keys that are not known: one fetch in `refetch_pause`.
//   - The discovery document has to name the issuer as we know it, byte by byte (OpenID Connect Discovery section 4.3).
//   - Only https is spoken, and http to this machine; redirects are not followed; answers are bounded.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "oidc/claims.h"
#include "oidc/key_set.h"
#include "oidc/settings.h"

namespace boatswain::oidc {

inline constexpr std::size_t discovery_bytes_max = 256U << 10;
inline constexpr std::chrono::milliseconds fetch_time_max{10'000};  // of one request

// The body that the URL (or file) gives. Replaced in tests.
using Fetch = std::function<Result<std::string>(const std::string& from, std::size_t bytes_max)>;

// Where the web page sends people to sign in: of the discovery document.
struct Endpoints {
    std::string authorization, token;  // empty: it names none
    bool names_itself = false;         // its answers carry `iss` (RFC 9207)
};

struct Presented {
    std::optional<Bearer> bearer;  // nothing: nobody
    bool is_key_unknown = false;   // it may be somebody once the keys were fetched again: ask_again()
};

// Thread-safe.
class Issuer {
  public:
    // `clock` is borrowed, and so are `log` and `metrics`.
    Issuer(Settings settings, const Clock& clock, Log& log, Metrics& metrics, Fetch fetch = {});
    ~Issuer();
    Issuer(const Issuer&) = delete;
    Issuer& operator=(const Issuer&) = delete;

    // The thread that fetches. Called once.
    void start();
    // Fetches now, on the caller's thread: for --check, and for tests.
    Result<void> fetch();

    Presented who(std::string_view token);
    // Whether the keys are being fetched, or will be at once since somebody needs them. False: not now, and waiting is
    // for nothing.
    bool ask_again();
    // Counts the fetches that have ended.
    std::uint64_t fetches() const { return fetches_; }
    // Why no token is accepted; nothing while there are keys.
    std::optional<Error> trouble();
    std::size_t keys();
    std::optional<Endpoints> endpoints();
    const Settings& settings() const { return settings_; }

  private:
    std::shared_ptr<const KeySet> held();
    Result<std::string> get(const std::string& from, std::size_t bytes_max);
    Result<std::string> key_place(Endpoints& endpoints);
    void run(const std::stop_token& stop);
    void count_keys();

    const Settings settings_;
    const Clock& clock_;
    Log& log_;
    Metrics& metrics_;
    const Fetch fetch_;
    std::atomic<bool> ending_ = false;
    std::atomic<std::uint64_t> fetches_ = 0;

    std::mutex mutex_;  // of what follows
    std::condition_variable_any wake_;
    std::shared_ptr<const KeySet> keys_;  // whoever checks a token by it keeps it while a new one takes its place
    std::chrono::steady_clock::time_point fetched_{};
    std::optional<std::chrono::steady_clock::time_point> tried_;
    std::optional<Error> trouble_;
    Endpoints endpoints_;
    bool is_wanted_ = false;  // a key was not known
    bool is_fetching_ = false;
    bool is_running_ = false;  // the thread is there
    std::jthread thread_;      // last: it ends before what it uses
};

}  // namespace boatswain::oidc
