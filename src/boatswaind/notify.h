// Tells the service manager how the agent stands, if it asked to be told: systemd's protocol of sd_notify(3), one
// datagram to the socket that NOTIFY_SOCKET names. So a unit with Type=notify is started when the agent collects, not
// when it was forked.
#pragma once

#include <string_view>

#include "base/result.h"

namespace boatswain::boatswaind {

// "READY=1", "STOPPING=1", ... . Does nothing when nobody asked (NOTIFY_SOCKET is not set). Never blocks.
Result<void> notify_manager(std::string_view state);

}  // namespace boatswain::boatswaind
