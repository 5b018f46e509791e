#include "http/client/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/bytes.h"
#include "base/text.h"
#include "base/url_text.h"

namespace boatswain::http {
namespace {

// libcurl's own state is global; it asks to be set up once, before the first handle.
void set_up_curl() {
    static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (done != CURLE_OK) throw std::runtime_error("curl_global_init failed");
}

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList to_curl(const NameValues& headers) {
    HeaderList list;
    for (const auto& [name, value] : headers) {
        // "Name;" is libcurl's form of a header without a value; "Name:" would remove it.
        auto line = value.empty() ? name + ";" : name + ": " + value;
        auto* longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        list.release();
        list.reset(longer);
    }
    return list;
}

// What arrives, and the bounds it must keep.
struct Arrival {
    HttpAnswer answer;
    std::uint64_t body_bytes_max = 0;
    std::size_t header_bytes = 0;
    bool body_too_long = false, headers_too_long = false;
    int status = 0;
    const std::function<bool(std::string_view)>* on_bytes = nullptr;
    bool had_enough = false;
};

// "HTTP/1.1 200 OK": 200. A stream's bytes have to be told from a refusal's before the exchange is over.
int status_of(std::string_view line) {
    auto space = line.find(' ');
    int status = 0;
    if (space != std::string_view::npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
    return status;
}

// What is looked at while an exchange is under way.
struct Watch {
    const HttpRequest& request;
    curl_off_t moved = -1;  // bytes, in both directions
    std::chrono::steady_clock::time_point moved_last{};
};

int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    auto& watch = *static_cast<Watch*>(user);
    if (watch.request.give_up != nullptr && watch.request.give_up->load()) return 1;
    if (!watch.request.on_silence) return 0;
    auto now = std::chrono::steady_clock::now();
    if (std::exchange(watch.moved, received + sent) != received + sent) watch.moved_last = now;
    auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(now - watch.moved_last);
    if (silent >= std::chrono::seconds{1}) watch.request.on_silence(silent);
    return 0;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* user) {
    auto& arrival = *static_cast<Arrival*>(user);
    if (*arrival.on_bytes && arrival.status < 300) {
        arrival.had_enough = !(*arrival.on_bytes)({bytes, size});
        return arrival.had_enough ? CURL_WRITEFUNC_ERROR : size;
    }
    auto room = arrival.body_bytes_max - arrival.answer.body.size();
    arrival.answer.body.append(bytes, std::min<std::uint64_t>(size, room));
    arrival.body_too_long = size > room;
    return arrival.body_too_long ? CURL_WRITEFUNC_ERROR : size;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* user) {
    auto& arrival = *static_cast<Arrival*>(user);
    std::string_view line{bytes, size};
    arrival.header_bytes += size;
    arrival.headers_too_long = arrival.header_bytes > HttpClient::header_bytes_max;
    if (arrival.headers_too_long) return 0;
    if (line.starts_with("HTTP/")) {  // "100 Continue" came before the answer itself
        arrival.answer.headers.clear();
        arrival.status = status_of(line);
    }
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    auto name = lower_case(line.substr(0, colon));
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value.remove_suffix(value.size() - (value.find_last_not_of(blanks) + 1));
    arrival.answer.headers.emplace_back(std::move(name), value);
    return size;
}

Remedy remedy_of(CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_URL_MALFORMAT: return Remedy::stop;
        default:
            return Remedy::back_off;  // CURLE_UNSUPPORTED_PROTOCOL too: libcurl says so of an answer that is not HTTP
    }
}

std::error_code cause_of(CURLcode code) {
    return code == CURLE_OPERATION_TIMEDOUT ? std::make_error_code(std::errc::timed_out) : std::error_code{};
}

// libcurl names a proxy or a host that it cannot resolve as it was given, without the scheme: "user:password@host".
std::string without_secrets(std::string_view message) {
    std::string shown;
    while (!message.empty()) {
        auto word = message.substr(0, message.find(' '));
        message.remove_prefix(std::min(message.size(), word.size() + 1));
        shown += (shown.empty() ? "" : " ") + url_for_people(word);
    }
    return shown;
}

}  // namespace

