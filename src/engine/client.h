// The Docker Engine API, as far as Boatswain uses it: read-only, and attach.
//
// All functions are coroutines of the one I/O thread; nothing here is shared with another. Every call has a timeout:
// negotiate and inspect take at most `call_timeout` an HTTP request, body and all; list and past_events at most
// long_call_factor times that; events, logs and attach at most `call_timeout` to have the head of the answer, and their
// streams then wait for ever. Each call has a connection of
// its own: one container that hangs the engine holds up no other. Cancellation ends any call at once (what it returns
// then says net::is_cancelled). Errors: engine not there or hanging -> back_off; 404 -> re_resolve; 409 (being removed,
// paused) -> re_resolve; 501 -> stop; nonsense in the answer -> quarantine. The engine's own message is part of
// Error::what, made printable.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/container.h"
#include "engine/image.h"
#include "record/line.h"

namespace boatswain::net {
class Connection;
}

namespace boatswain::engine {

template <class T>
using Task = boost::asio::awaitable<Result<T>>;

// Where the engine listens: "/var/run/docker.sock", "unix:///var/run/docker.sock", "tcp://127.0.0.1:2375",
// "tcp://host:2376" with TLS when any of the files is set.
struct Endpoint {
    std::string address = "/var/run/docker.sock";
    std::string ca_file;           // PEM; verify the engine against it
    std::string certificate_file;  // PEM; our own, for client authentication
    std::string key_file;
    std::chrono::milliseconds call_timeout{10'000};
    // How to connect to a unix socket, where we may not ourselves (sandbox/broker.h); otherwise we do.
    std::function<boost::asio::awaitable<Result<std::unique_ptr<net::Connection>>>(
        std::chrono::steady_clock::time_point until)>
        connect = {};
};

// The cause of the error of a connection that is refused at a socket whose file is mounted by itself: an engine that
// was started again listens at another file, which is never seen under this name. Only another mount helps.
inline const std::error_code stale_socket{ESTALE, std::generic_category()};

// Bounds on what an engine may send us. Labels are in every event and in the list, and tenants choose how long they
// are: they are left out of what is longer, so that nobody's container hides another.
inline constexpr std::size_t event_bytes_max = 1U << 20;
inline constexpr std::size_t list_entry_bytes_max = 256U << 10;
inline constexpr std::size_t list_entries_max = 1'000'000;
inline constexpr std::size_t past_events_max = 4096;  // of one answer; the engine keeps 256
inline constexpr std::size_t stream_chunk_bytes_max = 64U << 10;
// An answer that is made of all containers takes long where they have long labels: gigabytes may come.
inline constexpr int long_call_factor = 6;

// A follow stream of events. Owned by one coroutine.
class EventStream {
  public:
    virtual ~EventStream() = default;
    // The next event; waits for ever. Remedy::quarantine: one event made no sense, or was too long; the next call goes
    // on behind it, and what it would have told is in the list. Every other error is the stream's end (closed by the
    // engine, broken off, no JSON any more): drop it, subscribe again.
    virtual Task<Event> next() = 0;
};

// Raw bytes of logs or attach as they come. Owned by one coroutine.
class ByteStream {
  public:
    virtual ~ByteStream() = default;
    // The next bytes, at most stream_chunk_bytes_max, borrowed until the next call. Empty: a clean end of stream.
    // A chunked body that breaks off is Remedy::back_off, never a clean end.
    virtual Task<std::string_view> next() = 0;
};

struct LogsQuery {
    bool follow = false;
    std::optional<Timestamp> since;     // inclusive
    std::optional<std::uint64_t> tail;  // only the last so many lines
};

class Client {
  public:
    virtual ~Client() = default;

    // Asks /version and settles on the newest API version that both speak: 1.24 to 1.56 are known. An engine that takes
    // none of those any more is spoken to in its oldest, with EngineInfo::newer. Called first, and again after the
    // connection broke. An engine that is older than 1.24 is Remedy::stop.
    virtual Task<EngineInfo> negotiate() = 0;
    virtual Task<ContainerList> list() = 0;  // all containers, running or not
    virtual Task<ContainerFacts> inspect(std::string id, WordFilter keep) = 0;
    // By its id, ContainerFacts::image_id.
    virtual Task<ImageFacts> image(std::string id, WordFilter keep) = 0;
    // Container events (create, start, die, destroy, rename); from `since` on (inclusive) as far as the engine
    // remembers.
    virtual Task<std::unique_ptr<EventStream>> events(std::optional<Timestamp> since) = 0;
    // The same events up to now, as far as the engine remembers: its last 256, none from before it was started.
    virtual Task<std::vector<Event>> past_events(Timestamp since) = 0;
    // stdout and stderr with timestamps. 8-byte-framed unless the container has a TTY (decide by ContainerFacts::tty).
    virtual Task<std::unique_ptr<ByteStream>> logs(std::string id, LogsQuery query) = 0;
    // The live output, from now on; never stdin. Framed unless TTY. The caller MUST keep reading: a stalled reader
    // stalls the container.
    virtual Task<std::unique_ptr<ByteStream>> attach(std::string id) = 0;
};

// `executor` is that of the I/O thread.
Result<std::unique_ptr<Client>> make_client(boost::asio::any_io_executor executor, Endpoint endpoint);

}  // namespace boatswain::engine
