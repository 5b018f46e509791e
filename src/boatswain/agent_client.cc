#include "boatswain/agent_client.h"

#include <curl/curl.h>

#include <memory>

#include "base/bytes.h"

namespace boatswain::tool {

namespace {

constexpr long connect_seconds_max = 5;
constexpr long answer_seconds_max = 30;

struct Cleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

std::size_t take(char* bytes, std::size_t, std::size_t size, void* into) {
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size > agent_answer_bytes_max) return 0;
    body.append(bytes, size);
    return size;
}

// What a person should look at, by what the system said of the socket.
std::string to_check(const std::string& socket, int error_number) {
    auto name = printable(socket);
    switch (error_number) {
        case ENOENT:
            return "no agent listens at " + name +
                   ": there is no such socket. Is boatswaind running? Does its configuration set state_dir or control "
                   "to another "
                   "place? Then give --socket PATH, or set BOATSWAIN_SOCKET";
        case ECONNREFUSED:
            return "no agent listens at " + name +
                   ": the socket is left over from one that has ended. Start boatswaind, and see its log for why it "
                   "ended";
        case EACCES:
        case EPERM:
            return "the socket " + name +
                   " may not be opened: only root and the members of its group may ask the agent. Use sudo";
        default: return "";
    }
}

Result<AgentAnswer> call_agent(const std::string& socket, const std::string& path, const char* method) {
    std::unique_ptr<CURL, Cleanup> handle{curl_easy_init()};
    if (!handle) return fail(Remedy::stop, "no memory for a request");
    AgentAnswer answer;
    char said[CURL_ERROR_SIZE] = {};
    auto url = "http://agent" + path;
    curl_easy_setopt(handle.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");  // whatever the environment says of proxies
    curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
    curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, answer_seconds_max);
    curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, said);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer.body);
    auto code = curl_easy_perform(handle.get());
    if (code != CURLE_OK) {
        long error_number = 0;
        curl_easy_getinfo(handle.get(), CURLINFO_OS_ERRNO, &error_number);
        auto check = to_check(socket, static_cast<int>(error_number));
        if (!check.empty()) return fail(Remedy::stop, std::move(check));
        return fail(Remedy::stop, "the agent at " + printable(socket) + " does not answer: " +
                                      (said[0] != '\0' ? std::string{said} : std::string{curl_easy_strerror(code)}) +
                                      ". Is it boatswaind that listens there? See its log");
    }
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
}

}  // namespace

Result<AgentAnswer> ask_agent(const std::string& socket, const std::string& path) {
    return call_agent(socket, path, "GET");
}

Result<AgentAnswer> tell_agent(const std::string& socket, const std::string& path) {
    return call_agent(socket, path, "POST");
}

}  // namespace boatswain::tool
