#include "http/exchange.h"

#include <algorithm>

namespace boatswain::http {
namespace {

std::string to_bytes(const ExchangeRequest& request) {
    std::string bytes = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + request.host +
                        "\r\nUser-Agent: boatswain\r\nAccept: application/json\r\n";
    if (request.method != "GET" && request.method != "HEAD") bytes += "Content-Length: 0\r\n";
    bytes += request.upgrade_to.empty() ? "Connection: close\r\n\r\n"
                                        : "Connection: Upgrade\r\nUpgrade: " + request.upgrade_to + "\r\n\r\n";
    return bytes;
}

constexpr unsigned switching_protocols = 101;

}  // namespace

net::Task<std::unique_ptr<Exchange>> Exchange::begin(std::unique_ptr<net::Connection> connection,
                                                     ExchangeRequest request, net::Deadline until) {
    std::unique_ptr<Exchange> exchange{new Exchange(std::move(connection), request)};
    auto bytes = to_bytes(request);
    CO_CHECK(co_await exchange->connection_->write(bytes, until));
    while (!exchange->answer_.head_complete()) {
        CO_TRY(bool open, co_await exchange->read(until));
        if (!open) CO_CHECK(exchange->answer_.end());
    }
    auto status = exchange->status();
    if (status < 200 && !(status == switching_protocols && !request.upgrade_to.empty()))
        co_return fail(Remedy::quarantine, "the answer has the unexpected status " + std::to_string(status));
    if (status == switching_protocols) exchange->as_it_comes_ = true;
    if (exchange->as_it_comes_) exchange->body_ = std::move(exchange->answer_.rest());
    co_return exchange;
}

net::Task<bool> Exchange::read(net::Deadline until) {
    std::span<char> into{buffer_.get(), read_bytes_};
    CO_TRY(auto size, co_await connection_->read_some(into, until));
    std::string_view bytes{buffer_.get(), size};
    if (size == 0) co_return false;
    if (answer_.complete() && as_it_comes_) {
        body_ += bytes;
    } else {
        CO_CHECK(answer_.feed(bytes, body_));
    }
    co_return true;
}

net::Task<std::string_view> Exchange::next(net::Deadline until) {
    while (body_.empty() && !ended_) {
        if (!as_it_comes_ && answer_.complete()) {
            ended_ = true;
            break;
        }
        CO_TRY(bool open, co_await read(until));
        if (open) continue;
        if (!as_it_comes_) CO_CHECK(answer_.end());
        ended_ = true;
    }
    // The two strings swap roles, so that a steady stream allocates nothing.
    std::swap(given_, body_);
    body_.clear();
    co_return std::string_view{given_};
}

net::Task<std::string> Exchange::whole(std::size_t bytes_max, net::Deadline until) {
    std::string all;
    for (;;) {
        CO_TRY(auto piece, co_await next(until));
        if (piece.empty()) co_return all;
        if (all.size() + piece.size() > bytes_max)
            co_return fail(Remedy::quarantine, "the answer is longer than " + std::to_string(bytes_max) + " bytes");
        all += piece;
    }
}

}  // namespace boatswain::http
