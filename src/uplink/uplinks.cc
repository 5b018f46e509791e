#include "uplink/uplinks.h"

#include <algorithm>

namespace boatswain::uplink {

Result<Hubs> read_hubs(std::span<const std::string> urls, const std::string& ca_file) {
    Hubs hubs;
    if (urls.size() > hubs_max)
        return fail(Remedy::stop, "follow.hub: " + std::to_string(urls.size()) + " hubs; at most " +
                                      std::to_string(hubs_max) + " are allowed");
    for (const auto& url : urls) {
        auto hub = parse_hub(url);
        if (!hub) return std::unexpected(std::move(hub).error().within("follow.hub"));
        hubs.addresses.push_back(std::move(*hub));
    }
    if (std::ranges::any_of(hubs.addresses, &HubAddress::tls)) {
        TRY(hubs.tls, net::make_tls({.ca_file = ca_file, .certificate_file = {}, .key_file = {}}));
    }
    return hubs;
}

Uplinks::Uplinks(boost::asio::any_io_executor executor, Hubs hubs, Self self, const StreamGround& ground, Log& log)
    : hubs_(std::move(hubs)), self_(std::move(self)), ground_(ground) {
    for (const auto& address : hubs_.addresses)
        uplinks_.push_back(
            std::make_unique<Uplink>(executor, address, address.tls ? hubs_.tls.get() : nullptr, self_, ground_, log));
}

void Uplinks::start(net::TaskGroup& tasks) {
    for (const auto& uplink : uplinks_) tasks.spawn("follow hub", uplink->run());
}

std::vector<std::string> Uplinks::troubles() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < uplinks_.size(); ++i)
        if (const auto& trouble = uplinks_[i]->trouble())
            all.push_back("hub " + hubs_.addresses[i].text + " is not connected: " + *trouble);
    return all;
}

}  // namespace boatswain::uplink
