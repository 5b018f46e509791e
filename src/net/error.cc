#include "net/error.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <string>

#include "base/bytes.h"

namespace boatswain::net {
namespace {

Remedy remedy_of(const boost::system::error_code& code) {
    namespace error = boost::asio::error;
    if (code == error::operation_aborted) return Remedy::stop;
    if (code == error::access_denied || code == error::no_permission) return Remedy::stop;
    // Peers that do not speak TLS, or whose certificate is not signed by our CA, do not mend themselves.
    if (code.category() == error::get_ssl_category()) return Remedy::stop;
    return Remedy::back_off;
}

}  // namespace

std::unexpected<Error> fail_with(const boost::system::error_code& code, std::string_view doing) {
    // OpenSSL's messages may quote the peer.
    return fail(remedy_of(code), std::string{doing} + ": " + printable(code.message()), code);
}

std::unexpected<Error> fail_timeout(std::string_view doing) {
    return fail(Remedy::back_off, std::string{doing} + ": no answer in time",
                std::make_error_code(std::errc::timed_out));
}

bool is_cancelled(const Error& error) {
    return error.cause == std::error_code{boost::asio::error::make_error_code(boost::asio::error::operation_aborted)};
}

}  // namespace boatswain::net
