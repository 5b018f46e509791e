// A coroutine of the I/O thread, and how long it may take.
//
// Everything in net/, engine/ and serve/ runs on one thread: the one that runs the executor handed in. Nothing there is
// shared with other threads, so nothing is locked.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "base/result.h"

namespace boatswain::net {

template <class T>
using Task = boost::asio::awaitable<Result<T>>;

// The moment at which an operation gives up with Remedy::back_off.
using Deadline = std::chrono::steady_clock::time_point;

inline constexpr Deadline no_deadline = Deadline::max();

inline Deadline after(std::chrono::milliseconds wait) { return std::chrono::steady_clock::now() + wait; }

}  // namespace boatswain::net
