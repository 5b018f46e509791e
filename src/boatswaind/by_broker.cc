#include "boatswaind/by_broker.h"

#include <poll.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "boatswaind/sandbox_setup.h"
#include "net/address.h"
#include "net/connection.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

net::Task<std::unique_ptr<net::Connection>> connect_through(const sandbox::Broker& broker,
                                                            asio::any_io_executor executor, std::string peer,
                                                            net::Deadline until) {
    auto reply = broker.ask_engine();
    if (!reply) co_return std::unexpected(std::move(reply).error().within("connect to " + peer));
    co_return co_await net::receive(std::move(executor), std::move(*reply), std::move(peer),
                                    std::string{not_through_a_guard}, until);
}

}  // namespace

engine::Endpoint engine_endpoint(const config::Config& config, asio::any_io_executor executor,
                                 const std::optional<sandbox::Broker>& broker) {
    engine::Endpoint endpoint{.address = config.engine.socket,
                              .ca_file = config.engine.ca_file,
                              .certificate_file = config.engine.certificate_file,
                              .key_file = config.engine.key_file,
                              .call_timeout = std::chrono::duration_cast<milliseconds>(config.engine.api_timeout)};
    auto address = net::parse_address(config.engine.socket);
    if (broker && address && address->is_unix())
        endpoint.connect = [&broker, executor = std::move(executor), peer = net::to_text(*address)](
                               net::Deadline until) { return connect_through(*broker, executor, peer, until); };
    return endpoint;
}

asio::awaitable<void> wait_for_end(const sandbox::Broker& broker) {
    // A descriptor of its own: asio closes the one that it is given.
    asio::posix::stream_descriptor channel{co_await asio::this_coro::executor, ::dup(broker.descriptor())};
    // The wait may end for nothing (net::receive).
    for (pollfd asked{}; asked.revents == 0;) {
        co_await channel.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
        asked = {.fd = channel.native_handle(), .events = POLLIN, .revents = 0};
        (void)::poll(&asked, 1, 0);
    }
}

}  // namespace boatswain::boatswaind
