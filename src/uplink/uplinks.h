// All hubs of an agent.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/task_group.h"
#include "uplink/uplink.h"

namespace boatswain::uplink {

// What is needed of configuration and files, read before the process is confined.
struct Hubs {
    std::vector<HubAddress> addresses;
    std::unique_ptr<net::Tls> tls;  // nullptr where no hub speaks it
};
// `urls`: parse_hub(), at most hubs_max. `ca_file`: of those whom hubs' certificates are signed by; empty: the system's.
Result<Hubs> read_hubs(std::span<const std::string> urls, const std::string& ca_file);

class Uplinks {
  public:
    // The parts behind `ground`, and `log`, outlive it.
    Uplinks(boost::asio::any_io_executor executor, Hubs hubs, Self self, const StreamGround& ground, Log& log);

    void start(net::TaskGroup& tasks);
    // Of each hub that is not reached, why, as a sentence.
    std::vector<std::string> troubles() const;

  private:
    const Hubs hubs_;
    const Self self_;
    const StreamGround ground_;
    std::vector<std::unique_ptr<Uplink>> uplinks_;
};

}  // namespace boatswain::uplink
