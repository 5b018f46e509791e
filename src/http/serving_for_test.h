// A server with its I/O thread, and a client that speaks raw bytes to it over a real socket.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "http/server.h"

namespace boatswain::http::testing {

using namespace std::chrono_literals;

// A server on a unix socket, with its I/O thread.
class Serving {
  public:
    enum class On { unix_socket, tcp };
    using MakeService = std::function<Service(boost::asio::any_io_executor executor)>;
    explicit Serving(Service service, Limits limits = {}, On on = On::unix_socket, net::Tls* tls = nullptr)
        : Serving(MakeService{[&](const boost::asio::any_io_executor&) { return std::move(service); }}, limits, on,
                  tls) {}
    using AdmitsBody = std::function<int(const Request& head)>;
    explicit Serving(const MakeService& make, Limits limits = {}, On on = On::unix_socket, net::Tls* tls = nullptr,
                     const AdmitsBody& admits_body = {}) {
        char name[] = "/tmp/bwt.XXXXXX";
        directory_ = ::mkdtemp(name);
        auto address = on == On::tcp ? "127.0.0.1:0" : "unix:" + path();
        server = std::move(Server::open(io_.get_executor(), address, make(io_.get_executor()),
                                        {.limits = limits, .tls = tls, .admits_body = admits_body})
                               .value());
        auto bound = server->address();
        port = on == On::tcp ? static_cast<std::uint16_t>(std::stoi(bound.substr(bound.rfind(':') + 1))) : 0;
        boost::asio::co_spawn(io_, server->run(), [this](std::exception_ptr failure) {
            EXPECT_FALSE(failure);
            ended = true;
        });
        thread_ = std::thread([this] { io_.run(); });
    }
    ~Serving() {
        stop();
        server.reset();
        EXPECT_FALSE(std::filesystem::exists(path())) << "the socket's file goes with the server";
        std::filesystem::remove_all(directory_);
    }
    void begin_stop() {
        boost::asio::post(io_, [this] { server->stop(); });
    }
    void stop() {
        if (!thread_.joinable()) return;
        begin_stop();
        thread_.join();
        EXPECT_TRUE(ended) << "run() returns";
    }
    std::string path() const { return directory_ + "/s"; }

    std::unique_ptr<Server> server;
    std::uint16_t port = 0;  // 0: a unix socket
    std::atomic<bool> ended = false;

  private:
    std::string directory_;
    boost::asio::io_context io_;
    std::thread thread_;
};

struct Peer {
    Fd fd;

    explicit Peer(const Serving& serving)
        : fd(::socket(serving.port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (serving.port) {
            sockaddr_in address{
                .sin_family = AF_INET, .sin_port = htons(serving.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
            EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        } else {
            sockaddr_un address{.sun_family = AF_UNIX};
            serving.path().copy(address.sun_path, sizeof address.sun_path - 1);
            EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        }
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            auto sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    // Everything up to the server's close, or until nothing comes for `wait`.
    std::string read(std::chrono::milliseconds wait = 5s) {
        std::string all;
        char buffer[65536];
        for (;;) {
            pollfd waiting{.fd = fd.get(), .events = POLLIN};
            if (::poll(&waiting, 1, static_cast<int>(wait.count())) <= 0) return all + "(open)";
            auto size = ::recv(fd.get(), buffer, sizeof buffer, 0);
            if (size <= 0) return all;
            all.append(buffer, static_cast<std::size_t>(size));
        }
    }
    // Up to where it ends with `end`, or the server closes.
    std::string read_until(std::string_view end) {
        std::string all;
        char c = 0;
        while (!all.ends_with(end) && ::recv(fd.get(), &c, 1, 0) == 1) all += c;
        return all;
    }
    std::string ask(std::string_view bytes) {
        send(bytes);
        return read();
    }
};

}  // namespace boatswain::http::testing
