// Where a library's error_code becomes an Error. Only the units that call Asio include this.
#pragma once

#include <boost/system/error_code.hpp>
#include <string_view>

#include "base/result.h"

namespace boatswain::net {

// What a caller should do about a socket's trouble: no permission, or a certificate that does not verify -> stop;
// cancelled -> stop (is_cancelled() tells it apart); everything else (not there, refused, reset, closed) -> back_off.
std::unexpected<Error> fail_with(const boost::system::error_code& code, std::string_view doing);

// A deadline passed: back_off, "<doing>: no answer in time".
std::unexpected<Error> fail_timeout(std::string_view doing);

// The operation was ended by its own side (asio cancellation), not by trouble.
bool is_cancelled(const Error& error);

}  // namespace boatswain::net
