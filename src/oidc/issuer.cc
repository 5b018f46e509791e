#include "oidc/issuer.h"

#include "base/json_reader.h"
#include "http/client/http_client.h"

namespace boatswain::oidc {
namespace {

constexpr std::chrono::milliseconds file_look_every{1000};

Fetch over_http(const Settings& settings, const std::atomic<bool>& ending) {
    http::HttpOptions options{.connect_timeout = fetch_time_max, .exchange_max = fetch_time_max};
    options.ca_file = settings.ca_file;
    auto client = std::make_shared<http::HttpClient>(std::move(options));  // the function's own: it can be copied
    return [client, &ending](const std::string& from, std::size_t bytes_max) -> Result<std::string> {
        TRY(auto answer, client->send({.url = from,
                                       .headers = {{"Accept", "application/json"}},
                                       .body = {},
                                       .answer_bytes_max = bytes_max,
                                       .timeout = fetch_time_max,
                                       .direct = from.starts_with("http://"),  // to this machine
                                       .give_up = &ending}));
        constexpr int ok = 200;
        if (answer.status != ok)
            return fail(Remedy::back_off, "it answers with status " + std::to_string(answer.status));
        return std::move(answer.body);
    };
}

}  // namespace

Issuer::Issuer(Settings settings, const Clock& clock, Log& log, Metrics& metrics, Fetch fetch)
    : settings_(std::move(settings)),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      fetch_(fetch ? std::move(fetch) : over_http(settings_, ending_)) {}

Issuer::~Issuer() { ending_ = true; }

void Issuer::start() {
    {
        std::lock_guard lock{mutex_};
        is_running_ = true;
    }
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void Issuer::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        (void)fetch();  // logged and counted there
        std::unique_lock lock{mutex_};
        auto pause = settings_.is_file() ? file_look_every : trouble_ ? settings_.refetch_pause : settings_.refresh;
        wake_.wait_for(lock, stop, pause, [&] { return is_wanted_; });
    }
}

Result<std::string> Issuer::get(const std::string& from, std::size_t bytes_max) {
    auto body = fetch_(from, bytes_max);
    if (!body) return std::unexpected(std::move(body).error().within("fetch " + from));
    return body;
}

Result<std::string> Issuer::key_place(Endpoints& endpoints) {
    if (!settings_.jwks.empty()) return settings_.jwks;
    auto issuer = settings_.issuer;
    if (issuer.ends_with('/')) issuer.pop_back();
    auto document = issuer + "/.well-known/openid-configuration";
    TRY(auto body, get(document, discovery_bytes_max));
    json::parser parser;
    TRY(auto fields, json::parse_object(parser, body, document));
    if (json::view_of(fields, "issuer") != settings_.issuer)
        return fail(Remedy::stop, document + " is of another issuer than " + settings_.issuer);
    endpoints = {.authorization = json::text_of(fields, "authorization_endpoint"),
                 .token = json::text_of(fields, "token_endpoint"),
                 .names_itself = json::flag_of(fields, "authorization_response_iss_parameter_supported")};
    // Of an issuer elsewhere, places on this machine are none of its own.
    bool is_here = settings_.issuer.starts_with("http://");
    auto is_fit = [&](const std::string& url) { return is_safe_url(url) && (is_here || url.starts_with("https://")); };
    for (const auto* url : {&endpoints.authorization, &endpoints.token})
        if (!url->empty() && !is_fit(*url))
            return fail(Remedy::stop, document + " names an endpoint that is no URL with https");
    auto place = json::text_of(fields, "jwks_uri");
    if (!is_fit(place)) return fail(Remedy::stop, document + " names no jwks_uri that is an URL with https");
    return place;
}

Result<void> Issuer::fetch() {
    {
        std::lock_guard lock{mutex_};
        is_wanted_ = false;
        is_fetching_ = true;
        tried_ = clock_.steady();
    }
    Endpoints endpoints;
    auto fetched = [&]() -> Result<KeySet> {
        TRY(auto place, key_place(endpoints));
        auto body = settings_.is_file() ? read_file(place, jwks_bytes_max) : get(place, jwks_bytes_max);
        if (!body) return std::unexpected(std::move(body).error());
        auto keys = KeySet::parse(*body, settings_.algorithms);
        if (!keys) return std::unexpected(std::move(keys).error().within(place));
        return keys;
    }();
    metrics_
        .counter("boatswain_serve_oidc_fetches_total", "Times the issuer's keys were fetched",
                 {{"result", fetched ? "ok" : "failed"}})
        .add();
    std::lock_guard lock{mutex_};
    is_fetching_ = false;
    ++fetches_;
    if (ending_) return fail(Remedy::stop, "told to end");
    auto before = trouble_ ? trouble_->what : std::string{};
    if (fetched) {
        if (!keys_ || trouble_) log_.info("keys of the issuer fetched", {{"keys", fetched->size()}});
        keys_ = std::make_shared<const KeySet>(std::move(*fetched));
        endpoints_ = std::move(endpoints);
        fetched_ = clock_.steady();
        trouble_.reset();
    } else {
        trouble_ = fetched.error();
        if (settings_.is_file()) keys_.reset();
        if (trouble_->what != before) log_.error("keys of the issuer cannot be fetched", {{"error", *trouble_}});
    }
    count_keys();
    if (trouble_) return std::unexpected(*trouble_);
    return {};
}

std::shared_ptr<const KeySet> Issuer::held() {
    std::lock_guard lock{mutex_};
    if (keys_ && !settings_.is_file() && clock_.steady() - fetched_ > settings_.keep_keys) {
        keys_.reset();
        count_keys();
        log_.error("keys of the issuer are too old: none of its tokens is accepted",
                   {{"error", trouble_ ? trouble_->what : std::string{}}});
    }
    return keys_;
}

void Issuer::count_keys() {
    metrics_.gauge("boatswain_serve_oidc_keys", "Keys of the issuer that are held")
        .set(keys_ ? static_cast<double>(keys_->size()) : 0);
}

Presented Issuer::who(std::string_view token) {
    auto keys = held();
    if (!keys) return {};
    std::string claims;
    auto signature = keys->check(token, claims);
    if (signature == Signature::unknown_key) return {.bearer = {}, .is_key_unknown = true};
    if (signature == Signature::bad) return {};
    return {.bearer = bearer_of(claims, settings_, clock_.now())};
}

bool Issuer::ask_again() {
    std::lock_guard lock{mutex_};
    if (!is_running_ || !tried_) return false;
    if (is_wanted_ || is_fetching_) return true;
    if (clock_.steady() - *tried_ < settings_.refetch_pause) return false;
    is_wanted_ = true;
    wake_.notify_one();
    return true;
}

std::optional<Error> Issuer::trouble() {
    if (held()) return std::nullopt;
    std::lock_guard lock{mutex_};
    return trouble_ ? trouble_ : Error{.remedy = Remedy::back_off, .what = "the issuer's keys were not fetched yet"};
}

std::size_t Issuer::keys() {
    auto keys = held();
    return keys ? keys->size() : 0;
}

std::optional<Endpoints> Issuer::endpoints() {
    std::lock_guard lock{mutex_};
    if (endpoints_.authorization.empty() || endpoints_.token.empty()) return std::nullopt;
    return endpoints_;
}

}  // namespace boatswain::oidc
