#include "boatswain/fleet_place.h"

#include <cstdlib>

namespace boatswain::tool {
namespace {

// Checked now, so that a mistake is said at the start; read again for each call.
Result<fleet::CredentialSource> credential_of(const std::optional<std::string>& file, const char* variable) {
    fleet::CredentialSource source;
    if (file) source.file = *file;
    if (const char* text = std::getenv(variable); text != nullptr && *text != '\0') source.text = text;
    auto read = source.authorization();
    if (!read) return std::unexpected(std::move(read).error().within(file ? "credential" : variable));
    return source;
}

}  // namespace

Result<fleet::Connections> connections_of(const FleetPlace& place, const std::atomic<bool>* give_up) {
    auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(parse_duration(place.timeout).value());
    fleet::EndpointOptions marathon{.name = "Marathon", .timeout = timeout, .give_up = give_up};
    if (place.ca_file) marathon.ca_file = *place.ca_file;
    marathon.proxy = place.proxy;
    auto mesos = marathon;
    mesos.name = "Mesos";
    TRY(marathon.addresses, fleet::parse_addresses(place.marathon));
    if (!place.mesos.empty()) {
        TRY(mesos.addresses, fleet::parse_addresses(place.mesos));
    }
    TRY(marathon.credential, credential_of(place.marathon_auth_file, "BOATSWAIN_MARATHON_AUTH"));
    TRY(mesos.credential, credential_of(place.mesos_auth_file, "BOATSWAIN_MESOS_AUTH"));
    return fleet::Connections{.marathon = std::move(marathon), .mesos = std::move(mesos)};
}

}  // namespace boatswain::tool