std::string_view HttpAnswer::header(std::string_view name) const {
    auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

struct HttpClient::Handle {
    CURL* curl = curl_easy_init();
    char why[CURL_ERROR_SIZE] = {};

    Handle() {
        if (curl == nullptr) throw std::bad_alloc();
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { curl_easy_cleanup(curl); }

    template <class Value>
    void set(CURLoption option, Value value) {
        if (auto code = curl_easy_setopt(curl, option, value); code != CURLE_OK)
            throw std::runtime_error(std::string{"curl_easy_setopt: "} + curl_easy_strerror(code));
    }

    void set_limits(const HttpOptions& options, const HttpRequest& request, Watch& watch) {
        auto within = [&](std::chrono::milliseconds usual) {
            return static_cast<long>(std::min(usual, request.timeout.value_or(usual)).count());
        };
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_CONNECTTIMEOUT_MS, within(options.connect_timeout));
        if (!request.on_bytes) set(CURLOPT_TIMEOUT_MS, within(options.exchange_max));
        set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_max.count()));
        set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.stall_bytes_per_second));
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        if (options.ca_file) set(CURLOPT_CAINFO, options.ca_file->c_str());
        if (request.direct) set(CURLOPT_NOPROXY, "*");
        if (!request.proxy.empty()) {
            set(CURLOPT_PROXY, request.proxy.c_str());
            set(CURLOPT_NOPROXY, "");
        }
        if (request.give_up != nullptr || request.on_silence) {
            set(CURLOPT_NOPROGRESS, 0L);
            set(CURLOPT_XFERINFOFUNCTION, &on_progress);
            set(CURLOPT_XFERINFODATA, static_cast<void*>(&watch));
        }
    }

    void set_request(const HttpRequest& request) {
        set(CURLOPT_URL, request.url.c_str());
        set(CURLOPT_PATH_AS_IS, 1L);  // what was signed is what is sent
        set(CURLOPT_USERAGENT, "boatswain");
        if (request.method == "HEAD") {
            set(CURLOPT_NOBODY, 1L);
        } else if (request.method != "GET") {
            set(CURLOPT_POST, 1L);
            set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            set(CURLOPT_POSTFIELDS, request.body.data() == nullptr ? "" : request.body.data());
        }
    }
};

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) { set_up_curl(); }
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Handle> HttpClient::take() {
    std::lock_guard lock{idle_guard_};
    if (idle_.empty()) return std::make_unique<Handle>();
    auto handle = std::move(idle_.back());
    idle_.pop_back();
    return handle;
}

void HttpClient::put_back(std::unique_ptr<Handle> handle) {
    curl_easy_reset(handle->curl);  // keeps connections
    std::lock_guard lock{idle_guard_};
    if (idle_.size() < idle_handles_max) idle_.push_back(std::move(handle));
}

Result<HttpAnswer> HttpClient::send(const HttpRequest& request) {
    auto handle = take();
    auto headers = to_curl(request.headers);
    Arrival arrival{.body_bytes_max = request.answer_bytes_max, .on_bytes = &request.on_bytes};
    handle->why[0] = '\0';
    handle->set(CURLOPT_ERRORBUFFER, static_cast<char*>(handle->why));
    Watch watch{request};
    handle->set_limits(options_, request, watch);
    handle->set_request(request);
    handle->set(CURLOPT_HTTPHEADER, headers.get());
    handle->set(CURLOPT_WRITEFUNCTION, &on_body);
    handle->set(CURLOPT_WRITEDATA, static_cast<void*>(&arrival));
    handle->set(CURLOPT_HEADERFUNCTION, &on_header);
    handle->set(CURLOPT_HEADERDATA, static_cast<void*>(&arrival));

    auto code = curl_easy_perform(handle->curl);
    long status = 0;
    curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &status);
    std::string why = handle->why[0] != '\0' ? handle->why : curl_easy_strerror(code);
    put_back(std::move(handle));

    if (arrival.headers_too_long)
        return fail(Remedy::back_off,
                    "the headers of the answer are longer than " + std::to_string(header_bytes_max) + " bytes");
    // The beginning of a refusal is enough; half of an object is not.
    bool is_refusal = status >= 300;
    if (arrival.body_too_long && !is_refusal)
        return fail(Remedy::quarantine,
                    "the answer is longer than " + std::to_string(request.answer_bytes_max) + " bytes");
    if (code == CURLE_ABORTED_BY_CALLBACK) return fail(Remedy::stop, "given up: told to end");
    if (code != CURLE_OK && !arrival.body_too_long && !arrival.had_enough)
        return fail(remedy_of(code), printable(without_secrets(why)), cause_of(code));
    arrival.answer.status = static_cast<int>(status);
    return std::move(arrival.answer);
}

}  // namespace boatswain::http
