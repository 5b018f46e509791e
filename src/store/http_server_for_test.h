// A small HTTP server on loopback that answers as a test scripts it: late, wrongly, in part, or not at all.
//
// Each request takes the next answer of the script; after the last one, every request gets 500. Or a function answers.
// The requests are kept.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace boatswain::store::test {

struct ScriptedAnswer {
    int status = 200;
    std::vector<std::string> headers{};  // "Retry-After: 1"; Content-Length is added
    std::string body{};
    bool cut_after_request = false;              // takes the whole request, then closes without a word
    std::string raw{};                           // sent instead of an answer, when not empty
    std::chrono::milliseconds delay{0};          // before the answer
    std::chrono::milliseconds pause_in_body{0};  // in the middle of the body
    std::size_t promised_more = 0;               // Content-Length says this much more than is sent
    bool without_length = false;                 // the end of the connection is the end of the body
};

struct SeenRequest {
    std::string line;                            // "PUT /bucket/key HTTP/1.1"
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

class HttpServer {
  public:
    HttpServer() {
        listener_ = Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        bool listens = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::listen(listener_.get(), 16) == 0 &&
                       ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
        if (!listens) throw std::runtime_error("cannot listen on loopback");
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
    }
    ~HttpServer() { thread_.request_stop(); }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    HttpServer& then(ScriptedAnswer answer) {
        std::lock_guard lock{mutex_};
        script_.push_back(std::move(answer));
        return *this;
    }

    // Instead of a script: what to answer to each request. Called from the server's thread.
    void answer_with(std::function<ScriptedAnswer(const SeenRequest&)> handler) {
        std::lock_guard lock{mutex_};
        handler_ = std::move(handler);
    }

    std::vector<SeenRequest> seen() const {
        std::lock_guard lock{mutex_};
        return seen_;
    }

  private:
    bool wait_readable(int fd, const std::stop_token& stop) const {
        while (!stop.stop_requested()) {
            pollfd waiting{.fd = fd, .events = POLLIN};
            if (::poll(&waiting, 1, 20) > 0) return true;
        }
        return false;
    }

    // One connection after the other, one request each: tests are about answers, not about speed.
    void serve(const std::stop_token& stop) {
        while (wait_readable(listener_.get(), stop)) {
            Fd connection{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            SeenRequest request;
            if (connection && read_request(connection.get(), request, stop))
                answer(connection.get(), std::move(request));
        }
    }

    bool read_more(int fd, std::string& bytes, const std::stop_token& stop) const {
        char buffer[65536];
        if (!wait_readable(fd, stop)) return false;
        auto n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        bytes.append(buffer, static_cast<std::size_t>(n));
        return true;
    }

    bool read_request(int fd, SeenRequest& request, const std::stop_token& stop) const {
        std::string bytes;
        while (bytes.find("\r\n\r\n") == std::string::npos)
            if (!read_more(fd, bytes, stop)) return false;
        auto end = bytes.find("\r\n\r\n");
        request.line = bytes.substr(0, bytes.find("\r\n"));
        for (std::size_t at = request.line.size() + 2; at < end;) {
            auto line_end = bytes.find("\r\n", at);
            auto colon = bytes.find(':', at);
            auto name = bytes.substr(at, colon - at);
            for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            request.headers[name] = bytes.substr(colon + 2, line_end - colon - 2);
            at = line_end + 2;
        }
        request.body = bytes.substr(end + 4);
        auto length = request.headers.contains("content-length") ? std::stoul(request.headers["content-length"]) : 0;
        if (request.headers.contains("expect")) send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n");
        while (request.body.size() < length)
            if (!read_more(fd, request.body, stop)) return false;
        return true;
    }

    void answer(int fd, SeenRequest request) {
        ScriptedAnswer answer{.status = 500, .body = "the script is over"};
        {
            std::lock_guard lock{mutex_};
            if (handler_) {
                answer = handler_(request);
            } else if (!script_.empty()) {
                answer = std::move(script_.front());
                script_.pop_front();
            }
        }
        bool without_body = request.line.starts_with("HEAD ");
        {
            std::lock_guard lock{mutex_};
            seen_.push_back(std::move(request));
        }
        std::this_thread::sleep_for(answer.delay);
        if (answer.cut_after_request) return;
        if (!answer.raw.empty()) return send_all(fd, answer.raw);
        auto head = "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\nConnection: close\r\n";
        bool says_length = false;
        for (const auto& header : answer.headers) {
            head += header + "\r\n";
            says_length |= header.starts_with("Content-Length:");
        }
        if (!says_length && !answer.without_length)
            head += "Content-Length: " + std::to_string(answer.body.size() + answer.promised_more) + "\r\n";
        send_all(fd, head + "\r\n");
        if (without_body) return;
        auto half = answer.pause_in_body.count() > 0 ? answer.body.size() / 2 : answer.body.size();
        send_all(fd, answer.body.substr(0, half));
        std::this_thread::sleep_for(answer.pause_in_body);
        send_all(fd, answer.body.substr(half));
    }

    static void send_all(int fd, std::string_view bytes) {
        while (!bytes.empty()) {
            auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    Fd listener_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::deque<ScriptedAnswer> script_;
    std::function<ScriptedAnswer(const SeenRequest&)> handler_;
    std::vector<SeenRequest> seen_;
    std::jthread thread_;  // last: it uses all of the above, and ends first
};

}  // namespace boatswain::store::test
