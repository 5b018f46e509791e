#include "intake/pod_watch/api_watch.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <random>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"
#include "http/client/http_client.h"
#include "intake/pod_watch/pod_event.h"

namespace boatswain::intake::cri {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view accepted =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json;q=0.5";
// A server says once a minute that it is there (a bookmark). One that says nothing for so long has gone.
constexpr std::chrono::seconds silence_max{150};
constexpr std::chrono::seconds retry_after_max{300};
constexpr int status_ok = 200, status_gone = 410;

// A quarter more or less: the nodes of a cluster do not ask all at once.
milliseconds varied(milliseconds time) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    auto quarter = time.count() / 4;
    return time + milliseconds{std::uniform_int_distribution<std::int64_t>{-quarter, quarter}(random)};
}

std::optional<std::chrono::seconds> retry_after(const http::HttpAnswer& answer) {
    auto text = answer.header("retry-after");
    std::int64_t seconds = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
    return std::min(std::chrono::seconds{seconds}, retry_after_max);
}

}  // namespace

ApiWatch::ApiWatch(boost::asio::any_io_executor executor, ApiWatchOptions options)
    : executor_(executor),
      options_(std::move(options)),
      news_(std::move(executor)),
      thread_([this](std::stop_token stop) { follow(stop); }) {}

ApiWatch::~ApiWatch() {
    *here_ = false;
    thread_.request_stop();
    thread_.join();
}

// ---- Of the I/O thread ----------------------------------------------------------------------------------------------

std::optional<ApiWatch::Taken> ApiWatch::take() {
    std::scoped_lock lock{mutex_};
    if (inbox_.empty()) {
        drained_ = true;
        changed_.notify_all();
        return std::nullopt;
    }
    auto taken = std::move(inbox_.front());
    inbox_.pop_front();
    inbox_bytes_ -= taken.line.size();
    changed_.notify_all();
    return taken;
}

void ApiWatch::reached(std::string version) {
    std::scoped_lock lock{mutex_};
    version_ = std::move(version);
}

void ApiWatch::ended(std::string why) {
    std::scoped_lock lock{mutex_};
    ended_ = std::move(why);
    end_watch_ = true;
}

void ApiWatch::begin_again() {
    std::scoped_lock lock{mutex_};
    version_ = "0";
    standing_.round = ++round_;
    inbox_.clear();
    inbox_bytes_ = 0;
    standing_.heard = false;
    end_watch_ = true;
    changed_.notify_all();
}

ApiWatch::Standing ApiWatch::standing() const {
    std::scoped_lock lock{mutex_};
    return standing_;
}

// ---- Of its own thread ----------------------------------------------------------------------------------------------

void ApiWatch::follow(const std::stop_token& stop) {
    std::stop_callback on_stop{stop, [this] { end_watch_ = true; }};
    auto pause_time = options_.retry_first;
    while (!stop.stop_requested()) {
        auto began = steady_clock::now();
        auto watched = watch_once(stop);
        std::unique_lock lock{mutex_};
        // What was handed over is taken first: from there the next watch goes on.
        changed_.wait(lock, stop, [this] { return inbox_.empty() && drained_; });
        if (!ended_.empty()) watched.trouble = std::exchange(ended_, {});
        standing_.trouble = watched.trouble;
        standing_.failures += watched.trouble.empty() ? 0 : 1;
        if (watched.lost_history) {
            version_ = "0";
            standing_.round = ++round_;
            standing_.heard = false;
        }
        bool went_well = steady_clock::now() - began >= watch_went_well;
        pause_time = went_well ? options_.retry_first : std::min(pause_time * 2, options_.retry_max);
        pause(lock, watched.wait ? milliseconds{*watched.wait} : varied(pause_time), stop);
    }
}

// begin_again() ends it early, too.
void ApiWatch::pause(std::unique_lock<std::mutex>& lock, milliseconds time, const std::stop_token& stop) {
    auto round = round_;
    changed_.wait_for(lock, stop, time, [&] { return round_ != round; });
}

Result<std::string> ApiWatch::token() const {
    if (options_.token_file.empty()) return std::string{};
    TRY(auto text, read_file(options_.token_file, token_bytes_max));
    auto shown = trim(text);
    // It becomes a line of the request's head.
    auto fits = [](char c) { return c > ' ' && c < '\x7f'; };
    if (shown.empty() || !std::ranges::all_of(shown, fits))
        return fail(Remedy::stop, options_.token_file.string() + ": no token");
    return std::string{shown};
}

ApiWatch::Watched ApiWatch::watch_once(const std::stop_token& stop) {
    std::uint64_t round = 0;
    std::string version;
    {
        std::scoped_lock lock{mutex_};
        end_watch_ = false;
        if (stop.stop_requested()) end_watch_ = true;  // after the line above: the callback may have come before it
        round = round_;
        version = version_;
        ++standing_.watches;
        lines_.begin_again();
    }
    auto token = this->token();
    if (!token) return {.trouble = token.error().what};
    // Made for each watch: authorities that were changed count from then on.
    http::HttpClient client{{.stall_max = silence_max,
                             .stall_bytes_per_second = 1,
                             .ca_file = options_.ca_file.empty() ? std::nullopt : std::optional{options_.ca_file}}};
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(varied(options_.watch_time)).count();
    http::HttpRequest request{.url = options_.url +
                                     "/api/v1/pods?watch=1&allowWatchBookmarks=true&fieldSelector=spec.nodeName%3D" +
                                     percent_encode(options_.node) + "&resourceVersion=" + version +
                                     "&timeoutSeconds=" + std::to_string(seconds),
                              .headers = {{"Accept", std::string{accepted}}},
                              .direct = true};
    if (!token->empty()) request.headers.emplace_back("Authorization", "Bearer " + *token);
    request.give_up = &end_watch_;
    request.on_bytes = [&](std::string_view bytes) {
        bool goes_on = !end_watch_;
        lines_.take(bytes, [&](std::string line) { goes_on = goes_on && hand_over(std::move(line), round, stop); });
        return goes_on;
    };
    auto answer = client.send(request);
    if (end_watch_) return {};
    if (!answer) return {.trouble = answer.error().what};
    if (answer->status == status_ok) return {};
    if (answer->status == status_gone) return {.lost_history = true};
    auto said = status_message(answer->body);
    return {.trouble = "HTTP " + std::to_string(answer->status) + (said.empty() ? "" : ": " + said),
            .wait = retry_after(*answer)};
}

bool ApiWatch::hand_over(std::string line, std::uint64_t round, const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, stop,
                  [&] { return inbox_.empty() || inbox_bytes_ + line.size() <= inbox_bytes_max || round != round_; });
    if (stop.stop_requested() || round != round_ || end_watch_) return false;
    standing_.trouble.clear();
    standing_.too_long = lines_.too_long();
    standing_.heard = true;
    inbox_bytes_ += line.size();
    inbox_.push_back({.line = std::move(line), .round = round, .watch = standing_.watches});
    drained_ = false;
    boost::asio::post(executor_, [this, here = here_] {
        if (*here) news_.notify();
    });
    return true;
}

}  // namespace boatswain::intake::cri
