// Tells the service manager how the agent stands, if it asked to be told: systemd's protocol of sd_notify(3), one
// datagram to the socket that NOTIFY_SOCKET names. So a unit with Type=notify is started when the agent collects, not
// when it was forked.
#pragma once

#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::boatswaind {

// "READY=1", "STOPPING=1", ... . Does nothing when nobody asked (NOTIFY_SOCKET is not set). Never blocks.
Result<void> notify_manager(std::string_view state);

// A socket that is opened now, for one message that is sent later, when no unix socket can be opened any more. (A
// broker could send it, but many a service manager believes the main process alone.) Nobody asked: none is opened.
class LaterNotice {
  public:
    static Result<LaterNotice> open();
    // And closes: a datagram socket that stays could be sent to any other address.
    Result<void> send(std::string_view state);

  private:
    Fd socket_;
};

}  // namespace boatswain::boatswaind
