// Stands between the engine's socket and programs that only want to look: it owns the one, and serves a small, safe
// part of the engine's API on another unix socket.
//
// A request is parsed (request.h), judged and composed again (allow.h), and sent over a connection to the engine of its
// own; the answer's head is composed again too, its body passed on as it comes, or redacted (redact.h). One request a
// connection, on both sides: there is no state that a client could bring out of step.
//
// Runs on the one I/O thread. Invariants
//   - Nothing but what judge() composed is ever written to the engine; in particular nothing that a client sends behind
//     its request.
//   - Everything is bounded: clients (`connections_max`), a request's bytes and time, what is held of an answer (one
//     read; an attach: attach_pending_bytes_max; a redacted inspect: redacted_bytes_max; of lists and events one
//     object).
//   - A client that is gone ends its call to the engine at once; one that takes nothing for `stall_timeout` is cut off.
//   - An attach is read all the time, whatever the client does: when a client falls behind, it is cut off, so that the
//     container never waits.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "guard/allow.h"
#include "guard/redact.h"
#include "net/connection.h"

namespace boatswain::guard {

inline constexpr std::size_t attach_pending_bytes_max = 1U << 20;
inline constexpr std::size_t redacted_bytes_max = 64U << 20;  // of one inspect that is rewritten
// Of one event, or one entry of the list, that is rewritten. What is longer is given out without its labels, so that
// nobody's container hides another; what is still longer is left out of events and breaks a list off.
inline constexpr std::size_t object_bytes_max = 1U << 20;
// A list that is rewritten and no longer is given out in one piece or not at all.
inline constexpr std::size_t list_piece_bytes_max = 4U << 20;

struct Options {
    net::Address listen;  // unix sockets, both
    net::Address engine;
    net::SocketFile file;
    std::set<unsigned> allow_uid;  // empty: everybody who can open the file
    Policy policy;
    std::size_t connections_max = 1024;
    std::chrono::milliseconds request_timeout{10'000};  // until the request is there
    std::chrono::milliseconds engine_timeout{15'000};   // until the head of the answer; the whole, when it is rewritten
    std::chrono::milliseconds stall_timeout{30'000};
};

// Owned by main; outlives run().
class Guard {
  public:
    // `metrics` and `log` outlive it.
    static Result<std::unique_ptr<Guard>> open(boost::asio::any_io_executor executor, Options options,
                                               Redactor redactor, Metrics& metrics, Log& log);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    // Serves until cancelled; then cuts every client off, and returns when all have ended. Called once.
    boost::asio::awaitable<void> run();

    // For requests from now on.
    void change(Redactor redactor);

    // Whether the last call that reached for the engine found it; empty: it did, or there was none yet.
    std::string engine_trouble() const;
    std::size_t connections() const;

  private:
    struct State;
    explicit Guard(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::guard
