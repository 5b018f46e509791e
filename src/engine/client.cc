#include "engine/client.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/bytes.h"
#include "base/text.h"
#include "engine/json_splitter.h"
#include "http/exchange.h"
#include "net/error.h"

namespace boatswain::engine {
namespace {

using http::Exchange;
using http::ExchangeRequest;
using net::after;
using net::Deadline;

// Bounds on what a refusal may say, and on what describes one container or the engine.
constexpr std::size_t refusal_bytes_max = 64U << 10;
constexpr std::size_t inspect_bytes_max = 4U << 20;
constexpr std::size_t info_bytes_max = 4U << 20;

// The API versions that we know: 1.24 is the oldest whose fields are as container.h says, 1.56 the newest we have read
// about. (What changed for us: events without top-level id, status and from since 1.52.)
struct ApiVersion {
    unsigned major = 0;
    unsigned minor = 0;
    auto operator<=>(const ApiVersion&) const = default;
};
constexpr ApiVersion api_oldest{1, 24};
constexpr ApiVersion api_newest{1, 56};

std::optional<ApiVersion> parse_api_version(std::string_view text) {
    ApiVersion version;
    const char* end = text.data() + text.size();
    auto [dot, error] = std::from_chars(text.data(), end, version.major);
    if (error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
    auto [last, error_minor] = std::from_chars(dot + 1, end, version.minor);
    if (error_minor != std::errc{} || last != end) return std::nullopt;
    return version;
}

std::string to_text(ApiVersion version) { return std::to_string(version.major) + "." + std::to_string(version.minor); }

Result<ApiVersion> settle(EngineInfo& info) {
    auto newest = parse_api_version(info.api_version);
    auto oldest = parse_api_version(info.min_api_version);  // absent before 1.25
    if (!newest)
        return fail(Remedy::quarantine, "the engine's API version is \"" + printable(info.api_version, 40) + "\"");
    auto version = std::max(std::min(*newest, api_newest), oldest.value_or(ApiVersion{}));
    if (version < api_oldest)
        return fail(Remedy::stop, "the engine speaks API " + printable(info.min_api_version, 40) + " to " +
                                      printable(info.api_version, 40) + ", Boatswain " + to_text(api_oldest) + " to " +
                                      to_text(api_newest));
    info.spoken_api_version = to_text(version);
    info.newer = version > api_newest;
    return version;
}

// SEC.NNNNNNNNN: the API refuses RFC 3339 here, and the fraction must have nine digits (measured on 20.10).
std::string to_since(Timestamp time) {
    auto nanoseconds = std::max<std::int64_t>(time.time_since_epoch().count(), 0);
    char text[40];
    std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(nanoseconds / 1'000'000'000),
                  static_cast<long long>(nanoseconds % 1'000'000'000));
    return text;
}

// The engine's router decodes and cleans paths before it chooses a handler, so that even "..%2Finfo" would lead
// elsewhere.
bool is_container_name(std::string_view text) {
    return !text.empty() && is_letter_or_digit(text.front()) &&
           std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

// A file that is a mount of its own: bind-mounted into a container.
bool is_mounted_file(const std::string& path) {
    struct statx found{};
    return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &found) == 0 &&
           (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Error explain_refusal(Error error, const net::Address& address) {
    if (!address.is_unix() || error.cause != std::errc::connection_refused || !is_mounted_file(address.unix_path))
        return error;
    error.cause = stale_socket;
    error.what +=
        " (the socket's file is mounted by itself, and its engine has ended: mount the socket's directory instead, and "
        "start this again)";
    return error;
}

Remedy remedy_of(unsigned status) {
    if (status < 400) return Remedy::stop;  // a redirection: this is not an engine
    switch (status) {
        case 404:  // no such container
        case 409:  // it is being removed
            return Remedy::re_resolve;
        case 400:  // we asked wrongly, or the versions do not fit
        case 401:
        case 403:  // a proxy before the engine
        case 501:  // the log driver cannot be read
            return Remedy::stop;
        default: return Remedy::back_off;
    }
}

// {"Actor": {"Attributes": {LABELS}}}
constexpr JsonSplitter::Bounds event_bounds{.bytes_max = event_bytes_max, .deep = 3};
// [{"Command": "...", "Labels": {LABELS}}]
constexpr JsonSplitter::Bounds list_bounds{.bytes_max = list_entry_bytes_max, .deep = 2, .text_bytes_max = 4U << 10};

// Events, out of the answer to GET /events.
class HttpEventStream final : public EventStream {
  public:
    explicit HttpEventStream(std::unique_ptr<Exchange> exchange)
        : exchange_(std::move(exchange)), objects_(event_bounds) {}

    Task<Event> next() override {
        for (;;) {
            auto object = objects_.next();
            if (!object) {
                auto error = std::move(object).error().within("engine events");
                if (error.remedy == Remedy::stop) error.remedy = Remedy::back_off;  // of this stream, not of the engine
                co_return std::unexpected(std::move(error));
            }
            if (*object) {
                CO_TRY(auto event, parse_event(**object));
                event.shortened = objects_.shortened();
                co_return event;
            }
            auto bytes = co_await exchange_->next(net::no_deadline);
            if (!bytes) co_return std::unexpected(std::move(bytes).error().within("engine events"));
            if (bytes->empty()) co_return fail(Remedy::back_off, "engine events: the engine closed the stream");
            objects_.feed(*bytes);
        }
    }

  private:
    std::unique_ptr<Exchange> exchange_;
    JsonSplitter objects_;
};

class HttpByteStream final : public ByteStream {
  public:
    HttpByteStream(std::unique_ptr<Exchange> exchange, std::string doing)
        : exchange_(std::move(exchange)), doing_(std::move(doing)) {}

    Task<std::string_view> next() override {
        auto bytes = co_await exchange_->next(net::no_deadline);
        if (!bytes) co_return std::unexpected(std::move(bytes).error().within(doing_));
        co_return *bytes;
    }

  private:
    static_assert(http::http_read_bytes <= stream_chunk_bytes_max);
    std::unique_ptr<Exchange> exchange_;
    std::string doing_;
};

// The engine over HTTP: each call on a connection of its own, so that a container whose inspect hangs holds up nothing
// else.
class HttpClient final : public Client {
  public:
    HttpClient(boost::asio::any_io_executor executor, net::Address address, std::unique_ptr<net::Tls> tls,
               std::chrono::milliseconds call_timeout, decltype(Endpoint::connect) connect)
        : executor_(std::move(executor)),
          address_(std::move(address)),
          tls_(std::move(tls)),
          call_timeout_(call_timeout),
          connect_(std::move(connect)) {}

    Task<EngineInfo> negotiate() override;
    Task<ContainerList> list() override;
    Task<ContainerFacts> inspect(std::string id, WordFilter keep) override;
    Task<ImageFacts> image(std::string id, WordFilter keep) override;
    Task<std::unique_ptr<EventStream>> events(std::optional<Timestamp> since) override;
    Task<std::vector<Event>> past_events(Timestamp since) override;
    Task<std::unique_ptr<ByteStream>> logs(std::string id, LogsQuery query) override;
    Task<std::unique_ptr<ByteStream>> attach(std::string id) override;

  private:
    std::string events_path() const;
    // Before negotiate() calls go without a version: the engine's own newest.
    std::string path(std::string_view rest) const { return version_path_ + std::string{rest}; }
    Result<std::string> container_path(std::string_view id, std::string_view rest) const {
        if (!is_container_name(id))
            return fail(Remedy::quarantine, "\"" + printable(id, 80) + "\" is not a container's id or name");
        return path("/containers/" + std::string{id} + std::string{rest});
    }

    // Connects, asks, and has the head of an answer of status 2xx (or 101); a refusal becomes an Error with the
    // engine's words.
    Task<std::unique_ptr<Exchange>> begin(ExchangeRequest request, Deadline until);
    Task<std::string> get(std::string target, std::size_t bytes_max);

    // Of an answer that is a stream of objects, and ends within long_call_factor timeouts. next() is nothing behind the
    // last; Remedy::quarantine: one was too long, the next call goes on behind it.
    class Objects {
      public:
        Objects(std::unique_ptr<Exchange> exchange, JsonSplitter splitter, Deadline until)
            : exchange_(std::move(exchange)), splitter_(std::move(splitter)), until_(until) {}
        Task<std::optional<std::string>> next();

      private:
        std::unique_ptr<Exchange> exchange_;
        JsonSplitter splitter_;
        Deadline until_;
    };
    Task<Objects> get_objects(std::string target, JsonSplitter splitter);

    boost::asio::any_io_executor executor_;
    net::Address address_;
    std::unique_ptr<net::Tls> tls_;
    std::chrono::milliseconds call_timeout_;
    decltype(Endpoint::connect) connect_;
    std::string version_path_;  // "/v1.41"
};

Task<std::unique_ptr<Exchange>> HttpClient::begin(ExchangeRequest request, Deadline until) {
    auto doing = "engine " + request.method + " " + request.target.substr(0, request.target.find('?'));
    if (!address_.is_unix()) request.host = net::to_text(address_);
    auto connection =
        connect_ ? co_await connect_(until) : co_await net::connect(executor_, address_, tls_.get(), until);
    if (!connection) co_return std::unexpected(explain_refusal(std::move(connection).error().within(doing), address_));
    auto exchange = co_await Exchange::begin(std::move(*connection), std::move(request), until);
    if (!exchange) co_return std::unexpected(std::move(exchange).error().within(doing));
    auto status = (*exchange)->status();
    if (status < 300) co_return std::move(*exchange);

    // The status is what counts: a refusal whose text does not come is still that refusal.
    auto body = co_await (*exchange)->whole(refusal_bytes_max, until);
    auto words = body ? parse_error_message(*body) : std::string{};
    if (words.empty()) words = printable((*exchange)->reason());
    co_return fail(remedy_of(status), doing + ": " + std::to_string(status) + " " + words);
}

Task<std::string> HttpClient::get(std::string target, std::size_t bytes_max) {
    auto until = after(call_timeout_);
    ExchangeRequest request{.target = target};
    CO_TRY(auto exchange, co_await begin(std::move(request), until));
    auto body = co_await exchange->whole(bytes_max, until);
    if (!body) co_return std::unexpected(std::move(body).error().within("engine GET " + target));
    co_return std::move(*body);
}

Task<EngineInfo> HttpClient::negotiate() {
    CO_TRY(auto version, co_await get("/version", info_bytes_max));
    CO_TRY(auto info, parse_version(version));
    CO_TRY(auto settled, settle(info));
    version_path_ = "/v" + to_text(settled);
    auto more = co_await get(path("/info"), info_bytes_max);
    if (!more && net::is_cancelled(more.error())) co_return std::unexpected(std::move(more).error());
    // A proxy may well keep /info to itself; what it tells is a help, not a need.
    if (!more && (more.error().remedy == Remedy::re_resolve || more.error().remedy == Remedy::stop)) co_return info;
    if (!more) co_return std::unexpected(std::move(more).error());
    CO_CHECK(parse_info(*more, info));
    co_return info;
}

Task<HttpClient::Objects> HttpClient::get_objects(std::string target, JsonSplitter splitter) {
    auto until = after(call_timeout_ * long_call_factor);
    ExchangeRequest request{.target = std::move(target)};
    CO_TRY(auto exchange, co_await begin(std::move(request), until));
    co_return Objects{std::move(exchange), std::move(splitter), until};
}

Task<std::optional<std::string>> HttpClient::Objects::next() {
    for (;;) {
        auto object = splitter_.next();
        if (!object && object.error().remedy == Remedy::stop) object.error().remedy = Remedy::back_off;
        if (!object || *object) co_return object;
        CO_TRY(auto bytes, co_await exchange_->next(until_));
        if (bytes.empty() && splitter_.at_end()) co_return std::nullopt;
        if (bytes.empty()) co_return fail(Remedy::back_off, "the answer ends too early");
        splitter_.feed(bytes);
    }
}

Task<ContainerList> HttpClient::list() {
    auto target = path("/containers/json?all=1");
    CO_TRY(auto objects, co_await get_objects(target, JsonSplitter{list_bounds, JsonSplitter::Shape::array}));
    ContainerList list;
    for (;;) {
        auto object = co_await objects.next();
        if (object && !*object) co_return list;
        auto summary = object ? parse_container_summary(**object)
                              : Result<ContainerSummary>{std::unexpected(std::move(object).error())};
        // One entry that makes no sense hides no other; but who is missing is then not gone.
        if (!summary && summary.error().remedy == Remedy::quarantine) {
            list.whole = false;
            continue;
        }
        if (!summary) co_return std::unexpected(std::move(summary).error().within("engine GET " + target));
        if (list.containers.size() >= list_entries_max)
            co_return fail(Remedy::quarantine,
                           "engine GET " + target + ": more than " + std::to_string(list_entries_max) + " containers");
        list.containers.push_back(std::move(*summary));
    }
}

Task<ImageFacts> HttpClient::image(std::string id, WordFilter keep) {
    if (!is_image_id(id)) co_return fail(Remedy::quarantine, "\"" + printable(id, 80) + "\" is not an image's id");
    CO_TRY(auto json, co_await get(path("/images/" + id + "/json"), inspect_bytes_max));
    co_return parse_image(json, keep);
}

Task<ContainerFacts> HttpClient::inspect(std::string id, WordFilter keep) {
    CO_TRY(auto target, container_path(id, "/json"));
    CO_TRY(auto json, co_await get(std::move(target), inspect_bytes_max));
    CO_TRY(auto facts, parse_inspect(json, keep));
    if (id.size() == container_id_size && facts.id != id)
        co_return fail(Remedy::quarantine, "inspect " + printable(id) + ": the engine answered about " + facts.id);
    co_return facts;
}

std::string HttpClient::events_path() const {
    // Podman filters by names of its own, whatever it calls the events in its answer.
    constexpr std::string_view filters =
        R"({"type":["container"],"event":["create","start","die","destroy","rename","died","remove"]})";
    return path("/events?filters=" + percent_encode(filters));
}

Task<std::vector<Event>> HttpClient::past_events(Timestamp since) {
    // With `until` the engine ends the answer, rather than to wait for what comes.
    auto target = events_path() + "&since=" + to_since(since) + "&until=" + to_since(SystemClock{}.now());
    CO_TRY(auto objects, co_await get_objects(std::move(target), JsonSplitter{event_bounds}));
    std::vector<Event> events;
    while (events.size() < past_events_max) {
        auto object = co_await objects.next();
        if (object && !*object) break;
        // One that makes no sense hides no other.
        if (!object && object.error().remedy == Remedy::quarantine) continue;
        if (!object) co_return std::unexpected(std::move(object).error().within("engine's past events"));
        if (auto event = parse_event(**object)) events.push_back(std::move(*event));
    }
    co_return events;
}

Task<std::unique_ptr<EventStream>> HttpClient::events(std::optional<Timestamp> since) {
    auto target = events_path();
    if (since) target += "&since=" + to_since(*since);
    ExchangeRequest request{.target = std::move(target)};
    CO_TRY(auto exchange, co_await begin(std::move(request), after(call_timeout_)));
    co_return std::make_unique<HttpEventStream>(std::move(exchange));
}

Task<std::unique_ptr<ByteStream>> HttpClient::logs(std::string id, LogsQuery query) {
    CO_TRY(auto target, container_path(id, "/logs?stdout=1&stderr=1&timestamps=1"));
    if (query.follow) target += "&follow=1";
    if (query.since) target += "&since=" + to_since(*query.since);
    if (query.tail) target += "&tail=" + std::to_string(*query.tail);
    ExchangeRequest request{.target = std::move(target)};
    CO_TRY(auto exchange, co_await begin(std::move(request), after(call_timeout_)));
    co_return std::make_unique<HttpByteStream>(std::move(exchange), "logs of " + printable(id));
}

Task<std::unique_ptr<ByteStream>> HttpClient::attach(std::string id) {
    CO_TRY(auto target, container_path(id, "/attach?stream=1&stdout=1&stderr=1"));
    ExchangeRequest request{.method = "POST", .target = std::move(target), .upgrade_to = "tcp"};
    CO_TRY(auto exchange, co_await begin(std::move(request), after(call_timeout_)));
    co_return std::make_unique<HttpByteStream>(std::move(exchange), "attach to " + printable(id));
}

}  // namespace

Result<std::unique_ptr<Client>> make_client(boost::asio::any_io_executor executor, Endpoint endpoint) {
    TRY(auto address, net::parse_address(endpoint.address));
    if (!address.is_unix() && address.port == 0)
        return fail(Remedy::stop, "address " + printable(endpoint.address) + ": the port is missing");
    net::TlsFiles files{
        .ca_file = endpoint.ca_file, .certificate_file = endpoint.certificate_file, .key_file = endpoint.key_file};
    std::unique_ptr<net::Tls> tls;
    if (files.any()) {
        if (address.is_unix())
            return fail(Remedy::stop, "address " + printable(endpoint.address) + ": no TLS over a unix socket");
        TRY(tls, net::make_tls(files));
    }
    return std::make_unique<HttpClient>(std::move(executor), std::move(address), std::move(tls), endpoint.call_timeout,
                                        std::move(endpoint.connect));
}

}  // namespace boatswain::engine
